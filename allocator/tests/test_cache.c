/* SPDX-License-Identifier: MIT */
/* The threads' caches of the default heap. */
#include "support.h"

#include "heap_set.h"
#include "malloc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 600, THREADS = 200 };

static int setup(void **state)
{
    (void)state;
    heap_default_reset();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_check(NULL);
    return 0;
}

static unsigned cached_count(size_t size)
{
    size_t offset = cache_offsets[(size + SIZE_CLASS_STEP - 1) / SIZE_CLASS_STEP];
    const struct slab_entry *top = cache_magazine(cache_current, offset)->top;
    unsigned count = 0;
    while (top[-1 - (int)count].block != NULL)
        count++;
    return count;
}

static size_t live_blocks(void)
{
    struct anvil_stats stats;
    anvil_heap_stats(NULL, &stats);
    return stats.live_blocks;
}

static size_t page_requests(void)
{
    struct anvil_stats stats;
    anvil_heap_stats(NULL, &stats);
    return stats.os_calls;
}

static void run_thread(void *(*body)(void *), void *context)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, body, context), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void the_block_freed_last_is_taken_first(void **state)
{
    (void)state;
    char *first = anvil_malloc(100), *second = anvil_malloc(100);
    anvil_free(first);
    anvil_free(second);
    assert_ptr_equal(anvil_malloc(97), second);
    assert_ptr_equal(anvil_malloc(112), first);
    anvil_free(first);
    anvil_free(second);
}

static void a_cached_block_is_not_live(void **state)
{
    (void)state;
    void *block = anvil_malloc(100);
    assert_int_equal(live_blocks(), 1);
    anvil_free(block);
    assert_int_equal(live_blocks(), 0);
    assert_true(cached_count(100) > 0);
}

static void calloc_takes_the_block_freed_last_and_clears_it(void **state)
{
    (void)state;
    char *block = anvil_malloc(100);
    memset(block, 1, 112);
    anvil_free(block);
    assert_ptr_equal(anvil_calloc(25, 4), block);
    assert_true(support_is_zero(block, 100));
    assert_int_equal(live_blocks(), 1);
    anvil_free(block);
}

static void realloc_moves_a_small_block_through_the_cache(void **state)
{
    (void)state;
    char *target = anvil_malloc(1000), *block = anvil_malloc(100);
    support_fill(block, 112, 3);
    anvil_free(target);
    assert_ptr_equal(anvil_realloc(block, 1000), target);
    assert_true(support_is_filled(target, 112, 3));
    assert_ptr_equal(anvil_malloc(100), block);
    anvil_free(block);
    block = anvil_realloc(target, 50);
    assert_ptr_not_equal(block, target);
    assert_true(support_is_filled(block, 50, 3));
    anvil_free(block);
}

static void the_first_round_of_a_program_gives_no_page_back(void **state)
{
    (void)state;
    static void *blocks[BLOCKS];
    size_t before = 0;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < BLOCKS; i++)
            memset(blocks[i] = anvil_malloc(20000), 1, 20000);
        before = round == 0 ? page_requests() : before;
        for (int i = 0; i < BLOCKS; i++)
            anvil_free(blocks[i * 7919 % BLOCKS]);
    }
    assert_in_range(page_requests() - before, 0, 4);
}

static void all_blocks_come_and_go_through_full_and_empty_magazines(void **state)
{
    (void)state;
    static char *blocks[BLOCKS];
    static const size_t sizes[] = {0, 16, 100, 1024, 5000, SIZE_CLASS_BYTES_MAX};
    for (unsigned round = 0; round < 4; round++)
        for (unsigned s = 0; s < 6; s++) {
            for (unsigned i = 0; i < BLOCKS; i++) {
                blocks[i] = anvil_malloc(sizes[s]);
                support_fill(blocks[i], sizes[s], i);
            }
            for (unsigned i = 0; i < BLOCKS; i++)
                assert_true(support_is_filled(blocks[i], sizes[s], i));
            for (unsigned i = 0; i < BLOCKS; i++)
                anvil_free(blocks[round % 2 == 0 ? i : BLOCKS - 1 - i]);
            support_check(NULL);
            assert_int_equal(live_blocks(), 0);
        }
}

