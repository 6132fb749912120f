/* SPDX-License-Identifier: MIT */
/*
 * The 16-bit operand of a record: how the narrow byte form codes sizes, counts, alignments and
 * numbers. Below trace_bytes.c, which owns the records and the prefixes; the tables of codes stand
 * at the top of trace_codes.c.
 */
#ifndef HARNESS_TRACE_CODES_H
#define HARNESS_TRACE_CODES_H

#include "harness/trace/trace.h"

/* Fields that prefixes give, as bits; the operand gives the others. */
enum {
    EXACT_SIZE = 1,  /* size, a plain one */
    EXACT_EXTRA = 2, /* extra */
    EXACT_BASE = 4   /* size_base and size_slot; the operand's low five bits are then the delta */
};

/* Fills those of size, size_base, size_slot and extra that op's kind takes and that are not in
 * `exact`. Any operand is valid. */
void codes_read(struct trace_op *op, uint16_t operand, unsigned exact);
/* The canonical operand of a well-formed op, and (returned) which fields it cannot say. */
unsigned codes_write(const struct trace_op *op, uint16_t *ret_operand);

#endif
