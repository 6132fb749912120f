/* SPDX-License-Identifier: MIT */
/*
 * Exported programs are compiled as a person would (cc -O2 -Wall, and -Werror) and run on the libc:
 * every op kind under every check, and every seed of the corpus, must end with status 0. What the
 * programs catch is for the mutants to show.
 *
 * usage: export_test [FOLDER of seeds]
 */
#include "harness/finding/finding.h"
#include "harness/program/export.h"
#include "harness/program/program.h"

#include <glob.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { OPS_MAX = 8192, TEXT_MAX = 1 << 20 };

static const char *seeds_folder;
static char work[PATH_MAX / 2];
static struct trace_op ops[OPS_MAX];
static char text[TEXT_MAX];

static const char every_kind[] = "#0 = malloc 48\n"
                                 "#1 = calloc 4 12\n"
                                 "#2 = aligned_alloc 64 128\n"
                                 "#3 = posix_memalign 64 100\n"
                                 "#4 = memalign 32 10\n"
                                 "#5 = valloc 100\n"
                                 "#6 = pvalloc 100\n"
                                 "#7 = realloc NULL 48\n"
                                 "#8 = reallocarray NULL 4 12\n"
                                 "#0 = realloc #0 size(#1)+1\n"
                                 "#0 = realloc #0 usable(#0)+1\n"
                                 "#1 = reallocarray #1 3 size(#0)-3\n"
                                 "#2 = realloc #2 0\n"
                                 "malloc_usable_size #3\n"
                                 "sweep\n"
                                 "malloc_trim 0\n"
                                 "thread 1\n"
                                 "fail-os 2\n"
                                 "fork\n"
                                 "thread-exit 1\n"
                                 "thread 2\n"
                                 "#9 = malloc 2000000\n"
                                 "#10 = malloc SIZE_MAX\n"
                                 "#11 = calloc 2^33 2^32\n"
                                 "#12 = realloc NULL PTRDIFF_MAX\n"
                                 "#13 = posix_memalign 3 10\n"
                                 "#13 = realloc #13 4096\n"
                                 "#14 = malloc usable(#3)-16\n"
                                 "free_sized #0\n"
                                 "free_aligned_sized #2\n"
                                 "free_sized #3\n"
                                 "#0 = aligned_alloc 64 64\n"
                                 "free_aligned_sized #0\n"
                                 "free NULL\n"
                                 "free #1\n"
                                 "sbrk 100\n";

static struct trace parse(const char *content, size_t length)
{
    struct trace trace = {.ops = ops, .capacity = OPS_MAX};
    struct trace_error error;
    if (trace_parse(content, length, &trace, &error) != 0)
        fail_msg("line %zu: %s", error.line, error.sentence);
    return trace;
}

static int run_shell(const char *format, const char *argument)
{
    char command[PATH_MAX];
    snprintf(command, sizeof command, format, argument, argument);
    return system(command);
}

/* Exports, compiles, runs; fails the test, with the program kept, unless the status is 0. */
static void assert_compiled_is_clean(const char *compile, const struct trace *trace,
                                     const struct verdict *verdict, const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/program.c", work);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    export_program(out, trace, verdict);
    assert_int_equal(fclose(out), 0);
    if (run_shell(compile, work) != 0)
        fail_msg("%s: %s does not compile", name, path);
    int status = run_shell("'%s/program'", work);
    if (status != 0)
        fail_msg("%s: %s ended with status 0x%x", name, path, (unsigned)status);
}

static void assert_program_is_clean(const struct trace *trace, const struct verdict *verdict,
                                    const char *name)
{
    assert_compiled_is_clean("cc -O2 -Wall -Werror -pthread '%s/program.c' -o '%s/program' -ldl",
                             trace, verdict, name);
}

static void every_op_kind_compiles_and_holds_without_a_verdict(void **state)
{
    (void)state;
    struct trace trace = parse(every_kind, strlen(every_kind));
    assert_program_is_clean(&trace, NULL, "no verdict");
}

static void every_op_kind_holds_as_a_campaign_compiles_it(void **state)
{
    (void)state;
    struct trace trace = parse(every_kind, strlen(every_kind));
    assert_compiled_is_clean("cc -O0 -fno-builtin -w -pthread '%s/program.c' -o '%s/program'",
                             &trace, NULL, "no verdict");
}