static void a_magazine_holds_64_kib_at_most(void **state)
{
    (void)state;
    static void *blocks[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = anvil_malloc(4096);
    for (unsigned i = 0; i < BLOCKS; i++)
        anvil_free(blocks[i]);
    assert_in_range(cached_count(4096), 1, 16);
}

static void a_resting_magazine_is_emptied(void **state)
{
    (void)state;
    static void *blocks[BLOCKS];
    anvil_free(anvil_malloc(3000));
    assert_int_equal(cached_count(3000), 1);
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < BLOCKS; i++)
            blocks[i] = anvil_malloc(64);
        for (unsigned i = 0; i < BLOCKS; i++)
            anvil_free(blocks[i]);
    }
    assert_int_equal(cached_count(3000), 0);
}

static void trim_empties_the_cache(void **state)
{
    (void)state;
    anvil_free(anvil_malloc(3000));
    (void)anvil_malloc_trim(0);
    assert_int_equal(cached_count(3000), 0);
}

/* Phases of many blocks of one class each: what described them goes back with them. */
static void trim_gives_the_metadata_back(void **state)
{
    (void)state;
    static void *blocks[100000];
    struct anvil_stats stats;
    for (size_t size = 16; size <= 1024; size *= 4) {
        for (unsigned i = 0; i < 100000; i++)
            blocks[i] = anvil_malloc(size);
        for (unsigned i = 0; i < 100000; i++)
            anvil_free(blocks[i]);
    }
    (void)anvil_malloc_trim(0);
    anvil_heap_stats(NULL, &stats);
    assert_in_range(stats.mapped, 0, 64 << 10);
}

/* ---- large blocks ---- */

/* The calling thread has a cache from here on. */
static void warm_up(void)
{
    anvil_free(anvil_malloc(100));
}

static void the_large_block_freed_last_is_taken_first(void **state)
{
    (void)state;
    warm_up();
    char *first = anvil_malloc(70000), *second = anvil_malloc(70000);
    anvil_free(first);
    anvil_free(second);
    assert_ptr_equal(anvil_malloc(69000), second);
    assert_ptr_equal(anvil_memalign(4096, 73000), first);
    assert_int_equal(anvil_malloc_usable_size(first), 18 * PAGE_BYTES);
    anvil_free_aligned_sized(first, 4096, 73000);
    anvil_free_sized(second, 69000);
}

static void a_cached_large_block_is_not_live(void **state)
{
    (void)state;
    struct anvil_stats stats;
    warm_up();
    anvil_free(anvil_malloc(70000));
    assert_int_equal(cache_current->run_pages, 18);
    anvil_heap_stats(NULL, &stats);
    assert_int_equal(stats.live_blocks, 0);
    assert_int_equal(stats.live_capacity, 0);
}

static void a_recycled_large_block_is_zeroed(void **state)
{
    (void)state;
    warm_up();
    char *block = anvil_malloc(70000);
    support_fill(block, 70000, 1);
    anvil_free(block);
    char *zeroed = anvil_calloc(7, 10000);
    assert_ptr_equal(zeroed, block);
    assert_true(support_is_zero(zeroed, 70000));
    anvil_free(zeroed);
}

static void large_blocks_in_turn_ask_the_page_source_for_nothing(void **state)
{
    (void)state;
    void *blocks[20] = {NULL};
    warm_up();
    for (unsigned i = 0; i < 200; i++) {
        anvil_free(blocks[i % 20]);
        blocks[i % 20] = anvil_malloc(262144);
    }
    size_t before = page_requests();
    for (unsigned i = 0; i < 1000; i++) {
        anvil_free(blocks[i * 7 % 20]);
        blocks[i * 7 % 20] = anvil_malloc(262144);
    }
    assert_int_equal(page_requests(), before);
    for (unsigned i = 0; i < 20; i++)
        anvil_free(blocks[i]);
}

static void a_thread_keeps_2_mib_of_large_blocks_at_most(void **state)
{
    (void)state;
    void *blocks[40];
    warm_up();
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 40; i++)
            blocks[i] = anvil_malloc(40000 + i * 20000);
        for (unsigned i = 0; i < 40; i++)
            anvil_free(blocks[i]);
        assert_in_range(cache_current->run_pages, round == 0 ? 0 : 1, 512);
        support_check(NULL);
    }
    (void)anvil_malloc_trim(0);
    assert_int_equal(cache_current->run_pages, 0);
}

