/* SPDX-License-Identifier: MIT */
/*
 * Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002, with stretches
 * that halve, taken from the end: what depends on an element stands behind it, so the elements
 * before a removed stretch keep their places.
 */
#include "harness/finding/shrink_list.h"

static bool remove_stretches(const struct shrink_list *list, size_t length)
{
    bool changed = false;
    for (size_t end = list->count(list->context); end > 0 && !list->is_spent(list->context);) {
        size_t start = end > length ? end - length : 0;
        changed |= list->remove(list->context, start, end);
        size_t left = list->count(list->context); /* may be fewer than start: others went too */
        end = start < left ? start : left;
    }
    return changed;
}

bool shrink_list(const struct shrink_list *list)
{
    size_t count = list->count(list->context);
    bool changed = false;
    for (size_t length = count > 1 ? count / 2 : count; length > 0; length /= 2)
        changed |= remove_stretches(list, length);
    return changed;
}
