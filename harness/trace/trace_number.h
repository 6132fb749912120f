/* SPDX-License-Identifier: MIT */
/*
 * Numbers, slots and sizes in the text form of a trace. Below trace_text.c, which owns lines and
 * ops; the grammar stands at the top of trace_number.c.
 */
#ifndef HARNESS_TRACE_NUMBER_H
#define HARNESS_TRACE_NUMBER_H

#include "harness/trace/trace.h"

/* A piece of the text, not ended by NUL. */
struct word {
    const char *at;
    size_t length;
};

/* What a word says: with SIZE_EXACT a value, else a delta in `value` and a slot, as in struct
 * trace_op. */
struct number {
    uint64_t value;
    uint8_t size_base;
    uint32_t slot;
};

enum { NUMBER_TEXT_MAX = 48 }; /* longest number as text, NUL included */

/* Writes number so that number_parse reads it back; returns the length. */
size_t number_format(const struct number *number, char ret_text[NUMBER_TEXT_MAX]);
/* NULL, or what is wrong with word, to be put after the quoted word. */
const char *number_parse(struct word word, struct number *ret_number);
/* `#3` alone; NULL or what is wrong likewise. */
const char *slot_parse(struct word word, uint32_t *ret_slot);

#endif
