/* SPDX-License-Identifier: MIT */
/* The one traversal of a heap; check, statistics, dump and the public walk are its visitors. The
 * caller holds all locks of the heap; a visitor must not change it. */
#ifndef ANVIL_WALK_H
#define ANVIL_WALK_H

#include "heap.h"

struct walk_visitor {
    /* every extent, by address within one run; may be NULL */
    int (*extent)(const struct extent *extent, void *context);
    /* then what it consists of; may be NULL */
    int (*region)(const struct anvil_region *region, void *context);
    void *context;
};

/* Stops at the first non-zero result and returns it. */
int walk(const struct anvil_heap *heap, const struct walk_visitor *visitor);

#endif
