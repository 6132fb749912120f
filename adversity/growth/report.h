/* SPDX-License-Identifier: MIT */
/*
 * What a process that runs one workload leaves for the one that judges: samples of memory, or costs
 * of operations. Plain data in shared memory; the judge trusts none of it. Part of exported
 * programs too, so it needs nothing of the project.
 */
#ifndef GROWTH_REPORT_H
#define GROWTH_REPORT_H

#include <stdint.h>

enum { SAMPLES_MAX = 64, REPORT_SENTENCE_MAX = 640, GROWTH_CPU_SECONDS = 20 /* of a process */ };

/* Enough to judge by, and not so much that the machine would feel it: no more rounds then. */
#define RESIDENT_MAX (UINT64_C(512) << 20)

/* The highest values of a stretch of rounds, in bytes above what the process held before the
 * first. */
struct growth_sample {
    uint64_t resident;
    uint64_t held; /* by the subject's own count; 0: it has none */
};

struct growth_report {
    uint32_t is_done;
    uint32_t round;          /* the one that runs */
    uint32_t seconds_passed; /* since the last round, while memory settles */
    uint32_t sample_count;
    uint32_t is_slow;      /* a call takes so long that the workload was not run */
    uint32_t has_os_calls; /* the system let them be counted */
    /* of the process, where a request is refused after the first round: 0, but in a program whose
     * finding that is */
    uint32_t refusal_status;
    /* each round has sizes that none before it had: what keeps blocks by their size fills again */
    uint32_t has_new_sizes;
    /* from here at multiples of 8, for children of 32 bits too */
    struct growth_sample samples[SAMPLES_MAX];
    uint64_t peak_live; /* bytes asked for and not yet freed, at most */
    uint64_t frees;     /* blocks freed in all rounds */
    uint64_t freed;     /* their bytes */
    uint64_t calls;     /* that returned, in all rounds: progress */
    /* resident bytes above the start after time has passed; only where that was asked for */
    uint64_t settled;

    uint64_t operations; /* of one pass */
    uint64_t cpu_ns;     /* of the best pass, all its operations */
    /* likewise, in user mode; 0: this machine does not count them */
    uint64_t instructions;
    /* of the last pass, whose memory passes before it have warmed */
    uint64_t os_calls;
    /* the stretch of that pass with most calls an operation, and its number */
    uint64_t worst_calls, worst_operations, worst_window;

    uint64_t moved, appended; /* bytes, by growth_append */
    uint64_t live, resident;  /* room: bytes, at the end of the round */

    char sentence[REPORT_SENTENCE_MAX]; /* why it could not go on, or empty */
};

#endif
