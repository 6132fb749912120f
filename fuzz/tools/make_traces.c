/* SPDX-License-Identifier: MIT */
/*
 * Writes traces of exactly OPS ops each: the load for measuring the speed of a target. The op
 * mutator grows them from nothing; or, small, malloc and free of 1 to 512 bytes, a few more blocks
 * made than freed.
 *
 *     make_traces FOLDER COUNT OPS [SEED [small]]
 */
#include "fuzz/mutator.h"
#include "harness/base/random.h"
#include "harness/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = MUTATOR_OPS_MAX * TRACE_RECORD_SIZE };

static struct trace_op ops[MUTATOR_OPS_MAX];
static uint8_t bytes[BYTES_MAX];

static size_t grow(size_t wanted, uint64_t *seed)
{
    size_t length = 0;
    while (mutator_count_ops(bytes, length) < wanted)
        length = mutator_mutate(bytes, length, sizeof bytes, (*seed)++);
    struct trace trace = {.ops = ops, .capacity = wanted};
    trace_decode(bytes, length, &trace);
    return trace_encode(&trace, bytes, sizeof bytes);
}

enum { SMALL_MAX = 512, SMALL_SLOTS = 256, MALLOC_PERCENT = 55 };

static size_t make_small(size_t wanted, uint64_t *seed)
{
    struct random random = {(*seed)++};
    struct trace trace = {.ops = ops, .count = wanted, .capacity = wanted};
    size_t live = 0;
    for (size_t i = 0; i < wanted; i++) {
        bool is_malloc = live == 0 || random_below(&random, 100) < MALLOC_PERCENT;
        ops[i] = (struct trace_op){.kind = is_malloc ? OP_MALLOC : OP_FREE,
                                   .slot = (uint32_t)random_below(&random, SMALL_SLOTS)};
        ops[i].size = is_malloc ? random_between(&random, 1, SMALL_MAX) : 0;
        live += is_malloc ? 1 : (size_t)-1;
    }
    trace_normalize(&trace, NORMALIZE_RETARGET);
    return trace_encode(&trace, bytes, sizeof bytes);
}

static int write_file(const char *folder, unsigned index, size_t length)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%05u.bin", folder, index);
    FILE *file = fopen(path, "wb");
    bool is_written = file != NULL && fwrite(bytes, 1, length, file) == length;
    if (file == NULL || fclose(file) != 0 || !is_written) {
        perror(path);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s FOLDER COUNT OPS [SEED [small]]\n", argv[0]);
        return 2;
    }
    size_t wanted = strtoul(argv[3], NULL, 10);
    uint64_t seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    if (wanted == 0 || wanted > MUTATOR_OPS_MAX / 2) {
        fprintf(stderr, "%s: OPS must be 1 to %d\n", argv[0], MUTATOR_OPS_MAX / 2);
        return 2;
    }
    bool is_small = argc > 5 && strcmp(argv[5], "small") == 0;
    int status = EXIT_SUCCESS;
    for (unsigned i = 0, count = (unsigned)strtoul(argv[2], NULL, 10);
         i < count && status == EXIT_SUCCESS; i++)
        status = write_file(argv[1], i, (is_small ? make_small : grow)(wanted, &seed));
    return status;
}
