/* SPDX-License-Identifier: MIT */
/* The optional levels of hardening, each on a heap of its own, and all of them in the default heap
 * of a child. */
#include "support.h"

#include "harden.h"
#include "heap_set.h"
#include "malloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZES = 8, MANY = 300 };
static const size_t sizes[SIZES] = {1, 15, 16, 100, 32768, 40000, 65536, 2 << 20};

static anvil_heap *heap;

static void make(const char *text)
{
    char error[400];
    struct anvil_options options = {0};
    assert_int_equal(anvil_options_parse(text, &options, error, sizeof error), 0);
    assert_int_equal(anvil_heap_create(&heap, &options), 0);
}

static int teardown(void **state)
{
    (void)state;
    support_check(heap);
    anvil_heap_destroy(heap);
    return 0;
}

/* ---- canary ---- */

struct misuse {
    char *block;
    size_t size;
};

static void overflow_then_free(void *context)
{
    struct misuse *misuse = context;
    misuse->block[misuse->size] = 0;
    anvil_heap_free(heap, misuse->block);
}

static void overflow_then_free_sized(void *context)
{
    struct misuse *misuse = context;
    misuse->block[misuse->size] = 0;
    anvil_heap_free_sized(heap, misuse->block, misuse->size);
}

static void overflow_then_realloc(void *context)
{
    struct misuse *misuse = context;
    misuse->block[misuse->size] = 0;
    (void)anvil_heap_realloc(heap, misuse->block, misuse->size * 3);
}

static void one_byte_past_the_end_is_found(void **state)
{
    (void)state;
    make("canary:on");
    for (unsigned i = 0; i < SIZES; i++) {
        char text[80];
        struct misuse misuse = {anvil_heap_malloc(heap, sizes[i]), sizes[i]};
        snprintf(text, sizeof text, "write past the end of a block of %zu bytes", sizes[i]);
        support_expect_panic(overflow_then_free, &misuse, "free", text);
        support_expect_panic(overflow_then_free_sized, &misuse, "free_sized", text);
        support_expect_panic(overflow_then_realloc, &misuse, "realloc", text);
        support_fill(misuse.block, misuse.size, i);
        anvil_heap_free(heap, misuse.block);
    }
}

static void overflow_then_ask(void *context)
{
    struct misuse *misuse = context;
    misuse->block[misuse->size] = 0;
    (void)anvil_heap_malloc(heap, 3000);
}

static void an_overflow_of_the_newest_block_is_found_by_the_next_request(void **state)
{
    (void)state;
    make("canary:on");
    for (unsigned i = 0; i < SIZES; i++) {
        char text[80];
        struct misuse misuse = {anvil_heap_malloc(heap, 70), sizes[i]};
        misuse.block = anvil_heap_realloc(heap, misuse.block, misuse.size);
        snprintf(text, sizeof text, "write past the end of a block of %zu bytes", sizes[i]);
        support_expect_panic(overflow_then_ask, &misuse, "malloc", text);
        anvil_heap_free(heap, misuse.block);
        support_fill(misuse.block, sizes[i] > 65536 ? 0 : 1, 0); /* freed: nobody's any more */
        anvil_heap_free(heap, anvil_heap_malloc(heap, 3000));
    }
}

static void all_that_is_usable_may_be_written(void **state)
{
    (void)state;
    make("canary:on");
    for (unsigned i = 0; i < SIZES; i++) {
        char *block = anvil_heap_malloc(heap, sizes[i]);
        size_t usable = anvil_heap_malloc_usable_size(heap, block);
        assert_int_equal(usable, sizes[i]);
        support_fill(block, usable, i);
        block = anvil_heap_realloc(heap, block, usable + usable / 10 + 1);
        assert_true(support_is_filled(block, usable, i));
        support_fill(block, anvil_heap_malloc_usable_size(heap, block), i);
        block = anvil_heap_realloc(heap, block, usable / 3 + 1);
        assert_true(support_is_filled(block, usable / 3 + 1, i));
        anvil_heap_free_sized(heap, block, usable / 3 + 1);
    }
}

