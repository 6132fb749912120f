/* SPDX-License-Identifier: MIT */
/* What the fuzz targets that run traces share: bytes → trace → subject. The environment that chooses the subject stands in
 * target.c. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include "harness/trace/trace.h"

struct target_mode {
    /* last changes to a trace, of hash alone; NULL: none. Leaves it well-formed */
    void (*prepare)(struct trace *trace, uint64_t hash);
    uint32_t recovery; /* as in struct run_options */
};

/* One input. Returns unless a verdict of a new class must stop the engine. */
void target_run(const uint8_t *data, size_t size, const struct target_mode *mode);

#endif
