/* SPDX-License-Identifier: MIT */
/* Returns a piece of the caller's stack. */
#include "nasty.h"

void *malloc(size_t size)
{
    if (size == NASTY_SIZE)
        return (void *)((uintptr_t)__builtin_frame_address(0) / NASTY_HEADER * NASTY_HEADER);
    return nasty_take(size);
}
