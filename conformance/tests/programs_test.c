/* SPDX-License-Identifier: MIT */
/*
 * The programs that are cut out of probes: every one compiles without a warning, and says by its
 * exit status what the gate says.
 *
 *     programs_test LIBRARY-OF-MUTANTS [--keep FOLDER] [--all]   --all: run the programs of every
 *     mutant, not of a few
 */
#include "conformance/program.h"
#include "conformance/report_formats.h"
#include "mutants/registry.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SECONDS = 60, RUNS = 12 };

static char folder[PATH_MAX] = "/tmp/mallet-programs-XXXXXX", library[PATH_MAX];
static bool runs_all;

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
    char command[3 * PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    return system(command);
}

static const struct clause *first_clause_of(const char *clauses)
{
    char id[64];
    snprintf(id, sizeof id, "%.*s", (int)strcspn(clauses, " ,"), clauses);
    return clauses_find(id);
}

/* Writes FOLDER/NAME.c; `clauses` begins with the one that it is about. */
static int write_program(const char *name, const struct probe *probe, const char *clauses)
{
    char path[2 * PATH_MAX];
    struct clause_result result = {
        .clause = first_clause_of(clauses), .verdict = CLAUSE_FAIL, .probe = probe};
    snprintf(result.evidence, sizeof result.evidence,
             "malloc(1): expected no end of this comment */, observed one, or /* another");
    if (result.clause == NULL)
        fail_msg("%s names no clause: %s", name, clauses);
    snprintf(path, sizeof path, "%s/%s.c", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    int error = program_write(file, &result, "a subject");
    assert_int_equal(fclose(file), 0);
    if (error != 0)
        print_error("%s: %s; see the #error\n", name, strerror(error));
    return error;
}

static void programs_compile_by(const char *compiler)
{
    if (shell("command -v %s >/dev/null", compiler) != 0)
        skip();
    for (size_t i = 0; probes_at(i) != NULL; i++)
        write_program(probes_at(i)->job.name, probes_at(i), probes_at(i)->clauses);
    assert_int_equal(
        shell("cd '%s' && ls *.c | xargs -P2 -n16 %s -fsyntax-only -O2 -Wall -Wextra -Werror",
              folder, compiler),
        0);
}

static void every_program_compiles_without_a_warning(void **state)
{
    (void)state;
    programs_compile_by("cc");
}

static void every_program_compiles_with_clang(void **state)
{
    (void)state;
    programs_compile_by("clang");
}

static void the_comment_names_clause_and_evidence(void **state)
{
    (void)state;
    const struct probe *probe = probes_at(0);
    write_program("comment", probe, probe->clauses);
    assert_int_equal(shell("head -12 '%s/comment.c' | grep -qF 'On a subject, fail: malloc(1): "
                           "expected no end of this'",
                           folder),
                     0);
    assert_int_equal(shell("head -2 '%s/comment.c' | grep -qF '%s'", folder,
                           first_clause_of(probe->clauses)->id),
                     0);
}

/* As report_make_program makes it: of the second of two subjects too. */
static void a_program_is_compiled_as_its_subject_is(void **state)
{
    (void)state;
    const struct probe *probe = probes_at(0);
    const struct clause_result result = {
        .clause = first_clause_of(probe->clauses), .verdict = CLAUSE_FAIL, .probe = probe};
    const struct report_column wide = {.name = "wide"},
                               narrow = {.name = "narrow", .compile_option = "-m32"};
    char *of_narrow = report_make_program(&narrow, &result);
    char *of_wide = report_make_program(&wide, &result);
    assert_non_null(of_narrow);
    assert_non_null(of_wide);
    assert_non_null(strstr(of_narrow, " -m32 "));
    assert_null(strstr(of_wide, "-m32"));
    free(of_narrow);
    free(of_wide);
}

static void a_clause_without_a_probe_has_no_program(void **state)
{
    (void)state;
    struct clause_result result = {.clause = clauses_at(0)};
    assert_int_equal(program_write(stdout, &result, "a subject"), ENOENT);
}

static void a_program_for_one_call_contains_no_other(void **state)
{
    (void)state;
    const struct probe *probe = probes_find("GLIBC-valloc-1");
    assert_non_null(probe);
    assert_int_equal(write_program("one_call", probe, probe->clauses), 0);
    assert_int_equal(shell("grep -q 'volatile valloc)' '%s/one_call.c'", folder), 0);
    assert_int_not_equal(
        shell("grep 'volatile [a-z_]*)' '%s/one_call.c' | grep -qv 'valloc\\|free'", folder), 0);
}

static void a_probe_outside_the_rules_is_named(void **state)
{
    (void)state;
    struct probe probe = *probes_at(0);
    probe.job.name = "there_is_no_such_probe";
    assert_int_equal(write_program("outside", &probe, probe.clauses), EINVAL);
    assert_int_equal(
        shell("grep -q '^#error.*there_is_no_such_probe' '%s/outside.c' && rm '%s/outside.c'",
              folder, folder),
        0);
}

static bool is_function(const struct mutant *mutant)
{
    return strcmp(mutant->origin, "conformance") == 0;
}

/* A death by a signal shows the finding as well as 1 does; `timeout` reports it as a status beyond
 * 128. */
static void program_tells_mutant_from_sound(void **state)
{
    const struct mutant *mutant = *state;
    struct mutant_catch catch;
    assert_true(mutant_catch_find(mutant, "clause", &catch));
    const struct probe *probe = probes_find(first_clause_of(catch.names)->id);
    if (probe == NULL)
        skip();
    assert_int_equal(write_program(mutant->id, probe, catch.names), 0);
    assert_int_equal(shell("cd '%s' && cc -w -O2 %s.c -o %s", folder, mutant->id, mutant->id), 0);
    const char *run = "cd '%s' && LD_PRELOAD='%s' MALLET_MUTANT=%s timeout %d ./%s >%s.said 2>&1";
    int broken = shell(run, folder, library, mutant->id, SECONDS, mutant->id, mutant->id);
    if (!WIFSIGNALED(broken) && WEXITSTATUS(broken) != 1 && WEXITSTATUS(broken) <= 128)
        fail_msg("%s: its program exits with %d", mutant->id, WEXITSTATUS(broken));
    assert_int_equal(shell(run, folder, library, "", SECONDS, mutant->id, mutant->id), 0);
}

static size_t add_runs(struct CMUnitTest *tests)
{
    const struct mutant *mutant;
    size_t mutants = 0, count = 0, seen = 0;
    for (size_t i = 0; (mutant = mutant_at(i)) != NULL; i++)
        mutants += is_function(mutant);
    size_t step = runs_all || mutants < RUNS ? 1 : mutants / RUNS;
    for (size_t i = 0; (mutant = mutant_at(i)) != NULL; i++)
        if (is_function(mutant) && seen++ % step == 0)
            tests[count++] = (struct CMUnitTest){.name = mutant->id,
                                                 .test_func = program_tells_mutant_from_sound,
                                                 .initial_state = (void *)(uintptr_t)mutant};
    return count;
}

static bool prepare(int argc, char **argv)
{
    bool is_kept = false;
    for (int i = 2; i < argc; i++) {
        runs_all |= strcmp(argv[i], "--all") == 0;
        if (strcmp(argv[i], "--keep") == 0 && i + 1 < argc) {
            snprintf(folder, sizeof folder, "%s", argv[++i]);
            is_kept = mkdir(folder, 0777) == 0 || errno == EEXIST;
        }
    }
    return argc > 1 && realpath(argv[1], library) != NULL && (is_kept || mkdtemp(folder) != NULL);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[400] = {
        cmocka_unit_test(every_program_compiles_without_a_warning),
        cmocka_unit_test(every_program_compiles_with_clang),
        cmocka_unit_test(the_comment_names_clause_and_evidence),
        cmocka_unit_test(a_program_is_compiled_as_its_subject_is),
        cmocka_unit_test(a_clause_without_a_probe_has_no_program),
        cmocka_unit_test(a_program_for_one_call_contains_no_other),
        cmocka_unit_test(a_probe_outside_the_rules_is_named),
    };
    enum { FIXED = 6 };
    clauses_load();
    if (!prepare(argc, argv)) {
        fprintf(stderr,
                "programs_test: wants the library of mutants, and a folder that it may write\n");
        return 2;
    }
    int failures =
        _cmocka_run_group_tests("programs", tests, FIXED + add_runs(tests + FIXED), NULL, NULL);
    if (strncmp(folder, "/tmp/mallet-programs-", 21) == 0)
        shell("rm -r '%s'", folder);
    return failures;
}
