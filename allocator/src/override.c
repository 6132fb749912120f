/* SPDX-License-Identifier: MIT */
/*
 * The names that make libanvil.so a drop-in: the malloc family of C, POSIX and glibc, served from
 * the default heap. Built into the shared object only, with everything else hidden; never into a
 * sanitizer's or fuzzer's binary, which need these names for themselves.
 *
 * C++: operator new is left to libstdc++, whose default form calls malloc, and knows how to throw.
 * The deletes that are told a size check it, unless the program has a delete of its own, which may
 * belong to a new that asks for more.
 */
#include "anvil.h"
#include "heap_set.h"
#include "malloc.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* <malloc.h>'s, declared here because not every C library has that header. */
struct mallinfo_int {
    int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
enum mallopt_parameter {
    MALLOPT_TRIM_THRESHOLD = -1,
    MALLOPT_MMAP_THRESHOLD = -3,
    MALLOPT_MMAP_MAX = -4,
    MALLOPT_MXFAST = 1
};
enum { MXFAST_MAX = 80 * sizeof(size_t) / 4 };
_Static_assert(sizeof(struct anvil_mallinfo2) == 10 * sizeof(size_t),
               "the layout of glibc's struct mallinfo2");

EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t count, size_t size);
EXPORT void *realloc(void *block, size_t size);
EXPORT void *reallocarray(void *block, size_t count, size_t size);
EXPORT void free(void *block);
EXPORT void cfree(void *block);
EXPORT void free_sized(void *block, size_t size);
EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size);
EXPORT void *aligned_alloc(size_t alignment, size_t size);
EXPORT void *memalign(size_t alignment, size_t size);
EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t size);
EXPORT void *valloc(size_t size);
EXPORT void *pvalloc(size_t size);
EXPORT size_t malloc_usable_size(void *block);
EXPORT int malloc_trim(size_t keep);
EXPORT COLD struct anvil_mallinfo2 mallinfo2(void);
EXPORT COLD struct mallinfo_int mallinfo(void);
EXPORT COLD void malloc_stats(void);
EXPORT COLD int malloc_info(int options, FILE *stream);
EXPORT COLD int mallopt(int parameter, int value);

void *malloc(size_t size)
{
    return malloc_straight(size);
}

void *calloc(size_t count, size_t size)
{
    return anvil_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    return anvil_realloc(block, size);
}

void *reallocarray(void *block, size_t count, size_t size)
{
    return anvil_reallocarray(block, count, size);
}

void free(void *block)
{
    free_straight(block);
}

void cfree(void *block)
{
    anvil_free(block);
}

void free_sized(void *block, size_t size)
{
    anvil_free_sized(block, size);
}

void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    anvil_free_aligned_sized(block, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return anvil_aligned_alloc(alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
    return anvil_memalign(alignment, size);
}

int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    return anvil_posix_memalign(ret_block, alignment, size);
}

void *valloc(size_t size)
{
    return anvil_valloc(size);
}

void *pvalloc(size_t size)
{
    return anvil_pvalloc(size);
}

size_t malloc_usable_size(void *block)
{
    return anvil_malloc_usable_size(block);
}

int malloc_trim(size_t keep)
{
    return anvil_malloc_trim(keep);
}

struct anvil_mallinfo2 mallinfo2(void)
{
    return anvil_mallinfo2();
}

/* ---- C++: operator delete and delete[], and both with the size ---- */

EXPORT void _ZdlPv(void *block);
EXPORT void _ZdaPv(void *block);
EXPORT void _ZdlPvm(void *block, size_t size);
EXPORT void _ZdaPvm(void *block, size_t size);

extern void own_delete(void *) __attribute__((alias("_ZdlPv"), visibility("hidden")));
extern void own_delete_array(void *) __attribute__((alias("_ZdaPv"), visibility("hidden")));

/* Is what the loader found under a name of ours the function here? */
static inline bool is_own(void (*volatile found)(void *), void (*own)(void *))
{
    return found == own;
}

void _ZdlPv(void *block)
{
    free_straight(block);
}

/* A program that replaces new and delete alone means arrays, too. */
void _ZdaPv(void *block)
{
    if (LIKELY(is_own(_ZdlPv, own_delete)))
        free_straight(block);
    else
        _ZdlPv(block);
}

void _ZdlPvm(void *block, size_t size)
{
    if (LIKELY(is_own(_ZdlPv, own_delete)))
        malloc_delete_sized(block, size, "operator delete");
    else
        _ZdlPv(block);
}

