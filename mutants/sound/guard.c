/* SPDX-License-Identifier: MIT */
/*
 * A mapping for each block, which ends at a page without access, as debugging allocators have it.
 * With QUARANTINE=N the addresses of the last N freed blocks stay reserved, without memory.
 *
 *   │ … │ start, bytes │ block, aligned │ guard page │
 */
#include "sound.h"

#include <sys/mman.h>

struct note {
    void *start;
    size_t bytes; /* with the guard page */
};

static struct note *note_of(const void *block)
{
    return (struct note *)((uintptr_t)block - sizeof(struct note));
}

static uintptr_t guard_of(const void *block)
{
    const struct note *note = note_of(block);
    return (uintptr_t)note->start + note->bytes - PAGE;
}

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    size_t room;
    if (__builtin_add_overflow(size, sizeof(struct note) + alignment + PAGE, &room))
        return NULL;
    size_t bytes = round_up(room, PAGE);
    void *start = pages_map(bytes, PAGE);
    if (start == NULL)
        return NULL;
    uintptr_t guard = (uintptr_t)start + bytes - PAGE;
    if (mprotect((void *)guard, PAGE, PROT_NONE) != 0) {
        pages_unmap(start, bytes);
        return NULL;
    }
    void *block = (void *)((guard - size) & ~(alignment - 1));
    *note_of(block) = (struct note){start, bytes};
    *ret_clean_from = 0;
    return block;
}

#ifdef QUARANTINE
static struct note quarantine[QUARANTINE]; /* a ring */
static size_t oldest;

/* What the system does not take so goes back at once. */
static void discard(struct note freed)
{
    if (mmap(freed.start, freed.bytes, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
        pages_unmap(freed.start, freed.bytes);
        return;
    }
    struct note last = quarantine[oldest];
    quarantine[oldest] = freed;
    oldest = (oldest + 1) % QUARANTINE;
    if (last.bytes != 0)
        munmap(last.start, last.bytes);
}
#else
static void discard(struct note freed)
{
    pages_unmap(freed.start, freed.bytes);
}
#endif

void sound_give(void *block)
{
    discard(*note_of(block));
}

bool sound_resize(void *block, size_t size)
{
    size_t capacity = guard_of(block) - (uintptr_t)block;
    return size <= capacity && capacity - size < ALIGNMENT;
}

size_t sound_capacity(const void *block)
{
    return guard_of(block) - (uintptr_t)block;
}

const struct sound_rules sound_rules = {.zero_is_null = false};
