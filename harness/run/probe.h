/* SPDX-License-Identifier: MIT */
/* What is asked of a subject before it is judged, in a process that is thrown away: is it bound,
 * how much can it hold, what does it choose. */
#ifndef HARNESS_PROBE_H
#define HARNESS_PROBE_H

#include "harness/run/run.h"

/* One sentence into `sentence` if any function of the subject is served by this process's own libc
 * instead, else "". */
void probe_binding(const struct subject *subject, char sentence[SUBJECT_ERROR_MAX]);
/* Bytes the subject gave before it refused; PROBE_SERVES_NOTHING if it did not give 16; 0 if it
 * gave PROBE_CAPACITY_MAX: taken as unlimited. Leaves the blocks live. */
enum { PROBE_SERVES_NOTHING = 1 };
#define PROBE_CAPACITY_MAX ((size_t)256 << 20)
uint64_t probe_capacity(const struct subject *subject);
/* Small blocks that the subject can have live at a time; 0: at least PROBE_BLOCKS_MAX, taken as
 * unlimited, or too slow to tell. One that has a mapping or two for each block meets the system's
 * limit for those. Leaves the blocks live. */
#define PROBE_BLOCKS_MAX ((size_t)64 << 10)
uint64_t probe_blocks(const struct subject *subject);
/* Runs every op that has a choice, with all checks muted; the choices are then in
 * run_policy(run). */
void probe_policy(struct run *run, const struct subject *subject);

#endif
