/* SPDX-License-Identifier: MIT */
/* An allocator of somebody else, as the scheduler tries one. */
#ifndef MINE_H
#define MINE_H

#include <stddef.h>

void *mine_malloc(size_t size);
void mine_free(void *pointer);

#endif