static void the_largest_request_fails_cleanly(void **state)
{
    (void)state;
    make("secure");
    assert_null(anvil_heap_malloc(heap, SIZE_LIMIT));
    assert_null(anvil_heap_malloc(heap, SIZE_MAX));
}

/* ---- zero ---- */

static void write_after_free(void *context)
{
    struct misuse *misuse = context;
    anvil_heap_free(heap, misuse->block);
    misuse->block[misuse->size - 1] = 1;
    (void)anvil_heap_malloc(heap, misuse->size);
}

static void a_write_after_free_is_found(void **state)
{
    (void)state;
    make("zero:on");
    for (unsigned i = 0; i < SIZES; i++) {
        char line[200];
        struct misuse misuse = {anvil_heap_malloc(heap, sizes[i]), sizes[i]};
        support_run_to_abort(write_after_free, &misuse, line, sizeof line);
        assert_non_null(strstr(line, "write to freed memory of "));
        anvil_heap_free(heap, misuse.block);
    }
}

static void a_freed_block_is_cleared(void **state)
{
    (void)state;
    make("zero:on");
    for (unsigned i = 0; i < SIZES - 1; i++) { /* a mapping may be gone */
        char *block = anvil_heap_malloc(heap, sizes[i]);
        char *wall = anvil_heap_malloc(heap, sizes[i]);
        support_fill(block, sizes[i], i);
        anvil_heap_free(heap, block);
        assert_true(support_is_zero(block, sizes[i]));
        char *again = anvil_heap_calloc(heap, 1, sizes[i]);
        assert_true(support_is_zero(again, sizes[i]));
        anvil_heap_free(heap, again);
        anvil_heap_free(heap, wall);
    }
}

/* Chains of resizes leave nothing behind that would be taken for a write after free. */
static void resizing_leaves_free_memory_zero(void **state)
{
    (void)state;
    make("secure");
    char *block = NULL;
    for (size_t step = 1, size = 1; step < 400; step++) {
        size = (size * 7919 + step) % (step % 20 == 0 ? 3000000 : 100000) + 1;
        block = anvil_heap_realloc(heap, block, size);
        support_fill(block, size, 3);
    }
    anvil_heap_free(heap, block);
    (void)anvil_heap_malloc_trim(heap, 0);
}

/* ---- quarantine and random ---- */

static bool comes_back(char *block, size_t size, unsigned tries)
{
    char *others[MANY];
    bool is_back = false;
    for (unsigned i = 0; i < tries; i++) {
        others[i] = anvil_heap_malloc(heap, size);
        is_back |= others[i] == block;
    }
    for (unsigned i = 0; i < tries; i++)
        anvil_heap_free(heap, others[i]);
    return is_back;
}

static void free_twice(void *context)
{
    anvil_heap_free(heap, context);
    anvil_heap_free(heap, context);
}

static void a_freed_block_waits(void **state)
{
    (void)state;
    make("quarantine:64k");
    char *block = anvil_heap_malloc(heap, 100);
    support_expect_panic(free_twice, block, "free", "double free of a block of 112 bytes");
    anvil_heap_free(heap, block);
    assert_false(comes_back(block, 100, 200));
    assert_false(comes_back(block, 100, MANY)); /* 200 were freed after it by then */
    assert_true(comes_back(block, 100, MANY));
}

static void write_and_ask_once(void *block)
{
    *(char *)block = 1;
    (void)anvil_heap_malloc(heap, 3000);
}

static void the_block_freed_last_is_looked_at_with_every_request(void **state)
{
    (void)state;
    char line[200];
    make("secure");
    char *block = anvil_heap_malloc(heap, 100);
    anvil_heap_free(heap, block);
    support_run_to_abort(write_and_ask_once, block, line, sizeof line);
    assert_non_null(strstr(line, "anvil: malloc(0x"));
    assert_non_null(strstr(line, "write to freed memory of "));
}