static void use_small_blocks(void)
{
    static void *blocks[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = anvil_malloc(64);
    for (unsigned i = 0; i < BLOCKS; i++)
        anvil_free(blocks[i]);
}

static void resting_large_blocks_are_given_up_and_others_are_not(void **state)
{
    (void)state;
    warm_up();
    anvil_free(anvil_malloc(70000));
    for (unsigned round = 0; round < 200; round++) {
        use_small_blocks();
        assert_int_equal(cache_current->run_pages, 18);
        anvil_free(anvil_malloc(70000));
    }
    for (unsigned round = 0; round < 200; round++)
        use_small_blocks();
    assert_int_equal(cache_current->run_pages, 0);
}

/* The lengths that it leaves behind are not those that it asks for next. */
static void a_buffer_that_grows_does_not_make_its_thread_keep_more(void **state)
{
    (void)state;
    warm_up();
    for (unsigned round = 0; round < 10; round++) {
        char *buffer = NULL;
        for (size_t size = 30000; size < 1 << 20; size += 4096)
            buffer = anvil_realloc(buffer, size);
        anvil_free(buffer);
    }
    assert_int_equal(cache_current->run_pages_max, 64);
    assert_int_equal(cache_current->run_pages, 0);
}

static void the_mapping_freed_last_serves_the_next_block_of_about_its_size(void **state)
{
    (void)state;
    warm_up();
    char *first = anvil_malloc(2 << 20), *second = anvil_malloc(2 << 20);
    size_t before = page_requests();
    anvil_free(first);
    assert_ptr_equal(cache_current->mapping->start, first);
    assert_int_equal(live_blocks(), 1);
    assert_ptr_equal(anvil_malloc((2 << 20) - 5000), first);
    memset(first, 1, 2 << 20);
    anvil_free(first);
    assert_ptr_equal(anvil_calloc(1, 2 << 20), first);
    assert_true(support_is_zero(first, 2 << 20));
    assert_int_equal(page_requests(), before);
    anvil_free(first);
    char *half = anvil_malloc(1 << 20);
    assert_ptr_not_equal(half, first);
    anvil_free(half);
    anvil_free(second);
    support_check(NULL);
}

static void a_trim_and_a_long_rest_end_the_keeping_of_a_mapping(void **state)
{
    (void)state;
    static void *blocks[BLOCKS];
    struct anvil_stats stats;
    warm_up();
    anvil_free(anvil_malloc(3 << 20));
    assert_non_null(cache_current->mapping);
    struct anvil_mallinfo2 info = anvil_mallinfo2();
    assert_int_equal(info.hblks, 0);
    assert_int_equal(info.uordblks, 0);
    assert_in_range(info.fordblks, 3 << 20, 4 << 20);
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < BLOCKS; i++)
            blocks[i] = anvil_malloc(64);
        for (unsigned i = 0; i < BLOCKS; i++)
            anvil_free(blocks[i]);
    }
    assert_null(cache_current->mapping);
    anvil_free(anvil_malloc(3 << 20));
    assert_non_null(cache_current->mapping);
    assert_int_equal(anvil_malloc_trim(0), 1);
    anvil_heap_stats(NULL, &stats);
    assert_in_range(stats.mapped, 0, 1 << 20);
}

static void a_mapping_of_more_than_4_mib_is_not_kept_by_a_thread(void **state)
{
    (void)state;
    warm_up();
    anvil_free(anvil_malloc(5 << 20));
    assert_null(cache_current->mapping);
}

static void a_large_block_is_resized_within_its_class_where_it_is(void **state)
{
    (void)state;
    char *block = anvil_malloc(70000);
    assert_ptr_equal(anvil_realloc(block, 73000), block);
    anvil_free_sized(block, 73000);
    block = anvil_malloc(500000);
    assert_int_equal(anvil_malloc_usable_size(anvil_realloc(block, 70000)), 18 * PAGE_BYTES);
}

/* ---- threads ---- */

static void *take_and_free_all_sizes(void *context)
{
    for (size_t size = 1; size < 2000000; size += size / 8 + 1)
        anvil_free(anvil_malloc(size));
    return context;
}

static void a_thread_that_ends_puts_everything_back(void **state)
{
    (void)state;
    struct anvil_stats stats;
    run_thread(take_and_free_all_sizes, NULL);
    (void)anvil_malloc_trim(0);
    anvil_heap_stats(NULL, &stats);
    assert_int_equal(stats.live_blocks, 0);
    assert_in_range(stats.mapped, 0, 256 << 10); /* metadata */
}

static void many_threads_one_after_the_other_leave_no_growth(void **state)
{
    (void)state;
    struct anvil_stats before, after;
    for (unsigned i = 0; i < 4; i++)
        run_thread(take_and_free_all_sizes, NULL);
    anvil_heap_stats(NULL, &before);
    for (unsigned i = 0; i < THREADS; i++)
        run_thread(take_and_free_all_sizes, NULL);
    anvil_heap_stats(NULL, &after);
    assert_int_equal(after.mapped_peak, before.mapped_peak);
}

