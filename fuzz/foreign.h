/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing a subject that is not linked in: traces go, in batches, to worker processes, each of
 * which runs some hundreds of them while it stays clean. A verdict never ends the target. It is
 * confirmed and saved once for its class (findings.h), and fuzzing goes on.
 */
#ifndef FUZZ_FOREIGN_H
#define FUZZ_FOREIGN_H

#include "harness/run/run.h"
#include "harness/trace/trace.h"

#include <stdint.h>

/* Binds the subject, as subject_resolve takes it, in the place of one bound before. Says in one
 * line on stderr why it cannot, and ends the process. */
void foreign_open(const char *spec);
struct foreign_input {
    const struct trace *trace;
    struct run_options options;
};

/* Runs up to EXECUTOR_BATCH_MAX traces, in an order of its own: those in which OS calls fail go to
 * a worker of their own, and what would follow one that is not clean in the same worker is left
 * out. The first one runs always. Fills in what the options must say of the subject. take: called
 * for each that ran with its RUN_COUNTERS counters. Returns how many ran. */
size_t foreign_run(struct foreign_input inputs[], size_t count,
                   void (*take)(size_t index, const uint8_t *features));

#endif