static void a_large_block_waits(void **state)
{
    (void)state;
    make("quarantine:256k");
    char *block = anvil_heap_malloc(heap, 50000);
    support_expect_panic(free_twice, block, "free", "double free of a block of 50000 bytes");
    anvil_heap_free(heap, block);
    assert_false(comes_back(block, 50000, 3));
    assert_int_equal(heap->quarantine.count, 4);
    for (unsigned i = 0; i < 10; i++)
        anvil_heap_free(heap, anvil_heap_malloc(heap, 60000));
    assert_in_range(heap->quarantine.bytes, 1, 256 << 10);
}

static void trim_empties_the_quarantine(void **state)
{
    (void)state;
    make("quarantine:1m");
    for (unsigned i = 0; i < 100; i++)
        anvil_heap_free(heap, anvil_heap_malloc(heap, 100 + i));
    assert_int_equal(heap->quarantine.count, 100);
    (void)anvil_heap_malloc_trim(heap, 0);
    assert_int_equal(heap->quarantine.count, 0);
    assert_int_equal(heap->quarantine.bytes, 0);
}

static void a_full_heap_gives_the_quarantine_up(void **state)
{
    (void)state;
    static const size_t arena_size = 64 * PAGE_BYTES;
    struct anvil_options options = {.source = ANVIL_SOURCE_ARENA,
                                    .arena = support_arena(arena_size),
                                    .arena_size = arena_size,
                                    .quarantine = 1 << 20};
    assert_int_equal(anvil_heap_create(&heap, &options), 0);
    for (unsigned i = 0; i < 20; i++) {
        char *block = anvil_heap_malloc(heap, 36000);
        assert_non_null(block);
        anvil_heap_free(heap, block);
    }
}

static void random_blocks_come_back_in_another_order(void **state)
{
    (void)state;
    make("random:on");
    char *blocks[MANY];
    unsigned in_order = 0;
    for (unsigned i = 0; i < MANY; i++)
        blocks[i] = anvil_heap_malloc(heap, 4000);
    for (unsigned i = 0; i < MANY; i++)
        anvil_heap_free(heap, blocks[i]);
    char *last = NULL;
    for (unsigned i = 0; i < MANY / 2; i++) {
        char *block = anvil_heap_malloc(heap, 4000);
        in_order += last != NULL && (block - last == 4096 || last - block == 4096);
        last = block;
    }
    assert_in_range(in_order, 0, MANY / 4);
}

/* ---- guards ---- */

/* What the kernel says of it: it neither faults nor upsets a sanitizer. */
static bool is_accessible(const char *address)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    bool result = write(ends[1], address, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    return result;
}

static struct slab *slab_of(char *block)
{
    struct heap_block found;
    assert_true(heap_find(heap, block, &found));
    return found.slab;
}

/* Fills the slab of a new block. Returns the slab. */
static struct slab *fill_slab(size_t size)
{
    char *block = anvil_heap_malloc(heap, size);
    struct slab *slab = slab_of(block);
    do {
        assert_int_equal(anvil_heap_malloc_usable_size(heap, block), slab->block_size);
        support_fill(block, slab->block_size, 1);
        block = anvil_heap_malloc(heap, size);
    } while (slab_of(block) == slab);
    assert_int_equal(slab->carved, slab->capacity);
    return slab;
}

static void free_it(void *pointer)
{
    anvil_heap_free(heap, pointer);
}

static void a_page_after_each_slab_is_inaccessible(void **state)
{
    (void)state;
    static const size_t small[] = {16, 48, 1000, 4096, 32768};
    make("guard:on");
    for (unsigned i = 0; i < sizeof small / sizeof small[0]; i++) {
        struct slab *slab = fill_slab(small[i]);
        char *guard = extent_end(slab->extent) - PAGE_BYTES;
        assert_true(slab_block_start(slab, slab->capacity) <= guard);
        assert_true(is_accessible(guard - 1));
        assert_false(is_accessible(guard) || is_accessible(guard + PAGE_BYTES - 1));
        for (char *at = guard; at < guard + PAGE_BYTES; at += 1024 - BLOCK_ALIGNMENT)
            support_expect_panic(free_it, at, "free", "memory of this heap that is not allocated");
        support_check(heap);
    }
}

