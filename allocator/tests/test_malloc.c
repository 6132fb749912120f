/* SPDX-License-Identifier: MIT */
/* The contract of malloc, calloc, free and what looks at blocks, on a fixed arena. */
#include "support.h"

#include "heap_set.h"
#include "malloc.h"
#include "pages.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static anvil_heap *heap;

static int setup(void **state)
{
    (void)state;
    heap = support_arena_heap(4096 * PAGE_BYTES, ANVIL_FIT_BEST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_check(heap);
    anvil_heap_destroy(heap);
    return 0;
}

static void every_size_is_aligned_writable_and_found_again(void **state)
{
    (void)state;
    for (size_t size = 0; size < 9000; size += size < 1100 ? 1 : 97) {
        char *block = anvil_heap_malloc(heap, size);
        assert_int_equal((uintptr_t)block % 16, 0);
        assert_true(anvil_heap_malloc_usable_size(heap, block) >= size);
        memset(block, 0x5a, anvil_heap_malloc_usable_size(heap, block));
        anvil_heap_free_sized(heap, block, size);
    }
}

static void blocks_of_size_zero_are_distinct(void **state)
{
    (void)state;
    void *first = anvil_heap_malloc(heap, 0), *second = anvil_heap_malloc(heap, 0),
         *third = anvil_heap_calloc(heap, 0, SIZE_MAX);
    assert_non_null(first);
    assert_ptr_not_equal(first, second);
    assert_ptr_not_equal(second, third);
    anvil_heap_free(heap, first);
    anvil_heap_free(heap, second);
    anvil_heap_free(heap, third);
}

static void impossible_sizes_fail_with_enomem(void **state)
{
    (void)state;
    const size_t sizes[] = {(size_t)PTRDIFF_MAX + 1, SIZE_MAX,    SIZE_MAX - 7,
                            SIZE_MAX - 4096,         PTRDIFF_MAX, (size_t)1 << 46};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        errno = 0;
        assert_null(anvil_heap_malloc(heap, sizes[i]));
        assert_int_equal(errno, ENOMEM);
        errno = 0;
        assert_null(anvil_heap_pvalloc(heap, sizes[i]));
        assert_int_equal(errno, ENOMEM);
    }
}

static void a_product_that_wraps_to_something_small_fails(void **state)
{
    (void)state;
    errno = 0;
    assert_null(anvil_heap_calloc(heap, (size_t)1 << 33, ((size_t)1 << 31) + 1));
    assert_int_equal(errno, ENOMEM);
    void *block = anvil_heap_malloc(heap, 10);
    errno = 0;
    assert_null(anvil_heap_reallocarray(heap, block, SIZE_MAX / 100 + 2, 100));
    assert_int_equal(errno, ENOMEM);
    anvil_heap_free(heap, block);
}

static void calloc_clears_recycled_memory(void **state)
{
    (void)state;
    for (size_t size = 1; size < 200000; size = size * 3 + 5) {
        char *dirty = anvil_heap_malloc(heap, size);
        memset(dirty, 0xa5, anvil_heap_malloc_usable_size(heap, dirty));
        anvil_heap_free(heap, dirty);
        char *block = anvil_heap_calloc(heap, size, 1);
        assert_true(support_is_zero(block, size));
        memset(block, 0xa5, size);
        anvil_heap_free(heap, block);
    }
}

static void calloc_clears_what_realloc_left_behind(void **state)
{
    (void)state;
    char *block = anvil_heap_malloc(heap, 100000);
    memset(block, 0xa5, 100000);
    block = anvil_heap_realloc(heap, block, 20000);
    char *tail = anvil_heap_calloc(heap, 1, 80000), *more = anvil_heap_calloc(heap, 1, 4000000);
    assert_true(support_is_zero(tail, 80000));
    assert_true(support_is_zero(more, 4000000));
    anvil_heap_free(heap, block);
    anvil_heap_free(heap, tail);
    anvil_heap_free(heap, more);
}

static void free_and_usable_size_take_null(void **state)
{
    (void)state;
    anvil_heap_free(heap, NULL);
    anvil_heap_free_sized(heap, NULL, SIZE_MAX);
    anvil_heap_free_aligned_sized(heap, NULL, 64, 10);
    assert_int_equal(anvil_heap_malloc_usable_size(heap, NULL), 0);
}

