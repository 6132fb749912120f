/* SPDX-License-Identifier: MIT */
/* Returns memory that nobody can write. */
#include "hostile.h"

void *malloc(size_t size)
{
    static const _Alignas(HOSTILE_HEADER) uint8_t table[HOSTILE_SIZE] = {1};
    return size == HOSTILE_SIZE ? (void *)(uintptr_t)table : hostile_take(size);
}
