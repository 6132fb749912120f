/* SPDX-License-Identifier: MIT */
/*
 * The table of workloads. Counts are such that one run takes about a tenth of a second on a usual
 * allocator, and a few seconds on one that is a hundred times slower.
 */
#include "bench/workloads.h"
#include "bench/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KB UINT64_C(1024)
#define MB (1024 * KB)

#define OWN(workload_name, workload_group, workload_kind, workload_size, workload_count, text) \
    {.name = workload_name,                                                                    \
     .group = workload_group,                                                                  \
     .kind = workload_kind,                                                                    \
     .size = workload_size,                                                                    \
     .count = workload_count,                                                                  \
     .does = text}
#define PAIRS(order, text, count_64, count_1k, count_4k, count_32k, count_256k, count_2m) \
    OWN(order "-64", "pairs", order, 64, count_64, text " of 64 bytes"),                  \
        OWN(order "-1K", "pairs", order, KB, count_1k, text " of 1 KB"),                  \
        OWN(order "-4K", "pairs", order, 4 * KB, count_4k, text " of 4 KB"),              \
        OWN(order "-32K", "pairs", order, 32 * KB, count_32k, text " of 32 KB"),          \
        OWN(order "-256K", "pairs", order, 256 * KB, count_256k, text " of 256 KB"),      \
        OWN(order "-2M", "pairs", order, 2 * MB, count_2m, text " of 2 MB")
#define FILL(label, size)                                          \
    OWN("fill-" label, "memory", "fill", size, (64 * MB) / (size), \
        "64 MB live in blocks of " label ": resident over requested")

static const struct bench_workload own[] = {
    PAIRS("lifo", "each block freed at once: pairs", 8000000, 8000000, 4000000, 2000000, 400000,
          50000),
    PAIRS("fifo", "the oldest of 100 blocks freed: pairs", 8000000, 4000000, 2000000, 1000000,
          100000, 20000),
    PAIRS("random", "one of all live blocks freed, at random: pairs", 4000000, 2000000, 1000000,
          400000, 100000, 10000),
    PAIRS("batch", "all allocated, then freed in another order: pairs", 2000000, 1000000, 200000,
          50000, 10000, 2000),
    OWN("append-64", "growth", "append", 64, 1500000, "realloc by 64 bytes more, up to 1 MB"),
    OWN("append-4K", "growth", "append", 4 * KB, 32768, "realloc by 4 KB more, up to 64 MB"),
    OWN("calloc-64M", "growth", "calloc", 64 * MB, 40, "zeroed blocks of 64 MB"),
    OWN("pass-64", "threads", "pass", 64, 2000000,
        "one thread allocates, another one frees: 64 bytes"),
    OWN("pass-1K", "threads", "pass", KB, 1000000, "one thread allocates, another one frees: 1 KB"),
    OWN("larson-1", "threads", "larson", 1, 3000000,
        "random sizes up to 512 bytes, blocks handed on: one thread"),
    OWN("larson-2", "threads", "larson", 2, 3000000,
        "random sizes up to 512 bytes, blocks handed on: two threads"),
    OWN("larson-4", "threads", "larson", 4, 3000000,
        "random sizes up to 512 bytes, blocks handed on: four threads"),
    OWN("sawtooth", "memory", "sawtooth", 32, 100,
        "100 MB live in ever larger blocks, nine in ten of them freed in between"),
    FILL("16", 16),
    FILL("64", 64),
    FILL("256", 256),
    FILL("1K", KB),
    FILL("1025", 1025),
    FILL("1500", 1500),
    FILL("4K", 4 * KB),
    FILL("4097", 4097),
    FILL("5000", 5000),
    FILL("16K", 16 * KB),
    FILL("64K", 64 * KB),
};
enum { OWN_COUNT = sizeof own / sizeof own[0], TRACE_OPS_IN_ALL = 1000000 };

const struct bench_workload *bench_workload_at(size_t i)
{
    return i < OWN_COUNT ? &own[i] : bench_program_at(i - OWN_COUNT);
}

static bool is_exact(const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        if (trace->ops[i].size_base != SIZE_EXACT)
            return false;
    return true;
}

static int write_ops(const char *path, const struct trace *trace)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return errno;
    const char *bytes = (const char *)trace->ops;
    size_t left = trace->count * sizeof *trace->ops;
    while (left > 0) {
        ssize_t written = write(file, bytes, left);
        if (written < 0)
            break;
        bytes += written;
        left -= (size_t)written;
    }
    int result = left > 0 ? errno : 0;
    close(file);
    return result;
}

int bench_workload_of_trace(struct bench_workload *ret_workload, const char *name,
                            const struct trace *trace, const char *folder)
{
    struct bench_workload workload = {.group = "traces",
                                      .kind = "trace",
                                      .does = "the calls of a recorded program",
                                      .count = TRACE_OPS_IN_ALL / trace->count + 1};
    snprintf(workload.name, sizeof workload.name, "trace-%.40s", name);
    char path[PATH_MAX];
    snprintf(workload.file, sizeof workload.file, "%s.ops", workload.name);
    snprintf(path, sizeof path, "%.3800s/%s", folder, workload.file);
    if (!is_exact(trace))
        snprintf(workload.skipped, sizeof workload.skipped,
                 "its sizes depend on the allocator's usable sizes");
    int result = workload.skipped[0] == '\0' ? write_ops(path, trace) : 0;
    if (result == 0)
        *ret_workload = workload;
    return result;
}
