/* SPDX-License-Identifier: MIT */
/*
 * What one run of a workload comes to. The memory is shared by three processes: `mallet bench`
 * creates it, the launcher fills in what the system knows of the whole process, and a process that
 * runs a workload of ours fills in what it measured itself. Zeroed at first.
 */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

enum { ANSWER_DESCRIPTOR = 200, ANSWER_PATH_MAX = 512 };

struct bench_answer {
    /* By the workload, between its begin and its end. Programs leave it zeroed. */
    bool is_measured;
    uint64_t cpu_ns;
    uint64_t operations;               /* what a cost is divided by: pairs, calls, ops of a trace */
    uint64_t live_bytes;               /* most requested bytes live at once; 0: not of interest */
    char malloc_file[ANSWER_PATH_MAX]; /* the file that malloc comes from */
    uint64_t peak_bytes; /* resident, so far; the launcher raises it: of several processes, the
                          * largest */

    /* By the launcher, of the process and of all that it waited for. */
    bool is_ended;
    int status; /* as waitpid tells */
    uint64_t process_cpu_ns;
    uint64_t faults; /* page faults, minor and major */
};

#endif
