/* SPDX-License-Identifier: MIT */
/*
 * The static subject: anvil under its own prefix, as a heap object, or, as "anvil:default", the
 * default heap with its threads' caches, which every program has that links anvil. The only file of
 * the harness that knows anvil.
 */
#include "harness/subject/subject.h"

#include "anvil.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Up to here a reset clears an arena by memset: cheaper than the page faults after a discard. */
#define ARENA_CLEARED_BY_HAND ((size_t)16 << 20)

static struct {
    void *start;
    size_t size;
} last_arena;
static anvil_heap *heap; /* NULL: the default heap, whose straight paths are those of no other */

static void *bound_malloc(size_t size)
{
    return heap == NULL ? anvil_malloc(size) : anvil_heap_malloc(heap, size);
}
static void bound_free(void *block)
{
    if (heap == NULL)
        anvil_free(block);
    else
        anvil_heap_free(heap, block);
}
static void *bound_calloc(size_t count, size_t size)
{
    return anvil_heap_calloc(heap, count, size);
}
static void *bound_realloc(void *block, size_t size)
{
    return heap == NULL ? anvil_realloc(block, size) : anvil_heap_realloc(heap, block, size);
}
static void *bound_reallocarray(void *block, size_t count, size_t size)
{
    return anvil_heap_reallocarray(heap, block, count, size);
}
static void *bound_aligned_alloc(size_t alignment, size_t size)
{
    return anvil_heap_aligned_alloc(heap, alignment, size);
}
static int bound_posix_memalign(void **block, size_t alignment, size_t size)
{
    return anvil_heap_posix_memalign(heap, block, alignment, size);
}
static void *bound_memalign(size_t alignment, size_t size)
{
    return anvil_heap_memalign(heap, alignment, size);
}
static void *bound_valloc(size_t size)
{
    return anvil_heap_valloc(heap, size);
}
static void *bound_pvalloc(size_t size)
{
    return anvil_heap_pvalloc(heap, size);
}
static void bound_free_sized(void *block, size_t size)
{
    anvil_heap_free_sized(heap, block, size);
}
static void bound_free_aligned_sized(void *block, size_t alignment, size_t size)
{
    anvil_heap_free_aligned_sized(heap, block, alignment, size);
}
static size_t bound_malloc_usable_size(void *block)
{
    return anvil_heap_malloc_usable_size(heap, block);
}
static int bound_malloc_trim(size_t keep)
{
    return anvil_heap_malloc_trim(heap, keep);
}

static void bound_reset(void)
{
    anvil_heap_reset(heap);
}
static int bound_check(char *sentence, size_t capacity)
{
    return anvil_heap_check(heap, sentence, capacity);
}
static void bound_fail_os(unsigned nth)
{
    anvil_heap_fail_os_call(heap, nth);
}

static size_t bound_footprint(void)
{
    struct anvil_stats stats;
    anvil_heap_stats(heap, &stats);
    return stats.mapped;
}

/* Of the heap before this one, if it had as large an arena: destroying it has cleared the arena. */
static void *used_arena(size_t size)
{
    return last_arena.size == size ? last_arena.start : MAP_FAILED;
}

static int map_arena(struct anvil_options *options, size_t size)
{
    options->source = ANVIL_SOURCE_ARENA;
    options->arena_size = size;
    options->unlocked = true; /* a lock costs most where another thread of the engine's stands by */
    options->arena_discard = size > ARENA_CLEARED_BY_HAND;
    options->arena = used_arena(size);
    if (options->arena == MAP_FAILED)
        options->arena = mmap(NULL, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (options->arena == MAP_FAILED)
        return ENOMEM;
    last_arena.start = options->arena;
    last_arena.size = size;
    return 0;
}

static int make_heap(const char *options_text, size_t arena_size, char *reason, size_t reason_size)
{
    struct anvil_options options = {0};
    anvil_heap_destroy(heap);
    heap = NULL;
    if (strcmp(options_text, SUBJECT_ANVIL_DEFAULT) == 0) {
        anvil_heap_reset(NULL);
        return 0;
    }
    int result = anvil_options_parse(options_text, &options, reason, reason_size);
    if (result == 0 && arena_size != 0)
        result = map_arena(&options, arena_size);
    return result == 0 ? anvil_heap_create(&heap, &options) : result;
}

int subject_bind_anvil(struct subject *ret_subject, const char *options_text, size_t arena_size,
                       char error[SUBJECT_ERROR_MAX])
{
    char reason[SUBJECT_ERROR_MAX / 2] = "";
    int result = make_heap(options_text, arena_size, reason, sizeof reason);
    if (result != 0) {
        snprintf(error, SUBJECT_ERROR_MAX, "could not bind anvil: %s",
                 reason[0] != 0 ? reason : strerror(result));
        return result;
    }
    *ret_subject = (struct subject){.name = "anvil",
                                    .calls =
                                        {
#define CALL(name, result, parameters) .name = bound_##name,
                                            SUBJECT_CALLS(CALL)
#undef CALL
                                        },
                                    .reset = bound_reset,
                                    .check = bound_check,
                                    .footprint = bound_footprint,
                                    .fail_os = bound_fail_os};
    return 0;
}
