/* SPDX-License-Identifier: MIT */
/*
 * The names that make libanvil.so a drop-in: the malloc family of C, POSIX and glibc, served from
 * the default heap. Built into the shared object only, with everything else hidden; never into a
 * sanitizer's or fuzzer's binary, which need these names for themselves.
 *
 * C++: new and delete of one object and of arrays. The deletes that are told a size check it,
 * unless the program has a delete of its own, which may belong to a new that asks for more. The
 * other forms are left to the C++ library, whose defaults call these or malloc and free.
 */
#include "anvil.h"
#include "heap_set.h"
#include "malloc.h"
#include "text.h"

#include <dlfcn.h>
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

/* ---- C++: operator new and delete, of one object and of arrays, also with the size ---- */

EXPORT void *_Znwm(size_t size);
EXPORT void *_Znam(size_t size);
EXPORT void _ZdlPv(void *block);
EXPORT void _ZdaPv(void *block);
EXPORT void _ZdlPvm(void *block, size_t size);
EXPORT void _ZdaPvm(void *block, size_t size);

static const char name_of_delete[] = "operator delete",
                  name_of_delete_array[] = "operator delete[]";

extern void *own_new(size_t) __attribute__((alias("_Znwm"), visibility("hidden")));
extern void *own_new_array(size_t) __attribute__((alias("_Znam"), visibility("hidden")));
extern void own_delete(void *) __attribute__((alias("_ZdlPv"), visibility("hidden")));
extern void own_delete_array(void *) __attribute__((alias("_ZdaPv"), visibility("hidden")));

/* Is what the loader found under a name of ours the function here? */
static inline bool is_own_new(void *(*volatile found)(size_t), void *(*own)(size_t))
{
    return found == own;
}

static inline bool is_own(void (*volatile found)(void *), void (*own)(void *))
{
    return found == own;
}

/* The form, or REQUEST_PLAIN if the program replaces some of the four: their blocks may then go
 * from one to the other. */
static enum request_code form_if_own(enum request_code form)
{
    bool are_own = is_own_new(_Znwm, own_new) && is_own_new(_Znam, own_new_array) &&
                   is_own(_ZdlPv, own_delete) && is_own(_ZdaPv, own_delete_array);
    return are_own ? form : REQUEST_PLAIN;
}

/* The C++ library's own new calls malloc as well; it also knows the program's handler, and how to
 * throw. */
static COLD void *new_slow(size_t size, enum request_code form, const char *name)
{
    void *block = malloc_new(size, form);
    if (LIKELY(block != NULL))
        return block;
    void *(*next)(size_t) = (void *(*)(size_t))dlsym(RTLD_NEXT, name);
    return next == NULL ? NULL : next(size);
}

/* For no bytes as well a block that may be read, which not every program knows to leave alone. */
static inline void *new_straight(size_t size, enum request_code form, const char *name)
{
    size += size == 0;
    if (UNLIKELY(size > SIZE_CLASS_BYTES_MAX))
        return new_slow(size, form, name);
    const struct slab_entry *entry = cache_pop_live(size, slab_tag_live(size, REQUEST_PLAIN));
    return LIKELY(entry != NULL) ? entry->block : new_slow(size, form, name);
}

void *_Znwm(size_t size)
{
    return new_straight(size, REQUEST_NEW, "_Znwm");
}

/* A program that replaces new and delete alone means arrays, too. */
void *_Znam(size_t size)
{
    return LIKELY(is_own_new(_Znwm, own_new)) ? new_straight(size, REQUEST_NEW_ARRAY, "_Znam")
                                              : _Znwm(size);
}

void _ZdlPv(void *block)
{
    if (UNLIKELY(!free_at_once(block)))
        malloc_delete(block, form_if_own(REQUEST_NEW), name_of_delete);
}

void _ZdaPv(void *block)
{
    if (UNLIKELY(!is_own(_ZdlPv, own_delete)))
        _ZdlPv(block);
    else if (UNLIKELY(!free_at_once(block)))
        malloc_delete(block, form_if_own(REQUEST_NEW_ARRAY), name_of_delete_array);
}

void _ZdlPvm(void *block, size_t size)
{
    if (UNLIKELY(!is_own(_ZdlPv, own_delete)))
        _ZdlPv(block);
    else if (UNLIKELY(!free_sized_at_once(block, size)))
        malloc_delete_sized(block, size, form_if_own(REQUEST_NEW), name_of_delete);
}

void _ZdaPvm(void *block, size_t size)
{
    if (UNLIKELY(!is_own(_ZdaPv, own_delete_array) || !is_own(_ZdlPv, own_delete)))
        _ZdaPv(block);
    else if (UNLIKELY(!free_sized_at_once(block, size)))
        malloc_delete_sized(block, size, form_if_own(REQUEST_NEW_ARRAY), name_of_delete_array);
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
