/* SPDX-License-Identifier: MIT */
/*
 * The seed traces: `seeds_test FOLDER`. Each is a valid trace, opens with a comment that says what
 * it is for, survives both other forms, and keeps small machines happy; together they reach every
 * op and every way to give a size. A file dropped into the folder is tested.
 */
#include "harness/trace/trace.h"

#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { OPS_MAX = 4096, TEXT_MAX = 1 << 16, SEEDS_MIN = 25, LIVE_MAX = 64 << 20 };
static const uint64_t IMPOSSIBLE = 1ULL << 46; /* such a call fails, so its block does not count */
static const uint64_t SAMPLED = 1ULL << 32;

static struct {
    const char *folder;
    char text[TEXT_MAX];
    char again_text[OPS_MAX * TRACE_LINE_MAX];
    struct trace_op ops[OPS_MAX];
    struct trace_op again_ops[OPS_MAX];
    uint8_t bytes[OPS_MAX * TRACE_OP_BYTES_MAX];
    uint64_t sizes[TRACE_SLOTS];
} state;

static size_t file_read(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", state.folder, name);
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(state.text, 1, sizeof state.text, file) : 0;
    if (length == 0 || length == sizeof state.text)
        fail_msg("%s cannot be read, or is empty or too long", path);
    if (file)
        fclose(file);
    return length;
}

static struct trace seed_parse(const char *name)
{
    struct trace trace = {.ops = state.ops, .capacity = OPS_MAX};
    struct trace_error error;
    if (trace_parse(state.text, file_read(name), &trace, &error) != 0)
        fail_msg("%s:%zu: %s", name, error.line, error.sentence);
    return trace;
}

/* Calls `visit` for each seed and returns how many there are. */
static size_t each_seed(void (*visit)(const char *name, void *context), void *context)
{
    size_t count = 0;
    DIR *folder = opendir(state.folder);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".trace") != 0)
            continue;
        visit(entry->d_name, context);
        count++;
    }
    if (folder)
        closedir(folder);
    assert_true(count > 0);
    return count;
}

static void check_seed(const char *name, void *unused)
{
    (void)unused;
    struct trace trace = seed_parse(name);
    struct trace again = {.ops = state.again_ops, .capacity = OPS_MAX};
    if (strncmp(state.text, "# ", 2) != 0)
        fail_msg("%s does not open with a comment", name);
    size_t length = trace_encode(&trace, state.bytes, sizeof state.bytes);
    trace_decode(state.bytes, length, &again);
    if (trace.count == 0 || again.count != trace.count ||
        memcmp(trace.ops, again.ops, trace.count * sizeof *trace.ops) != 0)
        fail_msg("%s does not survive its byte form", name);
    struct trace_error error;
    length = trace_format(&trace, state.again_text, sizeof state.again_text);
    if (trace_parse(state.again_text, length, &again, &error) != 0 ||
        memcmp(trace.ops, again.ops, trace.count * sizeof *trace.ops) != 0)
        fail_msg("%s does not survive its text form", name);
}

static void every_seed_is_a_trace_with_a_purpose_and_survives_both_forms(void **unused)
{
    (void)unused;
    assert_true(each_seed(check_seed, NULL) >= SEEDS_MIN);
}

/* What op asks for; 0 if no machine could give it, and of 4 GiB and more, of which a run touches
 * samples only. */
static uint64_t op_bytes(const struct trace_op *op)
{
    uint64_t size = op->size;
    if (op->size_base != SIZE_EXACT)
        size += op->size_base == SIZE_REQUESTED
                    ? state.sizes[op->size_slot]
                    : state.sizes[op->size_slot] + state.sizes[op->size_slot] / 4;
    unsigned traits = trace_op_traits(op->kind);
    if (traits & OP_HAS_COUNT && __builtin_mul_overflow(size, op->extra, &size))
        return 0;
    return size < SAMPLED && !(traits & OP_HAS_ALIGNMENT && op->extra >= IMPOSSIBLE) ? size : 0;
}

static void check_live_bytes(const char *name, void *unused)
{
    (void)unused;
    struct trace trace = seed_parse(name);
    uint64_t live = 0;
    memset(state.sizes, 0, sizeof state.sizes);
    for (size_t i = 0; i < trace.count; i++) {
        const struct trace_op *op = &trace.ops[i];
        unsigned traits = trace_op_traits(op->kind);
        uint64_t size = traits & OP_FREES ? 0 : op_bytes(op);
        if (!(traits & (OP_FREES | OP_HAS_SIZE)) || (traits & OP_USES && size == 0))
            continue;
        live += size - state.sizes[op->slot];
        state.sizes[op->slot] = size;
        if (live > LIVE_MAX)
            fail_msg("%s: op %zu brings the live total to %" PRIu64 " bytes", name, i, live);
    }
}

static void every_seed_keeps_its_live_total_below_64_mib(void **unused)
{
    (void)unused;
    each_seed(check_live_bytes, NULL);
}

/* Bits of what has been seen: kinds from 0, forms of sizes from 32. */
static void note_reach(const char *name, void *context)
{
    uint64_t *seen = context;
    struct trace trace = seed_parse(name);
    for (size_t i = 0; i < trace.count; i++) {
        *seen |= 1ULL << trace.ops[i].kind | 1ULL << (32 + trace.ops[i].size_base);
        *seen |= trace.ops[i].slot >= TRACE_NARROW_SLOTS ? 1ULL << 35 : 0;
    }
}

static void together_the_seeds_reach_every_op_and_every_form_of_size(void **unused)
{
    (void)unused;
    uint64_t seen = 0;
    each_seed(note_reach, &seen);
    assert_int_equal(seen, ((1ULL << OP_KINDS) - 1) | 15ULL << 32);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER-OF-TRACES\n", argv[0]);
        return 2;
    }
    state.folder = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_seed_is_a_trace_with_a_purpose_and_survives_both_forms),
        cmocka_unit_test(every_seed_keeps_its_live_total_below_64_mib),
        cmocka_unit_test(together_the_seeds_reach_every_op_and_every_form_of_size),
    };
    return cmocka_run_group_tests_name("seeds", tests, NULL, NULL);
}
