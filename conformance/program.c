/* SPDX-License-Identifier: MIT */
/* A program is the probe and what it uses of its file and of the testlib, between the table of
 * calls and a main. The rules of probe.h make that possible. */
#include "conformance/program.h"

#include "harness/program/program.h"

#include "harness/program/embedded.h"
#include "harness/program/text.h"

#define PROBE_NO_NAMES
#include "conformance/probe.h"

/* In the order of the program: what is used stands behind what it uses. */
static const char *const testlib[] = {
    "harness/base/clock.h",  "harness/base/memory.h",       "harness/base/memory.c",
    "harness/base/trend.h",  "harness/base/trend.c",        "conformance/outcome.h",
    "conformance/plain_c.h", "conformance/testlib.h",       "conformance/testlib_process.c",
    "conformance/testlib.c", "conformance/testlib_calls.c", "conformance/testlib_misuse.c"};

enum { PROGRAM_WALL_S = 300 };

static const struct function {
    const char *name, *result, *parameters;
} family[] = {
#define CALL(name, result, parameters) {#name, #result, #parameters},
    SUBJECT_CALLS(CALL) SUBJECT_MORE_CALLS(CALL)
#undef CALL
};

/* Newer than many C libraries: a program asks for them when it runs, for a weak reference may be
 * settled when it is linked. */
static bool is_looked_up(const struct function *function)
{
    static const char *const names[] = {"free_sized", "free_aligned_sized", "memalignment"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], function->name) == 0)
            return !program_has_names();
    return false;
}

/* Bit i: the subject had function i of the family when the probe ran; nothing is known: all. */
static bool is_offered(unsigned offers, size_t i)
{
    const unsigned bits[] = {
#define CALL(name, result, parameters) NEEDS(name),
        SUBJECT_CALLS(CALL) SUBJECT_MORE_CALLS(CALL)
#undef CALL
    };
    return offers == 0 || (offers & bits[i]) != 0;
}

/* A function that the subject lacks is NULL, as it was for the probe: the C library's would give
 * and take blocks of another heap. */
static void put_family(FILE *out, struct program *program, unsigned offers)
{
    const struct function *used[sizeof family / sizeof family[0]];
    size_t count = 0;
    for (size_t i = 0; i < sizeof family / sizeof family[0]; i++)
        if (program_uses(program, family[i].name))
            used[count++] = &family[i];
    if (count == 0)
        return;
    fprintf(out, "/* Calls go through volatile pointers, so that no compiler leaves one out. */\n");
    for (size_t i = 0; i < count; i++)
        if (program_names(used[i]->name)) /* a macro too, until the table has it */
            fprintf(out, "#undef %s\n", used[i]->name);
    if (program_uses(program, "mallinfo"))
        fprintf(out, "#pragma GCC diagnostic ignored \"-Wdeprecated-declarations\"\n");
    fprintf(out, "struct {\n");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "    %s%s(*volatile %s)%s;\n", used[i]->result,
                strchr(used[i]->result, '*') != NULL ? "" : " ", used[i]->name,
                used[i]->parameters);
    fprintf(out, "} calls = {");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s%s", i > 0 ? ", " : "", program_names(used[i]->name) ? "declared_" : "",
                is_looked_up(used[i]) || !is_offered(offers, (size_t)(used[i] - family))
                    ? "NULL"
                    : used[i]->name);
    fprintf(out, "};\n");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "#define %s(...) calls.%s(__VA_ARGS__)\n", used[i]->name, used[i]->name);
}

/* Moves *item behind `PROBE(name, clauses)`, if it begins so, and returns where that stands. */
static const char *skip_heading(struct item *item, const char *name)
{
    const char *at = item->start, *heading;
    struct word token;
    if (!token_next(&at, item->end, &token) ||
        !(word_is(&token, "PROBE") || word_is(&token, "PROCESS_PROBE") ||
          word_is(&token, "PROCESS_PROBE_IF_POSSIBLE") || word_is(&token, "PROCESS_PROBE_OF_ANY")))
        return NULL;
    heading = token.start;
    if (!word_next(&at, item->end, &token) || !word_is(&token, name))
        return NULL;
    for (int depth = 1; depth > 0 && token_next(&at, item->end, &token);)
        depth += (token.start[0] == '(') - (token.start[0] == ')');
    item->start = at;
    return heading;
}

