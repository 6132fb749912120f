/* SPDX-License-Identifier: MIT */
/* Reserves 64 GiB of addresses at the first call, and makes them accessible as the heap grows. */
#include "sound.h"

#include <sys/mman.h>

#define RESERVATION ((size_t)64 << 30)

static bool commit(uintptr_t from, uintptr_t to)
{
    return mprotect((void *)from, to - from, PROT_READ | PROT_WRITE) == 0;
}

static bool decommit(uintptr_t from, uintptr_t to)
{
    return madvise((void *)from, to - from, MADV_DONTNEED) == 0 &&
           mprotect((void *)from, to - from, PROT_NONE) == 0;
}

static struct chunks chunks = {.commit = commit, .decommit = decommit, .looks = 16};

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    if (chunks.base == 0) {
        void *memory =
            mmap(NULL, RESERVATION, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED)
            return NULL;
        chunks.base = (uintptr_t)memory;
        chunks.end = chunks.base + RESERVATION;
    }
    return chunks_take(&chunks, size, alignment, ret_clean_from);
}

void sound_give(void *block)
{
    chunks_give(&chunks, block);
}

bool sound_resize(void *block, size_t size)
{
    return chunks_resize(&chunks, block, size);
}

size_t sound_capacity(const void *block)
{
    return chunks_capacity(block);
}

const struct sound_rules sound_rules = {.realloc_frees = true};
