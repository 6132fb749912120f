/* SPDX-License-Identifier: MIT */
/* What the fuzz targets that run traces share: bytes → trace → subject. The environment that
 * chooses the subject stands in target.c. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include "harness/trace/trace.h"

#include <stddef.h>
#include <stdint.h>

struct target_mode {
    /* last changes to a trace, of hash alone; NULL: none. Leaves it well-formed */
    void (*prepare)(struct trace *trace, uint64_t hash);
    uint32_t recovery; /* as in struct run_options */
    /* anvil is set up with these for this input, whatever MALLET_SUBJECT says: options, behind
     * "arena", or "default". NULL: it stays as it is */
    const char *anvil_options;
};

struct target_input {
    const uint8_t *data;
    size_t size;
};

/* One input, with children of ours (children.h) where the subject runs in a process of its own.
 * Returns unless a verdict of a new class must stop the engine. */
void target_run(const uint8_t *data, size_t size, const struct target_mode *mode);
/* Up to EXECUTOR_BATCH_MAX inputs as they are, in as few orders to the subject's process as
 * possible. Returns how many ran: after a finding the rest does not. */
size_t target_run_batch(const struct target_input inputs[], size_t count,
                        const struct target_mode *mode);

#endif