static void free_keeps_errno(void **state)
{
    (void)state;
    const size_t sizes[] = {10, 5000, 3000000};
    for (int i = 0; i < 3; i++) {
        void *block = anvil_heap_malloc(heap, sizes[i]);
        errno = 7777;
        anvil_heap_free(heap, block);
        assert_int_equal(errno, 7777);
    }
}

static void free_sized_takes_the_capacity_too(void **state)
{
    (void)state;
    for (size_t size = 1; size < 20000; size = size * 2 + 3) {
        void *block = anvil_heap_malloc(heap, size);
        anvil_heap_free_sized(heap, block, anvil_heap_malloc_usable_size(heap, block));
    }
}

static void a_full_arena_serves_again_after_free(void **state)
{
    (void)state;
    void *blocks[4096];
    size_t count = 0;
    while (count < 4096 && (blocks[count] = anvil_heap_malloc(heap, 30000)) != NULL)
        count++;
    assert_in_range(count, 400, 4095);
    assert_int_equal(errno, ENOMEM);
    support_check(heap);
    for (size_t i = 0; i < count; i++)
        anvil_heap_free(heap, blocks[i]);
    size_t again = 0;
    while (again < 4096 && (blocks[again] = anvil_heap_malloc(heap, 30000)) != NULL)
        again++;
    assert_int_equal(again, count);
}

static void the_largest_block_fits_again_after_small_ones(void **state)
{
    (void)state;
    size_t size = 4096 * PAGE_BYTES;
    void *block;
    while ((block = anvil_heap_malloc(heap, size)) == NULL)
        size -= PAGE_BYTES;
    anvil_heap_free(heap, block);
    for (size_t small = 16; small <= 1024; small += 16)
        anvil_heap_free(heap, anvil_heap_malloc(heap, small));
    /* descriptors have taken some pages by now */
    assert_non_null(anvil_heap_malloc(heap, size - 8 * PAGE_BYTES));
}

static void the_default_heap_serves_the_plain_functions(void **state)
{
    (void)state;
    char *block = anvil_calloc(10, 10);
    assert_true(support_is_zero(block, 100));
    block = anvil_realloc(block, 5000);
    assert_true(anvil_malloc_usable_size(block) >= 5000);
    anvil_free_sized(block, 5000);
    assert_int_equal(anvil_mallinfo2().uordblks + anvil_mallinfo2().fordblks,
                     anvil_mallinfo2().arena);
    support_check(NULL);
}

/* Does a child die when it writes there? */
static bool faults(char *address)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        *(volatile char *)address = 1;
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0; /* a sanitizer exits */
}

static void a_block_of_no_bytes_faults_and_its_pages_serve_again(void **state)
{
    (void)state;
    static char *blocks[2000];
    heap_default_reset();
    for (unsigned i = 0; i < 2000; i++)
        blocks[i] = anvil_malloc(0);
    assert_true(faults(blocks[0]) && faults(blocks[1999]));
    assert_int_equal(anvil_malloc_usable_size(blocks[7]), 0);
    assert_null(anvil_realloc(blocks[8], 0));
    blocks[8] = NULL;
    blocks[7] = anvil_realloc(blocks[7], 8);
    support_fill(blocks[7], 8, 1);
    for (unsigned i = 0; i < 2000; i++)
        anvil_free(blocks[i]);
    (void)anvil_malloc_trim(1 << 20);
    char *whole = anvil_calloc(1, 200000); /* the pages of the slabs, accessible again */
    assert_true(support_is_zero(whole, 200000));
    support_fill(whole, 200000, 2);
    anvil_free(whole);
    support_check(NULL);
}

/* A write that far before a block would else change the map of all pages. */
static void what_is_guarded_is_guarded_by_a_quarter_of_its_length(void **state)
{
    (void)state;
    enum { LENGTH = 4 << 20 };
    char *start;
    assert_int_equal(os_map_guarded(LENGTH, &start), 0);
    assert_true(faults(start - LENGTH / 4) && faults(start - 1) && faults(start + LENGTH));
    assert_true(faults(start + LENGTH + LENGTH / 4 - 1));
    assert_false(faults(start) || faults(start + LENGTH - 1));
    assert_int_equal(os_unmap_guarded(start, LENGTH), 0);
}