static void a_slab_that_is_freed_takes_its_guard_away(void **state)
{
    (void)state;
    char *blocks[MANY];
    make("guard:on");
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < MANY; i++)
            blocks[i] = anvil_heap_malloc(heap, 4000);
        assert_in_range(heap->slabs.guards, 2, MANY);
        for (unsigned i = 0; i < MANY; i++)
            anvil_heap_free(heap, blocks[i]);
        char *large = anvil_heap_malloc(heap, 900000);
        support_fill(large, 900000, round);
        anvil_heap_free(heap, large);
    }
    (void)anvil_heap_malloc_trim(heap, 0);
    assert_int_equal(heap->slabs.guards, 0);
}

static void guards_leave_most_mappings_to_others(void **state)
{
    (void)state;
    make("guard:on");
    heap->slabs.guards = SLAB_GUARDS_MAX;
    char *block = anvil_heap_malloc(heap, 4096);
    struct slab *slab = slab_of(block);
    assert_int_equal(slab->guard_pages, 0);
    assert_true(is_accessible(extent_end(slab->extent) - 1));
    anvil_heap_free(heap, block);
    heap->slabs.guards = 0;
}

static void an_arena_has_no_guards(void **state)
{
    (void)state;
    struct anvil_options options = {.source = ANVIL_SOURCE_ARENA,
                                    .arena = support_arena(64 * PAGE_BYTES),
                                    .arena_size = 64 * PAGE_BYTES,
                                    .guard = true};
    assert_int_equal(anvil_heap_create(&heap, &options), 0);
    assert_int_equal(slab_of(anvil_heap_malloc(heap, 100))->guard_pages, 0);
}

/* ---- the default heap ---- */

static _Noreturn void child_with_all(void)
{
    char *blocks[MANY];
    setenv("ANVIL_OPTIONS", "secure", 1);
    heap_default_reset();
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            size_t size = (size_t)i * i * (round % 4 == 0 ? 10 : 1) / 2;
            blocks[i] = anvil_malloc(size);
            support_fill(blocks[i], anvil_malloc_usable_size(blocks[i]), i);
            blocks[i] = anvil_realloc(blocks[i], size + 1);
        }
        for (unsigned i = 0; i < MANY; i++)
            anvil_free(blocks[(i * 7) % MANY]);
    }
    char error[200];
    bool is_whole = anvil_heap_check(NULL, error, sizeof error) == 0;
    _exit(is_whole && anvil_malloc_usable_size(anvil_malloc(33)) == 33 ? 0 : 1);
}

/* ---- the forms of C++'s new ---- */

struct forms {
    size_t size;
    enum request_code made, deleted;
    bool is_sized;
};

static void delete_with_forms_remembered(void *context)
{
    const struct forms *forms = context;
    setenv("ANVIL_OPTIONS", "form:on", 1);
    heap_default_reset();
    void *block = malloc_new(forms->size, forms->made);
    if (forms->is_sized)
        malloc_delete_sized(block, forms->size, forms->deleted, "delete");
    else
        malloc_delete(block, forms->deleted, "delete");
}

static void a_delete_of_another_form_is_named(void **state)
{
    (void)state;
    char text[100];
    for (unsigned i = 0; i < SIZES; i++) {
        struct forms forms = {sizes[i], REQUEST_NEW, REQUEST_NEW_ARRAY, i % 2 == 0};
        snprintf(text, sizeof text, "block of %zu bytes from new, which delete[] does not free",
                 sizes[i]);
        support_expect_panic(delete_with_forms_remembered, &forms, "delete", text);
        forms = (struct forms){sizes[i], REQUEST_NEW_ARRAY, REQUEST_NEW, i % 2 != 0};
        snprintf(text, sizeof text, "block of %zu bytes from new[], which delete does not free",
                 sizes[i]);
        support_expect_panic(delete_with_forms_remembered, &forms, "delete", text);
    }
}

