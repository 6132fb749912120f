/* SPDX-License-Identifier: MIT */
/* Parts of a check alone: how a trace reads on its page, its statuses, its builds. */
#include "conformance/clauses.h"
#include "mallet/check_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPS_MAX = 32 };

/* To be freed. */
static char *print(const char *text, uint32_t cycle)
{
    static struct trace_op ops[OPS_MAX];
    struct trace trace = {.ops = ops, .capacity = OPS_MAX};
    struct trace_error error;
    char *printed = NULL;
    size_t length = 0;
    assert_int_equal(trace_parse(text, strlen(text), &trace, &error), 0);
    FILE *memory = open_memstream(&printed, &length);
    const struct finding finding = {.check = "overlap", .cycle = cycle, .trace = trace};
    check_print_calls(memory, &finding);
    fclose(memory);
    return printed;
}

static void assert_prints(const char *text, const char *expected)
{
    char *printed = print(text, 0);
    assert_string_equal(printed, expected);
    free(printed);
}

static void every_kind_of_call_is_the_c_that_it_stands_for(void **state)
{
    (void)state;
    assert_prints("#0 = malloc 64\n#1 = calloc 3 7\n#0 = realloc #0 100\nfree #1\n",
                  "     void *a = malloc(64);\n"
                  "     void *b = calloc(3, 7);\n"
                  "     a = realloc(a, 100);\n"
                  "     free(b);\n");
    assert_prints("#0 = posix_memalign 64 1\n#1 = realloc NULL 5\n#2 = aligned_alloc 16 32\n",
                  "     void *a; posix_memalign(&a, 64, 1);\n"
                  "     void *b = realloc(NULL, 5);\n"
                  "     void *c = aligned_alloc(16, 32);\n");
    assert_prints("#0 = malloc 1\nfree #0\n#0 = posix_memalign 64 1\nfree #0\n#0 = malloc 2\n",
                  "     void *a = malloc(1);\n"
                  "     free(a);\n"
                  "     posix_memalign(&a, 64, 1);\n"
                  "     free(a);\n"
                  "     a = malloc(2);\n");
    assert_prints("#0 = malloc PTRDIFF_MAX+1\nfail-os 1\n#1 = malloc usable(#0)+1\n",
                  "     void *a = malloc(PTRDIFF_MAX+1);\n"
                  "     /* request 1 to the system from here is refused */\n"
                  "     void *b = malloc(malloc_usable_size(a) +1);\n");
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void a_long_trace_is_ten_lines_with_its_end(void **state)
{
    char text[1024] = "";
    (void)state;
    for (int i = 0; i < 20; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "#%d = malloc %d\n", i, i + 1);
    char *printed = print(text, 0);
    assert_int_equal(count_lines(printed), 10);
    assert_non_null(strstr(printed, "11 calls: see the program"));
    assert_non_null(strstr(printed, "void *t = malloc(20);"));
    free(printed);
}

static void what_shows_in_a_later_cycle_is_said_before_the_calls(void **state)
{
    (void)state;
    char *printed = print("#0 = malloc 1\n", 12);
    assert_string_equal(printed,
                        "     /* 13 times these calls, each time freeing what they leave: */\n"
                        "     void *a = malloc(1);\n");
    free(printed);
}

static void statuses_are_ordered_by_what_a_caller_must_know_first(void **state)
{
    static const int statuses[] = {EXIT_CLEAN,   EXIT_INCOMPLETE, EXIT_FINDINGS,
                                   EXIT_REFUSED, EXIT_INTERNAL,   EXIT_INTERRUPTED};
    const struct cli_work whole = {.done = 3, .minimum = 3}, part = {.done = 2, .minimum = 3};
    (void)state;
    for (size_t i = 1; i < sizeof statuses / sizeof statuses[0]; i++) {
        assert_int_equal(cli_worse_status(statuses[i - 1], statuses[i]), statuses[i]);
        assert_int_equal(cli_worse_status(statuses[i], statuses[i - 1]), statuses[i]);
    }
    assert_int_equal(cli_conclude(0, &whole), EXIT_CLEAN);
    assert_int_equal(cli_conclude(0, &part), EXIT_INCOMPLETE);
    assert_int_equal(cli_conclude(1, &part), EXIT_FINDINGS);
}

static void builds_are_told_apart_by_content(void **state)
{
    char path[] = "/tmp/mallet-build-XXXXXX", first[17], second[17];
    int file = mkstemp(path);
    FILE *stream = fdopen(file, "w");
    (void)state;
    fputs("one", stream);
    fflush(stream);
    check_build_id(path, first);
    fputs("x", stream);
    fclose(stream);
    check_build_id(path, second);
    assert_int_equal(strlen(first), 16);
    assert_string_not_equal(first, second);
    remove(path);
    check_build_id(path, second);
    assert_string_equal(second, "");
}

static void the_clause_of_a_check_is_in_the_registry(void **state)
{
    size_t clauses = 0;
    (void)state;
    clauses_load();
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const char *id = check_clause((enum check)i);
        if (id == NULL)
            continue;
        clauses++;
        assert_non_null(clauses_find(id));
    }
    assert_true(clauses > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_call_is_the_c_that_it_stands_for),
        cmocka_unit_test(a_long_trace_is_ten_lines_with_its_end),
        cmocka_unit_test(what_shows_in_a_later_cycle_is_said_before_the_calls),
        cmocka_unit_test(statuses_are_ordered_by_what_a_caller_must_know_first),
        cmocka_unit_test(builds_are_told_apart_by_content),
        cmocka_unit_test(the_clause_of_a_check_is_in_the_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
