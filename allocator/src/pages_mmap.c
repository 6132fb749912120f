/* SPDX-License-Identifier: MIT */
/*
 * Page source over mmap: growths and mappings are the same thing, and any run of pages can be given
 * back.
 *
 * Growths ask for the place above the last one, and the first of them for one far below what the
 * system maps. Then all memory that was used before lies below all that was not, as on the break,
 * and first fit, which takes the lowest, touches no fresh page while a used one is free. It is a
 * wish: where that place is taken, the system chooses.
 *
 * munmap may fail: cutting a hole into a mapping makes two of one, and the kernel limits their
 * number. madvise fails on locked memory. Callers must live with both, so the errors are passed on,
 * as ENOMEM whatever the kernel said.
 */
#include "pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>

/* Between the first growth and what the system maps: room for the growths after it. */
#define ROOM_ABOVE ((size_t)1 << 30)

int os_map_near(char *wish, size_t length, char **ret_start)
{
    void *start = mmap(wish, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return ENOMEM;
    *ret_start = start;
    return 0;
}

int os_map(size_t length, char **ret_start)
{
    return os_map_near(NULL, length, ret_start);
}

int os_unmap(char *start, size_t length)
{
    return munmap(start, length) == 0 ? 0 : ENOMEM;
}

/* On either side a quarter of what is guarded: the map of all pages is far from every block. */
static size_t guard_length(size_t length)
{
    return size_round_up(length / 4, PAGE_BYTES) + PAGE_BYTES;
}

int os_map_guarded(size_t length, char **ret_start)
{
    size_t guard = guard_length(length), whole = length + 2 * guard;
    char *start = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return ENOMEM;
    if (mprotect(start + guard, length, PROT_READ | PROT_WRITE) != 0) {
        (void)munmap(start, whole);
        return ENOMEM;
    }
    *ret_start = start + guard;
    return 0;
}

int os_unmap_guarded(char *start, size_t length)
{
    size_t guard = guard_length(length);
    return os_unmap(start - guard, length + 2 * guard);
}

/* MADV_DONTNEED and not MADV_FREE: the memory leaves the process now, and reads as zero at once. */
int os_discard(char *start, size_t length)
{
    return madvise(start, length, MADV_DONTNEED) == 0 ? 0 : ENOMEM;
}

size_t os_count_resident(char *start, size_t pages)
{
    unsigned char is_resident[OS_COUNTED_PAGES_MAX];
    size_t count = 0;
    ASSERT(pages <= OS_COUNTED_PAGES_MAX);
    if (mincore(start, pages << PAGE_SHIFT, is_resident) != 0)
        return pages;
    for (size_t i = 0; i < pages; i++)
        count += is_resident[i] & 1;
    return count;
}

int os_protect(char *start, size_t length, bool is_accessible)
{
    int access = is_accessible ? PROT_READ | PROT_WRITE : PROT_NONE;
    return mprotect(start, length, access) == 0 ? 0 : ENOMEM;
}

uint64_t os_seconds(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec;
}

int os_resize(char *start, size_t old_length, size_t new_length)
{
    return mremap(start, old_length, new_length, 0) == MAP_FAILED ? ENOMEM : 0;
}

int os_move(char *start, size_t old_length, char *target, size_t new_length)
{
    return mremap(start, old_length, new_length, MREMAP_MAYMOVE | MREMAP_FIXED, target) ==
                   MAP_FAILED
               ? ENOMEM
               : 0;
}

static int mmap_map(struct pages *pages, size_t length, char **ret_start)
{
    (void)pages;
    return os_map(length, ret_start);
}

/* Right above the last growth, or, at first, far below what the system maps. */
static char *wanted_place(const struct pages *pages)
{
    if (pages->top != NULL)
        return pages->top;
    return (uintptr_t)pages->apart > ROOM_ABOVE ? pages->apart - ROOM_ABOVE : NULL;
}

static int mmap_grow(struct pages *pages, size_t length, char **ret_start)
{
    int error = os_map_near(wanted_place(pages), length, ret_start);
    if (error == 0)
        pages->top = *ret_start + length;
    return error;
}

static int mmap_release(struct pages *pages, char *start, size_t length, size_t dirty)
{
    (void)dirty;
    int error = os_unmap(start, length);
    if (error == 0 && start + length == pages->top)
        pages->top = start;
    return error;
}

static int mmap_purge(struct pages *pages, char *start, size_t length)
{
    (void)pages;
    return os_discard(start, length);
}

static int mmap_resize(struct pages *pages, char *start, size_t old_length, size_t new_length)
{
    (void)pages;
    return os_resize(start, old_length, new_length);
}

static int mmap_move(struct pages *pages, char *start, size_t old_length, char *target,
                     size_t new_length)
{
    (void)pages;
    return os_move(start, old_length, target, new_length);
}

static const struct pages_ops mmap_ops = {
    .grow = mmap_grow,
    .map = mmap_map,
    .release = mmap_release,
    .purge = mmap_purge,
    .resize = mmap_resize,
    .move = mmap_move,
    .is_contiguous = false,
    .has_mappings = true,
    .is_system = true,
};

void pages_init_mmap(struct pages *pages)
{
    *pages = (struct pages){.ops = &mmap_ops};
}
