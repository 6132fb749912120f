/* SPDX-License-Identifier: MIT */
/*
 * Spans: larger blocks out of smaller free ones side by side. slab.h tells what they are, and has
 * their tags and their store.
 */
#ifndef ANVIL_SPAN_H
#define ANVIL_SPAN_H

#include "slab.h"

/* Makes a span live that serves a request of `size` bytes, of this class, which the class itself
 * has no free block for. Returns NULL if there is none. */
char *slabs_take_span(struct slabs *slabs, unsigned class_index, size_t size);
/* Frees the span that begins there. Returns false if it is none. */
bool slabs_put_span(struct slabs *slabs, struct slab *slab, struct sync_tag *tag);
/* Frees the spans that were made and not used. Returns whether there were any. */
bool slabs_release_spans(struct slabs *slabs);

#endif
