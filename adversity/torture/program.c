/* SPDX-License-Identifier: MIT */
/* A program is the testlib, the scenario's files and program_main.c, one behind the other. */
#include "adversity/torture/torture_internal.h"

#include "harness/program/program.h"

enum { PROCESSES = 20 };

static void add_file(struct program *program, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "adversity/torture/%s", name);
    program_add_file(program, path, PROGRAM_WHOLE);
}

/* "handoff" is scenario_handoff.c; each of the scenario's files is used by those before. */
static void add_scenario(struct program *program, const char *files)
{
    while (*files != '\0') {
        char name[64];
        int length = (int)strcspn(files, " ");
        fprintf(program_add_text(program), "void scenario_%.*s(void);\n", length, files);
        snprintf(name, sizeof name, "scenario_%.*s.c", length, files);
        add_file(program, name);
        files += length + (files[length] == ' ');
    }
}

static void say_opening(struct program *program, const struct torture_plan *plan,
                        const struct torture_result *found)
{
    const struct subject_plan *subject = plan->subject;
    bool is_musl = strcmp(subject->suffix, "-musl") == 0;
    program_say(program, "Scenario %s on %s: %s.", plan->scenario->name, subject->name,
                plan->scenario->text);
    program_say(program, "Found: %s: %s", check_name(found->verdict.check),
                found->verdict.sentence);
    program_say_build(program, is_musl ? "musl-gcc -O1 -g -static -pthread" : "cc -O1 -g -pthread",
                      "", is_musl ? "" : subject_plan_preload(subject));
    program_say(program,
                "It runs %d processes. Exit status 1: one of them fails. What threads do to each "
                "other does not repeat exactly.",
                PROCESSES);
}

static void put_settings(FILE *out, const struct torture_plan *plan,
                         const struct torture_result *found)
{
    static const enum subject_call used[] = {SUBJECT_malloc,         SUBJECT_free,
                                             SUBJECT_calloc,         SUBJECT_realloc,
                                             SUBJECT_memalign,       SUBJECT_aligned_alloc,
                                             SUBJECT_posix_memalign, SUBJECT_malloc_usable_size,
                                             SUBJECT_malloc_trim};
    const char *files = plan->scenario->files;
    fprintf(
        out,
        "#define PROCESSES %d\n#define WORKERS %u\n#define MILLISECONDS %u\n#define SEED %lluu\n",
        PROCESSES, plan->workers, plan->scenario->milliseconds, (unsigned long long)found->seed);
    fprintf(out, "#define ON_ONE_PROCESSOR %d\n#define PACE_US %u\n", found->on_one_processor,
            found->pace_us);
    fprintf(out, "#define MUTED \"%s\"\n#define IS_SMALL %d\n#define ALIGNMENT %zu\n", plan->muted,
            plan->subject->capacity != 0 || plan->subject->blocks != 0,
            torture_alignment(found->offers));
    fprintf(out, "#define SCENARIO scenario_%.*s\n\n", (int)strcspn(files, " "), files);
    fprintf(out, "/* What the subject defines; the rest would be the C library's, which does not "
                 "know its blocks. */\n");
    fprintf(out, "struct subject_calls calls;\nstatic void bind_calls(void)\n{\n");
    for (size_t i = 0; i < sizeof used / sizeof used[0]; i++)
        if ((found->offers >> used[i] & 1) != 0)
            fprintf(out, "    calls.%1$s = %1$s;\n", subject_call_name(used[i]));
    fprintf(out, "}\n");
}

int torture_write_program(FILE *out, const struct torture_plan *plan,
                          const struct torture_result *found)
{
    static const char *const base[] = {"harness/base/clock.h",  "harness/base/random.h",
                                       "harness/base/memory.h", "harness/base/memory.c",
                                       "harness/base/trend.h",  "harness/base/trend.c"};
    static const char *const testlib[] = {
        "testlib.h",           "roles.h",          "testlib.c", "testlib_block.c", "testlib_box.c",
        "testlib_footprint.c", "testlib_overlap.c"};
    struct program *program = program_begin();
    if (program == NULL)
        return ENOMEM;
    say_opening(program, plan, found);
    program_add_file(program, "harness/subject/subject_calls.h", PROGRAM_WHOLE);
    for (size_t i = 0; i < sizeof base / sizeof base[0]; i++)
        program_add_file(program, base[i], PROGRAM_WHOLE);
    for (size_t i = 0; i < sizeof testlib / sizeof testlib[0]; i++)
        add_file(program, testlib[i]);
    add_scenario(program, plan->scenario->files);
    put_settings(program_add_text(program), plan, found);
    add_file(program, "program_main.c");
    return program_end(program, out);
}