static void every_plain_function_allocates_from_the_default_heap(void **state)
{
    (void)state;
    void *blocks[] = {anvil_valloc(1), anvil_pvalloc(1), anvil_memalign(48, 10),
                      anvil_aligned_alloc(64, 10), NULL};
    assert_int_equal(anvil_posix_memalign(&blocks[4], 256, 1), 0);
    assert_true(is_aligned(blocks[0], PAGE_BYTES) && is_aligned(blocks[1], PAGE_BYTES));
    assert_true(anvil_malloc_usable_size(blocks[1]) >= PAGE_BYTES);
    assert_true(is_aligned(blocks[2], 64) && is_aligned(blocks[3], 64));
    anvil_free_aligned_sized(blocks[3], 64, 10);
    blocks[3] = anvil_reallocarray(NULL, 10, 10);
    assert_null(anvil_reallocarray(blocks[3], SIZE_MAX / 2, 4));
    for (unsigned i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        anvil_free(blocks[i]);
}

/* What C++'s delete calls. */
static void a_sized_delete_takes_any_block_of_its_size(void **state)
{
    (void)state;
    malloc_delete_sized(NULL, 5, REQUEST_NEW, "delete");
    malloc_delete_sized(anvil_malloc(100), 100, REQUEST_NEW, "delete");
    malloc_delete_sized(anvil_malloc(1), 0, REQUEST_NEW, "delete");
    malloc_delete_sized(anvil_malloc(100000), 100000, REQUEST_NEW, "delete");
    support_check(NULL);
}

static void wrong_delete(void *block)
{
    malloc_delete_sized(block, 101, REQUEST_NEW, "delete");
}

static void a_sized_delete_of_another_size_is_named(void **state)
{
    (void)state;
    void *block = anvil_malloc(100);
    support_expect_panic(wrong_delete, block, "delete", "block of 100 bytes freed with size 101");
    anvil_free(block);
}

static void the_threshold_of_mappings_can_be_set_later(void **state)
{
    (void)state;
    struct heap_block found;
    anvil_heap *made = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_BEST);
    heap_set_mmap_threshold(made, 20000);
    assert_true(heap_find(made, anvil_heap_malloc(made, 20000), &found));
    assert_int_equal(extent_state(found.extent), EXTENT_MAPPING);
    anvil_heap_destroy(made);
}

/* In the leaf of the pagemap that was made first: where the system puts the heap, it mostly is. */
static void what_takes_one_look_is_freed_at_once(void **state)
{
    (void)state;
    pagemap_word word;
    anvil_free(anvil_malloc(100)); /* the thread has a cache */
    char *block = anvil_malloc(100), *aligned = anvil_aligned_alloc(64, 128);
    char *large = anvil_malloc(100000);
    assert_false(free_sized_at_once(block, 101) || free_sized_at_once(aligned, 128));
    assert_false(free_at_once(block + 16) || free_at_once(large) || free_at_once(NULL));
    if (pagemap_get_in_first(block, &word))
        assert_true(free_sized_at_once(block, 100));
    else
        anvil_free(block);
    assert_false(free_sized_at_once(block, 100) || free_at_once(block));
    assert_false(free_sized_at_once(block, SLAB_TAG_TAKEN)); /* as its tag reads now */
    if (pagemap_get_in_first(aligned, &word))
        assert_true(free_at_once(aligned));
    else
        anvil_free(aligned);
    anvil_free(large);
    support_check(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_size_is_aligned_writable_and_found_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(blocks_of_size_zero_are_distinct, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_sizes_fail_with_enomem, setup, teardown),
        cmocka_unit_test_setup_teardown(a_product_that_wraps_to_something_small_fails, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(calloc_clears_recycled_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(calloc_clears_what_realloc_left_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(free_and_usable_size_take_null, setup, teardown),
        cmocka_unit_test_setup_teardown(free_keeps_errno, setup, teardown),
        cmocka_unit_test_setup_teardown(free_sized_takes_the_capacity_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_arena_serves_again_after_free, setup, teardown),
        cmocka_unit_test_setup_teardown(the_largest_block_fits_again_after_small_ones, setup,
                                        teardown),
        cmocka_unit_test(the_default_heap_serves_the_plain_functions),
        cmocka_unit_test(a_block_of_no_bytes_faults_and_its_pages_serve_again),
        cmocka_unit_test(what_is_guarded_is_guarded_by_a_quarter_of_its_length),
        cmocka_unit_test(every_plain_function_allocates_from_the_default_heap),
        cmocka_unit_test(a_sized_delete_takes_any_block_of_its_size),
        cmocka_unit_test(what_takes_one_look_is_freed_at_once),
        cmocka_unit_test(a_sized_delete_of_another_size_is_named),
        cmocka_unit_test(the_threshold_of_mappings_can_be_set_later),
    };
    return cmocka_run_group_tests_name("malloc", tests, NULL, NULL);
}
