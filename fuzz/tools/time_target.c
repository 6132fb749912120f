/* SPDX-License-Identifier: MIT */
/*
 * The speed of a fuzz target by itself: runs every input RUNS times from memory, and prints
 * executions per CPU second of this process, and per second by the clock. An engine that is given
 * files reads each anew for every run, which costs more than a short trace.
 *
 * The CPU time is all of it where the subject runs in this process (anvil). A foreign subject runs
 * in a process of its own, in batches of BATCH inputs; in a campaign a batch is an input and its
 * children.
 *
 *     time_trace RUNS BATCH FILE…
 */
#include "fuzz/target.h"
#include "harness/base/clock.h"
#include "harness/executor/executor.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { INPUT_MAX = 1 << 14, INPUTS_MAX = 4096 };

static struct {
    uint8_t bytes[INPUTS_MAX][INPUT_MAX];
    struct target_input inputs[INPUTS_MAX];
    size_t count;
} load;

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void read_input(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    uint8_t *bytes = load.bytes[load.count];
    load.inputs[load.count++] =
        (struct target_input){bytes, fread(bytes, 1, sizeof load.bytes[0], file)};
    fclose(file);
}

/* All inputs once. Returns how many ran. */
static size_t run_all(size_t batch)
{
    size_t done = 0;
    for (size_t i = 0; i < load.count; i += batch) {
        size_t left = load.count - i;
        done += target_run_batch(&load.inputs[i], left < batch ? left : batch,
                                 &(struct target_mode){0});
    }
    return done;
}

int main(int argc, char **argv)
{
    size_t runs = argc > 3 ? strtoul(argv[1], NULL, 10) : 0, done = 0;
    size_t batch = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (runs == 0 || batch == 0 || batch > EXECUTOR_BATCH_MAX || argc - 3 > INPUTS_MAX) {
        fprintf(stderr, "usage: time_trace RUNS BATCH FILE... (BATCH: 1 to %d, at most %d files)\n",
                EXECUTOR_BATCH_MAX, INPUTS_MAX);
        return EXIT_FAILURE;
    }
    for (int i = 3; i < argc; i++)
        read_input(argv[i]);
    run_all(batch); /* not counted: opens the target */
    double cpu = cpu_seconds();
    uint64_t start_ms = clock_now_ms();
    for (size_t i = 0; i < runs; i++)
        done += run_all(batch);
    double seconds = (double)(clock_now_ms() - start_ms + 1) / 1000;
    printf("%.0f %.0f\n", (double)done / (cpu_seconds() - cpu), (double)done / seconds);
    return EXIT_SUCCESS;
}