static _Noreturn void child_with_forms(void)
{
    static const enum request_code codes[] = {REQUEST_PLAIN, REQUEST_NEW, REQUEST_NEW_ARRAY};
    for (unsigned i = 0; i < SIZES * 3; i++) {
        struct forms forms = {sizes[i / 3], codes[i % 3], codes[i % 3], i % 2 == 0};
        delete_with_forms_remembered(&forms);
        anvil_free(malloc_new(forms.size, forms.made));
        malloc_delete(anvil_malloc(forms.size), forms.deleted, "delete");
        malloc_delete(NULL, forms.deleted, "delete");
    }
    char error[200];
    _exit(anvil_heap_check(NULL, error, sizeof error));
}

static void expect_success(void (*act)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0)
        act();
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void the_default_heap_can_be_secure(void **state)
{
    (void)state;
    expect_success(child_with_all);
}

static void the_same_form_free_and_malloc_are_right(void **state)
{
    (void)state;
    expect_success(child_with_forms);
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

static size_t peak_resident(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (size_t)usage.ru_maxrss * 1024;
}

static void a_refused_purge_does_not_make_a_freed_block_resident(void **state)
{
    (void)state;
    make("zero:on");
    char *block = anvil_heap_malloc(heap, 512 << 20);
    size_t before = peak_resident();
    anvil_heap_fail_os_call(heap, 1);
    anvil_heap_free(heap, block);
    assert_true(peak_resident() - before < 256 << 20);
}

struct neighbours {
    char *left, *right;
};

static void underflow_then_free(void *context)
{
    struct neighbours *blocks = context;
    blocks->right[-16] = 0; /* no canary is 0 */
    anvil_heap_free(heap, blocks->left);
}

/* Whatever room the block before has behind its canary. */
static void a_write_before_the_start_is_found_by_the_block_before(void **state)
{
    (void)state;
    make("canary:on");
    for (size_t size = 1000; size > 900; size -= 9) {
        char text[80];
        struct neighbours blocks = {anvil_heap_malloc(heap, size), anvil_heap_malloc(heap, size)};
        struct heap_block found;
        assert_true(heap_find(heap, blocks.left, &found));
        assert_ptr_equal(blocks.left + found.capacity, blocks.right);
        snprintf(text, sizeof text, "write past the end of a block of %zu bytes", size);
        support_expect_panic(underflow_then_free, &blocks, "free", text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_byte_past_the_end_is_found),
        CASE(an_overflow_of_the_newest_block_is_found_by_the_next_request),
        CASE(all_that_is_usable_may_be_written),
        CASE(the_largest_request_fails_cleanly),
        CASE(a_write_after_free_is_found),
        CASE(a_freed_block_is_cleared),
        CASE(resizing_leaves_free_memory_zero),
        CASE(a_freed_block_waits),
        CASE(the_block_freed_last_is_looked_at_with_every_request),
        CASE(a_large_block_waits),
        CASE(trim_empties_the_quarantine),
        CASE(a_full_heap_gives_the_quarantine_up),
        CASE(random_blocks_come_back_in_another_order),
        CASE(a_page_after_each_slab_is_inaccessible),
        CASE(a_slab_that_is_freed_takes_its_guard_away),
        CASE(guards_leave_most_mappings_to_others),
        CASE(an_arena_has_no_guards),
        cmocka_unit_test(the_default_heap_can_be_secure),
        cmocka_unit_test(a_delete_of_another_form_is_named),
        cmocka_unit_test(the_same_form_free_and_malloc_are_right),
        cmocka_unit_test_teardown(a_refused_purge_does_not_make_a_freed_block_resident, teardown),
        cmocka_unit_test_teardown(a_write_before_the_start_is_found_by_the_block_before, teardown),
    };
    return cmocka_run_group_tests_name("harden", tests, NULL, NULL);
}