static void *free_only(void *block)
{
    anvil_free(block);
    return cache_current->heap; /* NULL: this thread has no cache */
}

static void a_thread_that_only_frees_has_no_cache(void **state)
{
    (void)state;
    pthread_t thread;
    void *result = &thread;
    assert_int_equal(pthread_create(&thread, NULL, free_only, anvil_malloc(100)), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    assert_int_equal(live_blocks(), 0);
}

static void *free_many(void *context)
{
    char **blocks = context;
    for (unsigned i = 0; i < BLOCKS; i++)
        anvil_free(blocks[i]);
    return NULL;
}

static void blocks_of_another_thread_are_freed(void **state)
{
    (void)state;
    static char *blocks[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = anvil_malloc((size_t)i * 20);
    run_thread(free_many, blocks);
    assert_int_equal(live_blocks(), 0);
    support_check(NULL);
}

static pthread_key_t late_key;

static void use_late(void *context)
{
    anvil_free(context);
    if (pthread_getspecific(late_key) == NULL)
        anvil_free(anvil_malloc(100));
}

static void *leave_work_for_destructors(void *context)
{
    anvil_free(anvil_malloc(100));
    pthread_setspecific(late_key, anvil_malloc(200));
    return context;
}

static void destructors_may_use_the_heap_after_the_cache_has_ended(void **state)
{
    (void)state;
    assert_int_equal(pthread_key_create(&late_key, use_late), 0);
    run_thread(leave_work_for_destructors, NULL);
    pthread_key_delete(late_key);
    assert_int_equal(live_blocks(), 0);
}

/* ---- without ---- */

static void child_without_cache(void)
{
    setenv("ANVIL_OPTIONS", "cache:off", 1);
    heap_default_reset();
    anvil_free(anvil_malloc(100));
    _exit(cached_count(100) == 0 && live_blocks() == 0 ? 0 : 1);
}

static void the_cache_can_be_turned_off(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0)
        child_without_cache();
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void child_that_changes_its_options(void)
{
    anvil_free(anvil_malloc(100));
    setenv("ANVIL_OPTIONS", "canary:on", 1);
    heap_default_reset();
    char *block = anvil_malloc(500);
    _exit(!cache_is_own() && anvil_realloc(block, 400) != NULL && live_blocks() == 1 ? 0 : 1);
}

static void a_heap_that_is_set_up_again_forgets_the_cache(void **state)
{
    (void)state;
    int status;
    for (unsigned i = 0; i < 40; i++)
        anvil_free(anvil_malloc(100));
    assert_true(cache_is_own());
    pid_t child = fork();
    if (child == 0)
        child_that_changes_its_options();
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_block_freed_last_is_taken_first),
        CASE(a_cached_block_is_not_live),
        CASE(calloc_takes_the_block_freed_last_and_clears_it),
        CASE(realloc_moves_a_small_block_through_the_cache),
        CASE(the_first_round_of_a_program_gives_no_page_back),
        CASE(all_blocks_come_and_go_through_full_and_empty_magazines),
        CASE(a_magazine_holds_64_kib_at_most),
        CASE(a_resting_magazine_is_emptied),
        CASE(trim_empties_the_cache),
        CASE(trim_gives_the_metadata_back),
        CASE(the_large_block_freed_last_is_taken_first),
        CASE(a_cached_large_block_is_not_live),
        CASE(a_recycled_large_block_is_zeroed),
        CASE(large_blocks_in_turn_ask_the_page_source_for_nothing),
        CASE(a_thread_keeps_2_mib_of_large_blocks_at_most),
        CASE(resting_large_blocks_are_given_up_and_others_are_not),
        CASE(a_buffer_that_grows_does_not_make_its_thread_keep_more),
        CASE(the_mapping_freed_last_serves_the_next_block_of_about_its_size),
        CASE(a_trim_and_a_long_rest_end_the_keeping_of_a_mapping),
        CASE(a_mapping_of_more_than_4_mib_is_not_kept_by_a_thread),
        CASE(a_large_block_is_resized_within_its_class_where_it_is),
        CASE(a_thread_that_ends_puts_everything_back),
        CASE(many_threads_one_after_the_other_leave_no_growth),
        CASE(a_thread_that_only_frees_has_no_cache),
        CASE(blocks_of_another_thread_are_freed),
        CASE(destructors_may_use_the_heap_after_the_cache_has_ended),
        CASE(the_cache_can_be_turned_off),
        CASE(a_heap_that_is_set_up_again_forgets_the_cache),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
