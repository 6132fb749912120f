/* SPDX-License-Identifier: MIT */
/*
 * What the nasty subjects share: a bump allocator over a static arena, correct but for never giving
 * back. Each nasty_<name>.c is a subject of its own that misbehaves in one way; binding_test.c says
 * what the harness must make of it.
 *
 *   │ 16 bytes: size │ block │ 16 bytes: size │ block │ … free →
 */
#ifndef PLANTED_NASTY_H
#define PLANTED_NASTY_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { NASTY_ARENA = 1 << 24, NASTY_HEADER = 16 };

/* In code that no constructor and no probe runs, a nasty malloc behaves: it strikes at a size that
 * only the test's trace asks for. */
enum { NASTY_SIZE = 12345 };

static inline void *nasty_take(size_t size)
{
    static _Alignas(NASTY_HEADER) uint8_t arena[NASTY_ARENA];
    static size_t used;
    if (size > NASTY_ARENA ||
        (size + 2 * NASTY_HEADER - 1) / NASTY_HEADER * NASTY_HEADER > NASTY_ARENA - used) {
        errno = ENOMEM;
        return NULL;
    }
    uint8_t *header = arena + used;
    used += (size + 2 * NASTY_HEADER - 1) / NASTY_HEADER * NASTY_HEADER;
    *(size_t *)(void *)header = size;
    return header + NASTY_HEADER;
}

void free(void *block)
{
    (void)block;
}

#endif
