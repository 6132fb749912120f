/* SPDX-License-Identifier: MIT */
/* Returns memory that nobody can write. */
#include "nasty.h"

void *malloc(size_t size)
{
    static const _Alignas(NASTY_HEADER) uint8_t table[NASTY_SIZE] = {1};
    return size == NASTY_SIZE ? (void *)(uintptr_t)table : nasty_take(size);
}
