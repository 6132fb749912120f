/* SPDX-License-Identifier: MIT */
/*
 * What the hostile subjects share: a bump allocator over a static arena, correct, but it reuses
 * only what was taken last. Each <name>.c is a subject of its own that misbehaves in one way;
 * binding_test.c says what the harness must make of it.
 *
 *   │ 16 bytes: size │ block │ 16 bytes: size │ block │ … free →
 */
#ifndef MUTANTS_HOSTILE_H
#define MUTANTS_HOSTILE_H

#include "mutants/registry.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { HOSTILE_ARENA = 1 << 24, HOSTILE_HEADER = 16 };

/* In code that no constructor and no probe runs, a hostile malloc behaves: it strikes at a size
 * that only the test's trace asks for. */
enum { HOSTILE_SIZE = MUTANT_HOSTILE_SIZE };

static _Alignas(HOSTILE_HEADER) uint8_t arena[HOSTILE_ARENA];
static size_t arena_used;

static inline void *hostile_take(size_t size)
{
    if (size > HOSTILE_ARENA || (size + 2 * HOSTILE_HEADER - 1) / HOSTILE_HEADER * HOSTILE_HEADER >
                                    HOSTILE_ARENA - arena_used) {
        errno = ENOMEM;
        return NULL;
    }
    uint8_t *header = arena + arena_used;
    arena_used += (size + 2 * HOSTILE_HEADER - 1) / HOSTILE_HEADER * HOSTILE_HEADER;
    *(size_t *)(void *)header = size;
    return header + HOSTILE_HEADER;
}

void free(void *block)
{
    uint8_t *header = (uint8_t *)block - HOSTILE_HEADER;
    if (block == NULL || header < arena || header >= arena + arena_used)
        return;
    size_t length =
        (*(size_t *)(void *)header + 2 * HOSTILE_HEADER - 1) / HOSTILE_HEADER * HOSTILE_HEADER;
    if (header + length == arena + arena_used)
        arena_used -= length;
}

#endif
