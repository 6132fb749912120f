/* SPDX-License-Identifier: MIT */
/*
 * What a fuzz target knows of the classes found so far (a class: one check at one site), so that a
 * shallow bug neither ends the campaign nor starves the deeper ones:
 *  - a class is saved and confirmed once; hitting it again costs only the run itself;
 *  - a class that leaves the heap intact is muted for good: the run, and the process that it runs
 *    in, go on;
 *  - most inputs run with the known checks muted, so that they reach deeper bugs; the rest run
 *    without that, since another site may fail the same check;
 *  - where muting cannot help (a crash stops a run for good), ops like the one that keeps failing
 *    are left out of most inputs.
 * The treatment of an input depends only on its hash and on the known classes.
 *
 * The folder is shared by all jobs of a campaign: `<check>-<site>.trace` for each class, written
 * beside and renamed, and `stats-<pid>`, lines of key=value, at most once a second. One per
 * process, for one thread.
 */
#ifndef FUZZ_FINDINGS_H
#define FUZZ_FINDINGS_H

#include "harness/run/check.h"
#include "harness/run/run.h"
#include "harness/trace/trace.h"

#include <stdbool.h>
#include <stdint.h>

/* folder NULL: nothing is written, and classes are known to this process only. Must be called
 * first. */
void findings_open(const char *folder);

/* FNV-1a, by words of eight bytes, with a final mix. */
uint64_t findings_hash(const uint8_t *bytes, size_t size);
/* The checks to mute (a mask as in struct run_options) for the input with this hash. */
uint32_t findings_muted(uint64_t hash);
/* Mutes the known classes that leave the heap intact, each at its site alone. */
void findings_mute_classes(struct run_options *options);
/* Leaves ops like those that keep failing out of the trace, for most hashes. */
void findings_avoid(struct trace *trace, uint64_t hash);

bool findings_is_known(const struct verdict *verdict);
/* A run ended in a known class again: learns what to avoid. */
void findings_hit(const struct verdict *verdict, const struct trace *trace);
/* Makes a class known and writes its trace; note: one line, or NULL. A class that another job has
 * saved meanwhile is left as it is. */
void findings_save(const struct verdict *verdict, const struct trace *trace, const char *note);

/* Counts one execution and its behaviour features (RUN_FEATURES counters); writes the statistics
 * when due. */
void findings_count(const uint8_t *features);
/* Writes the statistics now. */
void findings_flush(void);

#endif
