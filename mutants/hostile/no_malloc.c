/* SPDX-License-Identifier: MIT */
/* A library that has no malloc. */
#include "hostile.h"

void *my_malloc(size_t size);

void *my_malloc(size_t size)
{
    return hostile_take(size);
}
