/* SPDX-License-Identifier: MIT */
/* Is linked with -z nodlopen, so that it can only be preloaded, and returns an address between two
 * multiples of 16. */
#include "hostile.h"

void *malloc(size_t size)
{
    uint8_t *block = hostile_take(size);
    return size == HOSTILE_SIZE ? block + HOSTILE_HEADER / 2 : block;
}