static void every_check_compiles_and_holds_on_every_op_kind(void **state)
{
    (void)state;
    static const uint32_t blamed[] = {0, 3, 10, 22, 25, 34, VERDICT_NO_OP};
    struct trace trace = parse(every_kind, strlen(every_kind));
    for (unsigned check = 0; check < CHECK_COUNT; check++) {
        struct verdict verdict = {.check = check,
                                  .op = blamed[check % (sizeof blamed / sizeof blamed[0])],
                                  .site = "malloc"};
        snprintf(verdict.sentence, sizeof verdict.sentence,
                 "a sentence with */ in it, which is 8 bytes past a multiple of 16");
        if (check == CHECK_IMPOSSIBLE || check == CHECK_ALIGNMENT || check == CHECK_NULL)
            verdict.op = check == CHECK_IMPOSSIBLE ? 22 : 0;
        if (check == CHECK_POLICY || check == CHECK_RECOVERY)
            verdict.op = check == CHECK_POLICY ? 25 : 0;
        assert_program_is_clean(&trace, &verdict, check_name((enum check)check));
    }
}

static void a_policy_verdict_makes_the_choice_twice(void **state)
{
    (void)state;
    static const char content[] =
        "#0 = malloc 0\n#1 = malloc 0\n#2 = malloc 8\n#2 = realloc #2 0\n";
    struct trace trace = parse(content, strlen(content));
    assert_program_is_clean(&trace,
                            &(struct verdict){.check = CHECK_POLICY, .op = 1, .site = "malloc"},
                            "in the trace");
    assert_program_is_clean(
        &trace, &(struct verdict){.check = CHECK_POLICY, .op = 3, .site = "realloc"}, "in a probe");
}

static void assert_exported_has(const char *content, const char *part)
{
    char path[PATH_MAX];
    struct trace trace = parse(content, strlen(content));
    snprintf(path, sizeof path, "%s/program.c", work);
    FILE *out = fopen(path, "w+");
    assert_non_null(out);
    export_program(out, &trace, NULL);
    assert_int_equal(fseek(out, 0, SEEK_SET), 0);
    text[fread(text, 1, sizeof text - 1, out)] = '\0';
    fclose(out);
    if (strstr(text, part) == NULL)
        fail_msg("%s has no \"%s\"", path, part);
}

/* A run takes sizes modulo 2^32 there. */
static void sizes_for_a_32_bit_subject_are_its_own(void **state)
{
    (void)state;
    assert_exported_has("#0 = malloc PTRDIFF_MAX-42\n", "(size_t)PTRDIFF_MAX - 42");
    program_use_compile_option("-m32");
    assert_exported_has("#0 = malloc PTRDIFF_MAX-42\n", "SIZE_MAX - 42");
    assert_exported_has("#0 = malloc 2147483648\n", "(size_t)PTRDIFF_MAX + 1");
    program_use_compile_option(NULL);
}

static void a_trace_without_blocks_compiles(void **state)
{
    (void)state;
    static const char content[] = "free NULL\nsweep\nfork\n";
    struct trace trace = parse(content, strlen(content));
    assert_program_is_clean(&trace, NULL, "no verdict");
    assert_program_is_clean(
        &trace, &(struct verdict){.check = CHECK_FOOTPRINT, .op = VERDICT_NO_OP, .site = "cycle"},
        "footprint");
}

static void every_seed_compiles_and_holds(void **state)
{
    (void)state;
    char pattern[PATH_MAX];
    glob_t found;
    if (seeds_folder == NULL)
        skip();
    snprintf(pattern, sizeof pattern, "%s/*.trace", seeds_folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *seed = fopen(found.gl_pathv[i], "r");
        assert_non_null(seed);
        size_t length = fread(text, 1, sizeof text, seed);
        fclose(seed);
        struct trace trace = parse(text, length);
        assert_program_is_clean(&trace, NULL, found.gl_pathv[i]);
    }
    globfree(&found);
}

int main(int argc, char **argv)
{
    const char *base = getenv("TMPDIR");
    seeds_folder = argc > 1 ? argv[1] : NULL;
    snprintf(work, sizeof work, "%s/mallet-export-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(work) == NULL)
        return 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_kind_compiles_and_holds_without_a_verdict),
        cmocka_unit_test(every_op_kind_holds_as_a_campaign_compiles_it),
        cmocka_unit_test(every_check_compiles_and_holds_on_every_op_kind),
        cmocka_unit_test(a_policy_verdict_makes_the_choice_twice),
        cmocka_unit_test(sizes_for_a_32_bit_subject_are_its_own),
        cmocka_unit_test(a_trace_without_blocks_compiles),
        cmocka_unit_test(every_seed_compiles_and_holds),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0)
        run_shell("rm -r '%s'", work);
    return failed;
}
