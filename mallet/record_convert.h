/* SPDX-License-Identifier: MIT */
/* From the recorder's log, where blocks are addresses, to a trace, where they are slots. */
#ifndef MALLET_RECORD_CONVERT_H
#define MALLET_RECORD_CONVERT_H

#include "harness/trace/trace.h"
#include "mallet/record_log.h"

struct record_summary {
    size_t unknown; /* calls left out: they name a block from before the recorder */
    /* calls left out: beyond the wanted number of ops, more live blocks than slots, or never
     * finished */
    size_t missed;
    size_t threads;
    size_t peak_blocks, peak_size; /* most live at once; bytes requested */
};

enum { RECORD_CONVERT_SLACK = 4 }; /* ops that one record can become */

/* Fills ret_trace, whose ops are the caller's storage, up to its capacity less the slack. A block
 * always gets the lowest free slot. Returns 0 or ENOMEM. */
int record_convert(const struct record_log *log, struct trace *ret_trace,
                   struct record_summary *ret_summary);

#endif
