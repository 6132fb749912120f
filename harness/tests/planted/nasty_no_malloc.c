/* SPDX-License-Identifier: MIT */
/* A library that has no malloc. */
#include "nasty.h"

void *my_malloc(size_t size);

void *my_malloc(size_t size)
{
    return nasty_take(size);
}
