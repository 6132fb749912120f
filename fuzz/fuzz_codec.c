/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the three forms of a trace are equivalent. Every input is taken as bytes and as
 * text.
 *
 *   bytes → decode → ops, well-formed → encode → decode: the same ops; encode again: the same bytes
 *                         ops → text → parse: the same ops
 *   text  → parse, if it is a trace → format → parse → format: the same ops and text; ops → encode
 *   → decode: the same ops
 *
 * A violation is one line on stderr and an abort. Link without the op mutator: the raw bytes are
 * under test.
 */
#include "harness/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPS_MAX = 4096 };

/* All memory of the target: two traces and their other forms. */
static struct {
    struct trace_op ops[OPS_MAX];
    struct trace_op again[OPS_MAX];
    uint8_t bytes[2][OPS_MAX * TRACE_OP_BYTES_MAX];
    char text[2][OPS_MAX * TRACE_LINE_MAX];
    struct slot_set set;
} state;

static void require(bool holds, const char *sentence)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_codec: %s\n", sentence);
    abort();
}

static bool is_same(const struct trace *a, const struct trace *b)
{
    return a->count == b->count && memcmp(a->ops, b->ops, a->count * sizeof *a->ops) == 0;
}

static void check_well_formed(const struct trace *trace)
{
    memset(&state.set, 0, sizeof state.set);
    for (size_t i = 0; i < trace->count; i++) {
        const char *problem = slot_set_apply(&state.set, &trace->ops[i]);
        require(problem == NULL, problem);
    }
}

static void check_bytes(const struct trace *trace)
{
    struct trace again = {.ops = state.again, .capacity = OPS_MAX};
    size_t length = trace_encode(trace, state.bytes[0], sizeof state.bytes[0]);
    require(length <= trace->count * TRACE_OP_BYTES_MAX,
            "an op takes more bytes than TRACE_OP_BYTES_MAX");
    trace_decode(state.bytes[0], length, &again);
    require(is_same(trace, &again), "encoding and decoding changed the ops");
    require(trace_encode(&again, state.bytes[1], sizeof state.bytes[1]) == length,
            "canonical bytes changed their length");
    require(memcmp(state.bytes[0], state.bytes[1], length) == 0,
            "canonical bytes are no fixed point");
}

static void check_text(const struct trace *trace)
{
    struct trace again = {.ops = state.again, .capacity = OPS_MAX};
    struct trace_error error;
    size_t length = trace_format(trace, state.text[0], sizeof state.text[0]);
    require(length < sizeof state.text[0] || trace->count == 0,
            "an op takes more text than TRACE_LINE_MAX");
    if (trace_parse(state.text[0], length, &again, &error) != 0)
        require(false, error.sentence);
    require(is_same(trace, &again), "formatting and parsing changed the ops");
    require(trace_format(&again, state.text[1], sizeof state.text[1]) == length,
            "text changed its length");
    require(memcmp(state.text[0], state.text[1], length) == 0, "text is no fixed point");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace trace = {.ops = state.ops, .capacity = OPS_MAX};
    trace_decode(data, size, &trace);
    check_well_formed(&trace);
    check_bytes(&trace);
    check_text(&trace);

    struct trace_error error;
    if (trace_parse((const char *)data, size, &trace, &error) != 0) {
        require(error.line >= 1 && memchr(error.sentence, '\0', sizeof error.sentence) != NULL,
                "a bad text has no line or no sentence");
        return 0;
    }
    check_well_formed(&trace);
    check_bytes(&trace);
    check_text(&trace);
    return 0;
}