void _ZdaPvm(void *block, size_t size)
{
    if (LIKELY(is_own(_ZdaPv, own_delete_array) && is_own(_ZdlPv, own_delete)))
        malloc_delete_sized(block, size, "operator delete[]");
    else
        _ZdaPv(block);
}

/* glibc's second names of the same functions, for programs that wrap malloc and call through to
 * these: what they take from here they free above. */
#define NAME_TEXT(name) #name /* of what a macro makes of it, too */
#define SECOND_NAME(second, name) \
    EXPORT extern __typeof(name) second __attribute__((alias(NAME_TEXT(name)), nothrow))
SECOND_NAME(__libc_malloc, malloc);
SECOND_NAME(__libc_calloc, calloc);
SECOND_NAME(__libc_realloc, realloc);
SECOND_NAME(__libc_free, free);
SECOND_NAME(__libc_memalign, memalign);
SECOND_NAME(__libc_valloc, valloc);
SECOND_NAME(__libc_pvalloc, pvalloc);
SECOND_NAME(__posix_memalign, posix_memalign);

static int int_saturated(size_t value)
{
    return value > INT32_MAX ? INT32_MAX : (int)value;
}

struct mallinfo_int mallinfo(void)
{
    struct anvil_mallinfo2 info = anvil_mallinfo2();
    return (struct mallinfo_int){.arena = int_saturated(info.arena),
                                 .ordblks = int_saturated(info.ordblks),
                                 .smblks = int_saturated(info.smblks),
                                 .hblks = int_saturated(info.hblks),
                                 .hblkhd = int_saturated(info.hblkhd),
                                 .fsmblks = int_saturated(info.fsmblks),
                                 .uordblks = int_saturated(info.uordblks),
                                 .fordblks = int_saturated(info.fordblks),
                                 .keepcost = int_saturated(info.keepcost)};
}

void malloc_stats(void)
{
    char buffer[400];
    struct text text = text_start(buffer, sizeof buffer);
    struct anvil_stats stats;
    int saved = errno;
    anvil_heap_stats(NULL, &stats);
    text_add(&text, "anvil: %zu live blocks, %zu bytes asked for, %zu bytes capacity\n",
             stats.live_blocks, stats.live_size, stats.live_capacity);
    text_add(&text,
             "anvil: %zu bytes mapped, %zu at most; %zu bytes free, %zu free extents; %zu requests "
             "to the page source\n",
             stats.mapped, stats.mapped_peak, stats.free_bytes, stats.free_extents, stats.os_calls);
    text_write(&text, STDERR_FILENO);
    errno = saved;
}

int malloc_info(int options, FILE *stream)
{
    struct anvil_mallinfo2 info = anvil_mallinfo2();
    if (options != 0)
        return EINVAL;
    fprintf(stream, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</sizes>\n");
    fprintf(stream, "<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n",
            info.ordblks + info.smblks, info.fordblks);
    fprintf(stream, "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n", info.hblks, info.hblkhd);
    fprintf(stream, "<system type=\"current\" size=\"%zu\"/>\n</heap>\n</malloc>\n",
            info.arena + info.hblkhd);
    return 0;
}

static int set_mmap_threshold(size_t threshold)
{
    heap_set_mmap_threshold(heap_default(), threshold);
    (void)cache_flush(); /* it may have blocks that are too large now */
    return 1;
}

static int set_trim_threshold(size_t threshold)
{
    struct anvil_heap *heap = heap_default();
    sync_lock_acquire(&heap->lock);
    heap->options.trim_threshold = threshold;
    heap->extents.trim_pages = threshold >> PAGE_SHIFT;
    sync_lock_release(&heap->lock);
    return 1;
}

/* As in glibc, a parameter that means nothing here is accepted and has no effect. */
int mallopt(int parameter, int value)
{
    switch (parameter) {
    case MALLOPT_MMAP_THRESHOLD:
        return value < 0 ? 0 : set_mmap_threshold((size_t)value);
    case MALLOPT_MMAP_MAX:
        return value == 0 ? set_mmap_threshold(SIZE_MAX) : 1;
    case MALLOPT_TRIM_THRESHOLD:
        return set_trim_threshold(value < 0 ? SIZE_LIMIT : (size_t)value);
    case MALLOPT_MXFAST:
        return value >= 0 && value <= (int)MXFAST_MAX;
    default:
        return 1;
    }
}
