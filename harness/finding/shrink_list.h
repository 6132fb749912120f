/* SPDX-License-Identifier: MIT */
/* Delta debugging on any list: the ops of a trace, the decisions of a schedule. */
#ifndef HARNESS_SHRINK_LIST_H
#define HARNESS_SHRINK_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct shrink_list {
    size_t (*count)(void *context); /* elements that are left */
    /* Removes elements start..end-1, and whatever cannot stand without them, if the rest still
     * shows what it has to. Returns whether it did. */
    bool (*remove)(void *context, size_t start, size_t end);
    bool (*is_spent)(void *context); /* nothing more may be tried */
    void *context;
};

/* Removes what is not needed: halves, then shorter stretches, down to single elements. Returns
 * whether any went. */
bool shrink_list(const struct shrink_list *list);

#endif
