/* SPDX-License-Identifier: MIT */
/* A violation of each invariant on slabs and classes, planted by hand: the checker must report it
 * by its name. */
#include "support.h"

#include "check.h"

#include <string.h>

enum { BLOCK = 64 };

static anvil_heap *heap;
static struct extent *extent;
static struct slab *slab;
static struct slab_class *class;

/* One slab with ten blocks carved, of which 3, 5 and 7 are free. */
static int setup(void **state)
{
    (void)state;
    void *blocks[10];
    heap = support_arena_heap(1024 * PAGE_BYTES, ANVIL_FIT_FIRST);
    for (int i = 0; i < 10; i++)
        blocks[i] = anvil_heap_malloc(heap, BLOCK);
    for (int i = 3; i < 9; i += 2)
        anvil_heap_free(heap, blocks[i]);
    extent = pagemap_get(blocks[0], heap->id);
    slab = slab_of(extent);
    class = &heap->slabs.classes[slab->class_index];
    support_check(heap);
    return 0;
}

static void expect(enum check_id id)
{
    char error[200] = "";
    assert_int_not_equal(anvil_heap_check(heap, error, sizeof error), 0);
    size_t length = strlen(check_id_name(id));
    if (strncmp(error, check_id_name(id), length) != 0 || error[length] != ':')
        fail_msg("expected %s, reported: %s", check_id_name(id), error);
}

#define EXPECT_WHEN(field, value, id)       \
    do {                                    \
        __typeof__(field) before = (field); \
        (field) = (value);                  \
        expect(id);                         \
        (field) = before;                   \
        support_check(heap);                \
    } while (0)

static void a_slab_of_no_known_shape_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(slab->class_index, SLAB_CLASSES, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->block_size, 80, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->capacity, 10, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->carved, slab->capacity + 1, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->live, 11, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->reciprocal, 1, CHECK_SLAB_SHAPE);
}

static void a_wrong_live_count_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(slab->live, 6, CHECK_SLAB_LIVE);
    EXPECT_WHEN(slab->tags[0], SLAB_NO_BLOCK, CHECK_SLAB_LIVE);
    EXPECT_WHEN(slab->tags[5], SLAB_TAG_LIVE, CHECK_SLAB_LIVE);
}

static void a_slack_beyond_the_block_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(slab->tags[0], SLAB_TAG_LIVE | (BLOCK + 1), CHECK_SLAB_SLACK);
}

static void a_broken_free_list_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(slab->first_free, 5, CHECK_SLAB_FREE_LIST);             /* too short */
    EXPECT_WHEN(slab->first_free, SLAB_NO_BLOCK, CHECK_SLAB_FREE_LIST); /* empty */
    EXPECT_WHEN(slab->first_free, 20, CHECK_SLAB_FREE_LIST);            /* not carved */
    EXPECT_WHEN(slab->tags[3], 7, CHECK_SLAB_FREE_LIST);                /* a ring */
    EXPECT_WHEN(slab->tags[5], 0, CHECK_SLAB_FREE_LIST);                /* leads to a live block */
}

static void a_slab_missing_from_its_class_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(class->roomy, NULL, CHECK_CLASS_ROOMY);
    EXPECT_WHEN(slab->previous, extent, CHECK_CLASS_ROOMY);
    EXPECT_WHEN(slab->next, extent, CHECK_CLASS_ROOMY);
}

static void an_unknown_empty_slab_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(class->empty, extent, CHECK_CLASS_EMPTY);
    struct extent *other = pagemap_get(anvil_heap_malloc(heap, 500), heap->id);
    struct slab_class *other_class = &heap->slabs.classes[slab_of(other)->class_index];
    anvil_heap_free(heap, other->start);
    EXPECT_WHEN(other_class->empty, NULL, CHECK_CLASS_EMPTY);
}

static void wrong_sums_of_slabs_are_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(class->slabs, 2, CHECK_SLAB_SUMS);
    EXPECT_WHEN(heap->slabs.carved_free, 2, CHECK_SLAB_SUMS);
    EXPECT_WHEN(heap->slabs.carved_free_bytes, 2, CHECK_SLAB_SUMS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_slab_of_no_known_shape_is_reported, setup),
        cmocka_unit_test_setup(a_wrong_live_count_is_reported, setup),
        cmocka_unit_test_setup(a_slack_beyond_the_block_is_reported, setup),
        cmocka_unit_test_setup(a_broken_free_list_is_reported, setup),
        cmocka_unit_test_setup(a_slab_missing_from_its_class_is_reported, setup),
        cmocka_unit_test_setup(an_unknown_empty_slab_is_reported, setup),
        cmocka_unit_test_setup(wrong_sums_of_slabs_are_reported, setup),
    };
    return cmocka_run_group_tests_name("check_slab", tests, NULL, NULL);
}
