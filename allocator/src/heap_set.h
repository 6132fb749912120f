/* SPDX-License-Identifier: MIT */
/*
 * All heaps of the process: the default heap, and the numbers by which the pagemap names the owner
 * of a page. anvil_heap_create, _destroy and _reset stand here too; anvil.h has their contracts.
 */
#ifndef ANVIL_HEAP_SET_H
#define ANVIL_HEAP_SET_H

#include "heap.h"

/* The default heap, set up at the first call. */
struct anvil_heap *heap_default(void);
/* Destroys the default heap; its next use sets it up again, from empty. No other thread may be
 * using it. */
void heap_default_reset(void);

#endif
