/* SPDX-License-Identifier: MIT */
/*
 * Page source over mmap: growths and mappings are the same thing, and any run of pages can be given
 * back.
 *
 * munmap may fail: cutting a hole into a mapping makes two of one, and the kernel limits their
 * number. madvise fails on locked memory. Callers must live with both, so the errors are passed on,
 * as ENOMEM whatever the kernel said.
 */
#include "pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>

int os_map(size_t length, char **ret_start)
{
    void *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return ENOMEM;
    *ret_start = start;
    return 0;
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

static int mmap_release(struct pages *pages, char *start, size_t length, size_t dirty)
{
    (void)pages, (void)dirty;
    return os_unmap(start, length);
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
    .grow = mmap_map,
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
