/* SPDX-License-Identifier: MIT */
/* A program is the kit, the scenario's files and program_main.c, one behind the other, without the
 * includes of this folder. */
#include "adversity/torture/embedded.h"
#include "adversity/torture/torture_internal.h"

enum { PROCESSES = 20 };

static bool starts_with(const char *line, const char *end, const char *words)
{
    return (size_t)(end - line) >= strlen(words) && memcmp(line, words, strlen(words)) == 0;
}

static int write_file(FILE *out, const char *name)
{
    const struct embedded_file *file = torture_file_find(name);
    if (file == NULL)
        return ENOENT;
    fprintf(out, "\n/* ---- %s ---- */\n", name);
    for (const char *line = file->start, *next; line < file->end; line = next) {
        const char *newline = memchr(line, '\n', (size_t)(file->end - line));
        next = newline != NULL ? newline + 1 : file->end;
        if (!starts_with(line, next, "#include \"") && !starts_with(line, next, "/* SPDX"))
            fwrite(line, 1, (size_t)(next - line), out);
    }
    return 0;
}

/* One of the scenario's files at a time; "handoff" is scenario_handoff.c. */
static int write_scenario_files(FILE *out, const char *files)
{
    int result = 0;
    while (*files != '\0' && result == 0) {
        char name[64];
        int length = (int)strcspn(files, " ");
        snprintf(name, sizeof name, "scenario_%.*s.c", length, files);
        fprintf(out, "\nvoid scenario_%.*s(void);\n", length, files);
        result = write_file(out, name);
        files += length + (files[length] == ' ');
    }
    return result;
}

static void write_opening(FILE *out, const struct torture_plan *plan,
                          const struct torture_result *found)
{
    const struct subject_plan *subject = plan->subject;
    fprintf(out, "/*\n * Scenario %s on %s: %s.\n * Found: %s: %s\n *\n", plan->scenario->name,
            subject->name, plan->scenario->text, check_name(found->verdict.check),
            found->verdict.sentence);
    if (strcmp(subject->suffix, "-musl") == 0)
        fprintf(out, " *     musl-gcc -O1 -g -static -pthread -o torture THIS_FILE && ./torture\n");
    else if (subject_plan_preload(subject) != NULL)
        fprintf(out, " *     cc -O1 -g -pthread -o torture THIS_FILE && LD_PRELOAD=%s ./torture\n",
                subject_plan_preload(subject));
    else
        fprintf(out, " *     cc -O1 -g -pthread -o torture THIS_FILE && ./torture      with the "
                     "allocator linked in, or preloaded\n");
    fprintf(out,
            " *\n * It runs %d processes and exits with 1 if one of them fails. What threads do to "
            "each other does not repeat exactly.\n */\n",
            PROCESSES);
    fprintf(out, "#define _GNU_SOURCE\n#include <malloc.h>\n");
}

static void write_settings(FILE *out, const struct torture_plan *plan,
                           const struct torture_result *found)
{
    const char *files = plan->scenario->files;
    fprintf(
        out,
        "\n#define PROCESSES %d\n#define WORKERS %u\n#define MILLISECONDS %u\n#define SEED %lluu\n",
        PROCESSES, plan->workers, plan->scenario->milliseconds, (unsigned long long)found->seed);
    fprintf(out, "#define ON_ONE_PROCESSOR %d\n#define PACE_US %u\n", found->on_one_processor,
            found->pace_us);
    fprintf(out, "#define MUTED \"%s\"\n", plan->muted);
    fprintf(out, "#define SCENARIO scenario_%.*s\n\n", (int)strcspn(files, " "), files);
    fprintf(out, "/* What the subject defines; the rest would be the C library's, which does not "
                 "know its blocks. */\n");
    fprintf(out, "static void bind_calls(void)\n{\n");
    unsigned bit = 0;
#define CALL(name, result, parameters)     \
    if ((found->offers >> bit++ & 1) != 0) \
        fprintf(out, "    calls." #name " = " #name ";\n");
    TORTURE_CALLS(CALL)
#undef CALL
    fprintf(out, "}\n");
}

int torture_write_program(FILE *out, const struct torture_plan *plan,
                          const struct torture_result *found)
{
    static const char *const kit[] = {"kit.h", "roles.h", "kit.c", "kit_block.c", "kit_box.c"};
    int result = 0;
    write_opening(out, plan, found);
    for (size_t i = 0; i < sizeof kit / sizeof kit[0] && result == 0; i++)
        result = write_file(out, kit[i]);
    if (result == 0)
        result = write_scenario_files(out, plan->scenario->files);
    write_settings(out, plan, found);
    return result == 0 ? write_file(out, "program_main.c") : result;
}
