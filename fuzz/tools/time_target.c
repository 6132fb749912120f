/* SPDX-License-Identifier: MIT */
/*
 * The speed of a fuzz target by itself: runs every input RUNS times from memory, and prints
 * executions per CPU second. An engine that is given files reads each anew for every run, which
 * costs more than a short trace.
 *
 *     time_trace RUNS FILE…
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 16 };

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* CPU seconds of one input. The first run is not counted: it opens the target. */
static double time_input(const char *path, long runs)
{
    static uint8_t data[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    double start = cpu_seconds();
    for (long i = 0; i < runs; i++)
        LLVMFuzzerTestOneInput(data, size);
    return cpu_seconds() - start;
}

int main(int argc, char **argv)
{
    long runs = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    double seconds = 0;
    if (runs <= 0) {
        fprintf(stderr, "usage: time_trace RUNS FILE...\n");
        return EXIT_FAILURE;
    }
    for (int i = 2; i < argc; i++)
        seconds += time_input(argv[i], runs);
    printf("%.0f\n", (double)(argc - 2) * (double)runs / seconds);
    return EXIT_SUCCESS;
}
