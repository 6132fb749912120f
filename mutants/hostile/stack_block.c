/* SPDX-License-Identifier: MIT */
/* Returns a piece of the caller's stack. */
#include "hostile.h"

void *malloc(size_t size)
{
    if (size == HOSTILE_SIZE)
        return (void *)((uintptr_t)__builtin_frame_address(0) / HOSTILE_HEADER * HOSTILE_HEADER);
    return hostile_take(size);
}
