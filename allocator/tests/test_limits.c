/* SPDX-License-Identifier: MIT */
/*
 * Refusals that a heap meets when the system itself makes them, or in the first moments of a
 * process: in children, because limits and the map of all pages cannot be undone.
 */
#include "support.h"

#include "cache.h"
#include "harden.h"
#include "heap_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 2000, REQUESTS_MAX = 400 };

static void run_in_child(void (*act)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void require(bool holds)
{
    if (!holds)
        _exit(1);
}

static void require_whole(anvil_heap *heap)
{
    char error[200];
    require(anvil_heap_check(heap, error, sizeof error) == 0);
}

/* From now on no private page becomes writable. */
static void forbid_data(void)
{
    require(setrlimit(RLIMIT_DATA, &(struct rlimit){0, 0}) == 0);
}

/* ---- RLIMIT_DATA ---- */

static void take_without_data(void)
{
    anvil_heap *heaps[2], *none = NULL;
    struct anvil_options options = {.source = ANVIL_SOURCE_MMAP};
    require(anvil_heap_create(&heaps[0], &options) == 0);
    options.source = ANVIL_SOURCE_SBRK;
    require(anvil_heap_create(&heaps[1], &options) == 0);
    forbid_data();
    for (unsigned i = 0; i < 2; i++) {
        errno = 0;
        require(anvil_heap_malloc(heaps[i], 100) == NULL && errno == ENOMEM);
        require(anvil_heap_malloc(heaps[i], 4 << 20) == NULL);
        require_whole(heaps[i]);
        anvil_heap_destroy(heaps[i]);
    }
    require(anvil_heap_create(&none, &options) == ENOMEM && none == NULL);
}

static void a_heap_without_any_memory_fails_cleanly(void **state)
{
    (void)state;
    run_in_child(take_without_data);
}

/* The slabs of blocks of no bytes are inaccessible, and stay so. */
static void free_without_data(void)
{
    static void *blocks[BLOCKS];
    anvil_heap *heap;
    require(anvil_heap_create(&heap, NULL) == 0);
    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = anvil_heap_malloc(heap, 0);
    forbid_data();
    for (unsigned i = 0; i < BLOCKS; i++)
        anvil_heap_free(heap, blocks[i]);
    (void)anvil_heap_malloc_trim(heap, 0);
    require_whole(heap);
    void *block = anvil_heap_malloc(heap, 0);
    require(block == NULL || anvil_heap_malloc_usable_size(heap, block) == 0);
    anvil_heap_destroy(heap);
}

static void slabs_that_stay_inaccessible_are_lost_and_nothing_else(void **state)
{
    (void)state;
    run_in_child(free_without_data);
}

/* Small blocks until nothing is left; all of them must be there again after they were freed. */
static unsigned take_all(void **blocks, unsigned max)
{
    unsigned count = 0;
    while (count < max && (blocks[count] = anvil_malloc(1000)) != NULL)
        count++;
    return count;
}

static void use_up_default_without_data(void)
{
    enum { MAX = 100000 };
    static void *blocks[MAX];
    for (unsigned i = 0; i < 100; i++) /* so that the thread has a cache */
        anvil_free(anvil_malloc(1000));
    void *other = anvil_malloc(3000);
    forbid_data();
    unsigned count = take_all(blocks, MAX);
    errno = 0;
    require(count > 0 && count < MAX && anvil_malloc(1000) == NULL && errno == ENOMEM);
    anvil_free(other); /* cached, until another class needs the memory */
    (void)anvil_malloc(500);
    require(anvil_calloc(1, 8000) == NULL && anvil_malloc(50000) == NULL);
    require_whole(NULL);
    for (unsigned i = 0; i < count; i++)
        anvil_free(blocks[i]);
    require(take_all(blocks, MAX) + 100 >= count);
    require_whole(NULL);
}

static void the_default_heap_runs_out_and_recovers(void **state)
{
    (void)state;
    run_in_child(use_up_default_without_data);
}

/* ---- no room for a descriptor ---- */

/* No descriptor from now on. */
static void forbid_metadata(struct anvil_heap *heap)
{
    heap->meta.next = heap->meta.end;
    memset(heap->meta.spare, 0, sizeof heap->meta.spare);
    forbid_data();
}

static void shrink_without_metadata(void)
{
    struct heap_block found;
    anvil_heap *heap;
    require(anvil_heap_create(&heap, NULL) == 0);
    char *block = anvil_heap_malloc(heap, 400000);
    require(heap_find(heap, block, &found));
    forbid_metadata(heap);
    require(!extent_shrink(&heap->extents, found.extent, 20));
    require(found.extent->pages == pages_for_size(400000));
    require(!extent_grow(&heap->extents, found.extent, 100000));
    require(anvil_heap_realloc(heap, block, 100000) == block);
    require(anvil_heap_realloc(heap, block, 100) == block);
    require_whole(heap);
    anvil_heap_destroy(heap);
}

static void a_block_shrinks_where_it_is_without_a_descriptor_for_its_tail(void **state)
{
    (void)state;
    run_in_child(shrink_without_metadata);
}

static void grow_magazine_without_metadata(void)
{
    enum { COUNT = 60 };
    static void *blocks[COUNT];
    heap_default_reset();
    for (unsigned i = 0; i < 20; i++) /* so that the thread has a cache, and the class a slab */
        anvil_free(anvil_malloc(48));
    forbid_metadata(heap_default());
    for (unsigned i = 0; i < COUNT; i++)
        require((blocks[i] = anvil_malloc(48)) != NULL);
    for (unsigned i = 0; i < COUNT; i++)
        anvil_free(blocks[i]);
    require_whole(NULL);
}

static void a_magazine_without_room_for_more_entries_still_serves(void **state)
{
    (void)state;
    run_in_child(grow_magazine_without_metadata);
}

/* ---- the map of all pages ---- */

/* The next mappings lie where the map has no leaf yet, unless there is no room. */
static void leave_the_leaf(void)
{
    void *place =
        mmap(NULL, (size_t)5 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(place != MAP_FAILED);
}

static void take_with_refusals(void)
{
    for (unsigned nth = 1; nth < 12; nth++) {
        anvil_heap *heap;
        require(anvil_heap_create(&heap, NULL) == 0);
        leave_the_leaf();
        anvil_heap_fail_os_call(heap, nth);
        void *large = anvil_heap_malloc(heap, (size_t)1 << 30); /* no gap takes so much */
        anvil_heap_fail_os_call(heap, 0);
        leave_the_leaf();
        anvil_heap_fail_os_call(heap, nth);
        void *small = anvil_heap_malloc(heap, 100);
        require_whole(heap);
        anvil_heap_free(heap, large);
        anvil_heap_free(heap, small);
        anvil_heap_destroy(heap);
    }
}

static void a_heap_survives_that_the_map_of_its_pages_is_refused(void **state)
{
    (void)state;
    run_in_child(take_with_refusals);
}

static void an_arena_beyond_the_map_is_refused(void **state)
{
    (void)state;
    anvil_heap *heap = NULL;
    struct anvil_options options = {.source = ANVIL_SOURCE_ARENA,
                                    .arena = (void *)((uintptr_t)1 << PAGEMAP_ADDRESS_BITS),
                                    .arena_size = 16 * PAGE_BYTES};
    assert_int_equal(anvil_heap_create(&heap, &options), ENOMEM);
    assert_null(heap);
}

/* ---- the default heap, from its first request on ---- */

static void fill_and_free(unsigned rounds)
{
    static void *blocks[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = anvil_malloc(i % 7 == 0 ? i * 40 : i % 300);
    for (unsigned i = 0; i < BLOCKS; i++)
        if (i % 2 == 0)
            blocks[i] = anvil_realloc(blocks[i], 1 + i % 5000);
    for (unsigned i = 0; i < BLOCKS; i++)
        anvil_free(blocks[i]);
    (void)anvil_malloc_trim(0);
    if (rounds > 1)
        fill_and_free(rounds - 1);
}

static void use_default_with_refusals(void)
{
    unsigned nth = 1, refused = 1;
    for (; nth < REQUESTS_MAX && refused; nth++) {
        heap_default_reset();
        anvil_heap_fail_os_call(NULL, nth);
        fill_and_free(2);
        refused = heap_default()->pages.refuse_in == 0;
        require_whole(NULL);
    }
    require(nth > 20 && nth < REQUESTS_MAX);
}

static void the_default_heap_survives_each_refused_request(void **state)
{
    (void)state;
    run_in_child(use_default_with_refusals);
}

/* ---- a block that two threads free at once: the second finds it in its slab ---- */

struct race {
    anvil_heap *heap;
    char *block;
};

static void free_and_lose(void *context)
{
    struct race *race = context;
    struct heap_block found;
    struct anvil_heap *heap = race->heap == NULL ? heap_default() : race->heap;
    (void)heap_find(heap, race->block, &found);
    anvil_heap_free(race->heap, race->block);
    sync_tag_write(found.tag, SLAB_TAG_FREE | SLAB_NO_BLOCK); /* what the other thread did */
    (void)anvil_heap_malloc_trim(race->heap, 0);
}

static void a_block_that_was_put_back_twice_is_a_double_free(void **state)
{
    (void)state;
    struct anvil_options options = {.quarantine = 1 << 20};
    struct race cached = {NULL, anvil_malloc(48)}, waiting = {NULL, NULL};
    for (unsigned i = 0; i < 100; i++) /* so that the thread has a cache */
        anvil_free(anvil_malloc(48));
    support_expect_panic(free_and_lose, &cached, "free", "double free of a block of 48 bytes");
    anvil_free(cached.block);
    assert_int_equal(anvil_heap_create(&waiting.heap, &options), 0);
    waiting.block = anvil_heap_malloc(waiting.heap, 48);
    support_expect_panic(free_and_lose, &waiting, "free", "double free of a block of 48 bytes");
    anvil_heap_destroy(waiting.heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heap_without_any_memory_fails_cleanly),
        cmocka_unit_test(slabs_that_stay_inaccessible_are_lost_and_nothing_else),
        cmocka_unit_test(the_default_heap_runs_out_and_recovers),
        cmocka_unit_test(a_block_shrinks_where_it_is_without_a_descriptor_for_its_tail),
        cmocka_unit_test(a_magazine_without_room_for_more_entries_still_serves),
        cmocka_unit_test(a_heap_survives_that_the_map_of_its_pages_is_refused),
        cmocka_unit_test(an_arena_beyond_the_map_is_refused),
        cmocka_unit_test(the_default_heap_survives_each_refused_request),
        cmocka_unit_test(a_block_that_was_put_back_twice_is_a_double_free),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