static void put_probe(FILE *out, struct program *program, const char *path, const char *name)
{
    const struct embedded_file *file = embedded_find(path);
    const char *at = file != NULL ? file->start : NULL;
    for (struct item item; file != NULL && item_next(&at, file->end, &item);) {
        const char *start = item.start, *heading = skip_heading(&item, name);
        if (heading == NULL)
            continue;
        fprintf(out, "%.*sstatic enum probe_outcome %s(void)%.*s", (int)(heading - start), start,
                name, (int)(item.end - item.start), item.start);
        return;
    }
    program_fail(program, "%s has no probe %s", path, name);
}

/* A hang ends the program by a signal, after minutes: what is slow is not to be stopped. */
static void put_main(FILE *out, struct program *program, const char *probe)
{
    fprintf(out, "int main(void)\n{\n    alarm(%d);\n", PROGRAM_WALL_S);
    for (size_t i = 0; i < sizeof family / sizeof family[0]; i++)
        if (is_looked_up(&family[i]) && program_uses(program, family[i].name))
            fprintf(out, "    *(void *volatile *)&calls.%s = dlsym(RTLD_DEFAULT, \"%s\");\n",
                    family[i].name, family[i].name);
    fprintf(out, "    enum probe_outcome outcome = %s();\n", probe);
    fprintf(out, "    _exit(outcome == OUTCOME_FAIL || outcome == OUTCOME_WEAK || outcome == "
                 "OUTCOME_SILENT);\n}\n");
}

static void say_opening(struct program *program, const struct clause_result *result,
                        const char *subject)
{
    const struct clause *clause = result->clause;
    char profiles[PROFILES_TEXT_MAX];
    bool is_misuse = clause->strength == STRENGTH_HARDENING || clause->strength == STRENGTH_UB;
    program_say(program, "%s, %s in %s", clause->id, strength_name(clause->strength),
                profiles_text(clause->profiles, profiles));
    program_say(program, "Requirement: %s", clause->requirement);
    program_say(program, "On %s, %s: %s", subject, clause_verdict_name(result->verdict),
                result->evidence);
    program_say_build(program, "cc", "", NULL);
    program_say(program, "%s",
                is_misuse ? "Exit status: it uses memory wrongly on purpose. 0, or death by a "
                            "signal: that was noticed; 1: nothing noticed it."
                          : "Exit status 0: the requirement holds, or what is printed says why it "
                            "cannot be asked; 1, or death by a signal: it does not.");
}

static void add_parts(struct program *program, const struct probe *probe, unsigned offers)
{
    static const char *const headers[] = {"dlfcn.h",     "errno.h",   "malloc.h", "stdarg.h",
                                          "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h",
                                          "stdio.h",     "stdlib.h",  "string.h", "unistd.h"};
    char path[128];
    const char *inside = strstr(probe->file, "probes/");
    snprintf(path, sizeof path, "conformance/%s", inside != NULL ? inside : probe->file);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        program_include(program, headers[i]);
    FILE *top = program_add_text(program);
    for (size_t i = 0; i < sizeof testlib / sizeof testlib[0]; i++)
        program_add_file(program, testlib[i], PROGRAM_NEEDED);
    program_add_file(program, path, PROGRAM_ORIGIN);
    put_probe(program_add_text(program), program, path, probe->job.name);
    program_pick(program);
    put_family(top, program, offers);
    put_main(program_add_text(program), program, probe->job.name);
}

int program_write(FILE *out, const struct clause_result *result, const char *subject)
{
    if (result->probe == NULL)
        return ENOENT;
    struct program *program = program_begin();
    if (program == NULL)
        return ENOMEM;
    say_opening(program, result, subject);
    add_parts(program, result->probe, result->offers);
    return program_end(program, out);
}
