/* SPDX-License-Identifier: MIT */
/*
 * A program is the texts of a few files one after the other: what a shape is written with, the
 * shape, the measuring, a main. Lines that only matter between files are left out: includes of the
 * project's own, include guards, licence lines.
 */
#include "adversity/growth/program.h"

#include "adversity/growth/embedded.h"

#include <stdlib.h>

static const char head[] = "#define _GNU_SOURCE\n"
                           "#include <malloc.h>\n#include <pthread.h>\n#include "
                           "<stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n"
                           "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include "
                           "<sys/mman.h>\n#include <sys/wait.h>\n"
                           "#include <unistd.h>\n";

static bool starts_with(const char *line, const char *end, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(end - line) >= length && memcmp(line, word, length) == 0;
}

static bool is_between_files(const char *line, const char *end)
{
    static const char *const starts[] = {"#include \"",     "/* SPDX",          "#ifndef GROWTH_",
                                         "#define GROWTH_", "#ifndef HARNESS_", "#define HARNESS_"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (starts_with(line, end, starts[i]))
            return true;
    return false;
}

/* The #endif of an include guard is the last line of its file. */
static void write_text(FILE *out, const char *path)
{
    const struct embedded_file *text = growth_file_find(path);
    if (text == NULL)
        abort(); /* a file that CMakeLists.txt does not name */
    bool is_guarded = false;
    for (const char *line = text->start, *end; line < text->end; line = end) {
        end = memchr(line, '\n', (size_t)(text->end - line));
        end = end != NULL ? end + 1 : text->end;
        is_guarded |= starts_with(line, end, "#ifndef ");
        bool is_guard_end = is_guarded && end == text->end && starts_with(line, end, "#endif");
        if (!is_between_files(line, end) && !is_guard_end)
            fwrite(line, 1, (size_t)(end - line), out);
    }
}

static void write_shape(FILE *out, const struct shape *shape)
{
    char path[128];
    snprintf(path, sizeof path, "adversity/growth/shapes/%s.c", shape->name);
    write_text(out, path);
}

static void write_comment(FILE *out, const char *subject, const struct growth_result *result)
{
    fprintf(out,
            "/*\n * %s, %s: %s.\n *\n *   %s\n *\n"
            " * Build: cc -O1 -fno-builtin -pthread FILE. Run it with LD_PRELOAD=the allocator, or "
            "as it is for the libc's own. Exit "
            "status 1: it shows.\n"
            " */\n",
            subject, check_name(result->check), result->shape->does, result->sentence);
}

void growth_program(FILE *out, const char *subject, const struct growth_result *result)
{
    bool is_footprint = result->shape->kind == SHAPE_FOOTPRINT;
    write_comment(out, subject, result);
    fputs(head, out);
    if (is_footprint)
        fprintf(out, "#define ROUNDS %zu\n\n", result->count);
    else
        fprintf(out,
                "#define SIZE %zu\n#define COUNT %zu\n#define IS_COUNTING %d\n#define "
                "OS_CALLS_LEAST %.3f\n\n",
                result->size, result->count, result->has_os_calls, result->os_calls / 2);
    if (!is_footprint) {
        write_text(out, "harness/run/os_calls.h");
        write_text(out, "harness/run/os_calls.c");
        fputs("#define calls family /* another table above has that name */\n", out);
    }
    write_text(out, "adversity/growth/report.h");
    write_text(out, "adversity/growth/kit.h");
    write_text(out, "adversity/growth/plain.h");
    write_text(out, "adversity/growth/kit.c");
    write_shape(out, result->shape);
    write_text(out, is_footprint ? "adversity/growth/measure_footprint.c"
                                 : "adversity/growth/measure_scaling.c");
    write_text(out, is_footprint ? "adversity/growth/program_footprint.c"
                                 : "adversity/growth/program_scaling.c");
}
