/* SPDX-License-Identifier: MIT */
/*
 * Writes text traces as the bytes that fuzz targets take: OUT/NAME for each NAME.trace. `mallet
 * encode` does the same for one; this program needs no library, and builds with any
 * instrumentation.
 *
 *     encode_traces OUT FILE…
 */
#include "harness/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPS_MAX = 1 << 16, TEXT_MAX = 8 << 20 /* bytes */ };

static struct trace_op ops[OPS_MAX];
static uint8_t bytes[OPS_MAX * TRACE_OP_BYTES_MAX];
static char text[TEXT_MAX];

static int fail(const char *path, const char *sentence)
{
    fprintf(stderr, "encode_traces: %s: %s\n", path, sentence);
    return EXIT_FAILURE;
}

static int write_bytes(const char *folder, const char *path, size_t length)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    char target[4096];
    int stem = (int)strcspn(name, ".");
    snprintf(target, sizeof target, "%s/%.*s", folder, stem, name);
    FILE *file = fopen(target, "wb");
    bool is_written = file != NULL && fwrite(bytes, 1, length, file) == length;
    if (file == NULL || fclose(file) != 0 || !is_written)
        return fail(target, "cannot be written");
    return EXIT_SUCCESS;
}

static int encode(const char *folder, const char *path)
{
    struct trace trace = {.ops = ops, .capacity = OPS_MAX};
    struct trace_error error;
    FILE *file = fopen(path, "rb");
    size_t length = file != NULL ? fread(text, 1, sizeof text, file) : 0;
    if (file == NULL || fclose(file) != 0 || length == sizeof text)
        return fail(path, "cannot be read, or is too long");
    if (trace_parse(text, length, &trace, &error) != 0)
        return fail(path, error.sentence);
    return write_bytes(folder, path, trace_encode(&trace, bytes, sizeof bytes));
}

int main(int argc, char **argv)
{
    int status = argc > 2 ? EXIT_SUCCESS : fail("usage", "encode_traces OUT FILE…");
    for (int i = 2; i < argc && status == EXIT_SUCCESS; i++)
        status = encode(argv[1], argv[i]);
    return status;
}
