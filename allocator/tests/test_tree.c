/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "tree.h"

enum { COUNT = 400 };

static struct extent extents[COUNT];
static bool is_member[COUNT];

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void fill_tree(struct extent **root, enum anvil_fit fit, unsigned pages_limit)
{
    unsigned seed = 42;
    *root = NULL;
    for (unsigned i = 0; i < COUNT; i++) {
        extents[i] = (struct extent){.start = (char *)0x10000000 + (size_t)i * 0x1000000,
                                     .pages = 1 + next_random(&seed) % pages_limit};
        is_member[i] = next_random(&seed) % 4 != 0;
        if (is_member[i])
            tree_insert(root, &extents[i], fit);
    }
}

/* The slow and obvious answer. */
static struct extent *scan(size_t pages, const char *cursor, enum anvil_fit fit)
{
    struct extent *best = NULL;
    for (unsigned i = 0; i < COUNT; i++)
        if (is_member[i] && extents[i].pages >= pages && extents[i].start >= cursor)
            if (best == NULL || tree_is_before(&extents[i], best, fit))
                best = &extents[i];
    return best;
}

static void every_policy_finds_what_a_scan_finds(void **state)
{
    (void)state;
    for (unsigned fit = ANVIL_FIT_FIRST; fit <= ANVIL_FIT_WORST; fit++) {
        struct extent *root;
        fill_tree(&root, fit, 60);
        for (size_t pages = 1; pages < 64; pages++)
            assert_ptr_equal(tree_find(root, pages), scan(pages, NULL, fit));
    }
}

static void next_fit_starts_at_its_cursor(void **state)
{
    (void)state;
    struct extent *root;
    fill_tree(&root, ANVIL_FIT_NEXT, 60);
    for (unsigned i = 0; i < COUNT; i += 7)
        for (size_t pages = 1; pages < 64; pages += 5)
            assert_ptr_equal(tree_find_from(root, pages, extents[i].start + 1),
                             scan(pages, extents[i].start + 1, ANVIL_FIT_NEXT));
}

static void removal_keeps_the_rest_findable(void **state)
{
    (void)state;
    struct extent *root;
    fill_tree(&root, ANVIL_FIT_BEST, 20);
    for (unsigned i = 0; i < COUNT; i++) {
        if (!is_member[i])
            continue;
        tree_remove(&root, &extents[i], ANVIL_FIT_BEST);
        is_member[i] = false;
        assert_ptr_equal(tree_find(root, 1 + i % 20), scan(1 + i % 20, NULL, ANVIL_FIT_BEST));
    }
    assert_null(root);
}

static unsigned depth(const struct extent *node)
{
    if (node == NULL)
        return 0;
    unsigned left = depth(node->as.node.left), right = depth(node->as.node.right);
    return 1 + (left > right ? left : right);
}

static void extents_of_one_size_do_not_make_a_list(void **state)
{
    (void)state;
    struct extent *root;
    fill_tree(&root, ANVIL_FIT_BEST, 1);
    assert_in_range(depth(root), 8, 30);
}

/* Each member gives its place to another descriptor, of another start and length. */
static void a_place_is_handed_on_where_the_order_is_by_address(void **state)
{
    (void)state;
    static struct extent others[COUNT];
    struct extent *root;
    fill_tree(&root, ANVIL_FIT_FIRST, 60);
    for (unsigned i = 0; i < COUNT; i++) {
        if (!is_member[i])
            continue;
        others[i] = (struct extent){.start = extents[i].start + PAGE_BYTES * (i % 5),
                                    .pages = 1 + extents[i].pages * 7 % 60};
        tree_replace(&root, &extents[i], &others[i]);
        extents[i].start = others[i].start;
        extents[i].pages = others[i].pages;
        for (size_t pages = 1; pages < 64; pages += 6) {
            const struct extent *found = tree_find(root, pages);
            const struct extent *wanted = scan(pages, NULL, ANVIL_FIT_FIRST);
            assert_ptr_equal(found != NULL ? found->start : NULL,
                             wanted != NULL ? wanted->start : NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy_finds_what_a_scan_finds),
        cmocka_unit_test(next_fit_starts_at_its_cursor),
        cmocka_unit_test(removal_keeps_the_rest_findable),
        cmocka_unit_test(extents_of_one_size_do_not_make_a_list),
        cmocka_unit_test(a_place_is_handed_on_where_the_order_is_by_address),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
