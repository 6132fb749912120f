/* SPDX-License-Identifier: MIT */
/* Mappings of any alignment. A range that the system does not take back is emptied, kept in a list
 * that lies in the ranges themselves, and offered to it again before more is asked for. See
 * sound.h. */
#include "sound.h"

#include <pthread.h>
#include <sys/mman.h>

struct kept {
    size_t bytes;
    struct kept *next;
};
static struct kept *first_kept;
static pthread_mutex_t kept_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void keep(void *start, size_t bytes)
{
    madvise(start, bytes, MADV_DONTNEED);
    struct kept *range = start;
    range->bytes = bytes;
    pthread_mutex_lock(&kept_lock);
    range->next = first_kept;
    first_kept = range;
    pthread_mutex_unlock(&kept_lock);
}

void pages_unmap(void *start, size_t bytes)
{
    if (bytes != 0 && munmap(start, bytes) != 0)
        keep(start, bytes);
}

static struct kept *take_kept(void)
{
    pthread_mutex_lock(&kept_lock);
    struct kept *range = first_kept;
    if (range != NULL)
        first_kept = range->next;
    pthread_mutex_unlock(&kept_lock);
    return range;
}

/* All of them, until one is refused again: several may be kept from one call to the next. */
static void offer_again(void)
{
    for (struct kept *range = take_kept(); range != NULL; range = take_kept()) {
        size_t bytes = range->bytes;
        if (munmap(range, bytes) == 0)
            continue;
        keep(range, bytes);
        return;
    }
}

/* │ given back │ aligned: bytes │ given back │ */
void *pages_map(size_t bytes, size_t alignment)
{
    size_t slack = alignment > PAGE ? alignment - PAGE : 0, length;
    offer_again();
    if (__builtin_add_overflow(bytes, slack, &length) || length > PTRDIFF_MAX)
        return NULL;
    void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    uintptr_t start = round_up((uintptr_t)memory, alignment);
    pages_unmap(memory, start - (uintptr_t)memory);
    pages_unmap((void *)(start + bytes), (uintptr_t)memory + length - start - bytes);
    return (void *)start;
}

void pages_lock(void)
{
    pthread_mutex_lock(&kept_lock);
}

void pages_unlock(void)
{
    pthread_mutex_unlock(&kept_lock);
}

void pages_reset(void)
{
    kept_lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
}
