/* SPDX-License-Identifier: MIT */
/* Programs put together of files that stand here, not of those of the registry. */
#include "harness/program/embedded.h"
#include "harness/program/program.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char header[] = "/* SPDX-License-Identifier: MIT */\n"
                             "/* Not of the program. */\n"
                             "#ifndef TESTLIB_H\n"
                             "#define TESTLIB_H\n"
                             "\n"
                             "#include <stdio.h>\n"
                             "\n"
                             "#define LIMIT 10\n"
                             "\n"
                             "/* Defined in the other file. */\n"
                             "int helper(int x);\n"
                             "\n"
                             "#define HELP(x) helper(x)\n"
                             "int helper(int x);\n"
                             "\n"
                             "#ifndef __GLIBC__\n"
                             "struct other { int a; };\n"
                             "\n"
                             "#endif\n"
                             "#endif\n";
static const char source[] = "#include \"testlib.h\"\n"
                             "\n"
                             "#include <stdlib.h>\n"
                             "#include <stdio.h>\n"
                             "\n"
                             "/* Says 'unused' and \"other\". */\n"
                             "static int twice(int x)\n"
                             "{\n"
                             "    return 2 * x;\n"
                             "}\n"
                             "\n"
                             "static int unused(void) { return 0; }\n"
                             "\n"
                             "int helper(int x)\n"
                             "{\n"
                             "#ifdef WITH_LIMIT\n"
                             "#if LIMIT > 5\n"
                             "    x = x < LIMIT ? x : LIMIT;\n"
                             "#endif\n"
                             "#else\n"
                             "    x++;\n"
                             "#endif\n"
                             "\n"
                             "    return twice(x);\n"
                             "}\n";
static const char torn[] = "int torn(void)\n{\n    return (1;\n}\n";

/* Takes the place of the registry. */
const struct embedded_file *embedded_find(const char *name)
{
    static const struct embedded_file files[] = {
        {"testlib.h", header, header + sizeof header - 1},
        {"testlib.c", source, source + sizeof source - 1},
        {"torn.c", torn, torn + sizeof torn - 1},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}

static char text[8192];

static int end(struct program *program)
{
    memset(text, 0, sizeof text);
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    assert_non_null(out);
    int error = program_end(program, out);
    fclose(out);
    return error;
}

static void make(const char *feature, enum program_share share, const char *body)
{
    struct program *program = program_begin();
    assert_non_null(program);
    program_say(program, "Shows it.");
    if (feature != NULL)
        program_with(program, feature);
    program_add_file(program, "testlib.h", share);
    program_add_file(program, "testlib.c", share);
    fputs(body, program_add_text(program));
    program_pick(program);
    assert_int_equal(end(program), 0);
}

static void only_what_is_used_is_taken(void **state)
{
    (void)state;
    make(NULL, PROGRAM_NEEDED, "int main(void)\n{\n    return helper(1);\n}\n");
    assert_string_equal(text, "/*\n"
                              " * Shows it.\n"
                              " */\n"
                              "#define _GNU_SOURCE\n"
                              "#include <stdio.h>\n"
                              "#include <stdlib.h>\n"
                              "\n"
                              "#define HELP(x) helper(x)\n"
                              "int helper(int x);\n"
                              "\n"
                              "/* Says 'unused' and \"other\". */\n"
                              "static int twice(int x)\n"
                              "{\n"
                              "    return 2 * x;\n"
                              "}\n"
                              "\n"
                              "int helper(int x)\n"
                              "{\n"
                              "    x++;\n"
                              "\n"
                              "    return twice(x);\n"
                              "}\n"
                              "\n"
                              "int main(void)\n{\n    return helper(1);\n}\n");
}

static void includes_are_those_of_files_that_give_something(void **state)
{
    (void)state;
    make(NULL, PROGRAM_NEEDED, "int main(void)\n{\n    return LIMIT;\n}\n");
    assert_non_null(strstr(text, "#include <stdio.h>\n\n#define LIMIT 10\n\nint main"));
    assert_null(strstr(text, "stdlib.h"));
}

static void a_macro_needs_the_function_that_its_header_declares(void **state)
{
    (void)state;
    make(NULL, PROGRAM_NEEDED, "int main(void)\n{\n    return HELP(1);\n}\n");
    assert_non_null(strstr(text, "#define HELP(x) helper(x)\n"));
    assert_non_null(strstr(text, "int helper(int x)\n{\n"));
}

static void features_choose_between_variants_other_conditions_stay(void **state)
{
    (void)state;
    make("WITH_LIMIT", PROGRAM_NEEDED, "int main(void)\n{\n    return helper(1);\n}\n");
    assert_non_null(strstr(text, "{\n#if LIMIT > 5\n    x = x < LIMIT ? x : LIMIT;\n#endif\n\n"));
    assert_non_null(strstr(text, "#define LIMIT 10\n"));
    assert_null(strstr(text, "WITH_"));
    assert_null(strstr(text, "x++"));
}

static void whole_files_lose_what_is_only_between_files(void **state)
{
    (void)state;
    make(NULL, PROGRAM_WHOLE, "int main(void)\n{\n}\n");
    assert_non_null(strstr(text, "\n/* Not of the program. */\n\n#define LIMIT 10\n\n"
                                 "/* Defined in the other file. */\nint helper(int x);\n\n#define "
                                 "HELP(x) helper(x)\nint helper(int x);\n\n"
                                 "#ifndef __GLIBC__\nstruct other { int a; };\n\n#endif\n\n"));
    assert_non_null(strstr(text, "static int unused(void) { return 0; }\n"));
    assert_null(strstr(text, "TESTLIB_H"));
    assert_null(strstr(text, "SPDX"));
    assert_null(strstr(text, "testlib.h"));
}

static void a_text_of_a_file_needs_its_includes_and_means_its_names(void **state)
{
    (void)state;
    struct program *program = program_begin();
    program_add_file(program, "testlib.h", PROGRAM_NEEDED);
    program_add_file(program, "testlib.c", PROGRAM_ORIGIN);
    fputs("int main(void)\n{\n    return 0;\n}\n", program_add_text(program));
    program_pick(program);
    assert_true(program_uses(program, "main"));
    assert_false(program_uses(program, "helper"));
    assert_int_equal(end(program), 0);
    assert_non_null(strstr(text, "#include <stdlib.h>\n"));
}

static void the_comment_is_wrapped_and_nothing_ends_it(void **state)
{
    (void)state;
    struct program *program = program_begin();
    program_say(program, "It said */ and /*, \033[1m \xff, %s",
                "a word and a word and a word and a word and a word and a word and a word and a "
                "word and a word");
    program_say_build(program, "cc -O1", "-ldl", NULL);
    program_say(program, "Exit status 1: it shows.");
    assert_int_equal(end(program), 0);
    const char *close = strstr(text, "*/");
    assert_non_null(close);
    assert_ptr_equal(strstr(close, "*/\n#define _GNU_SOURCE\n"), close);
    assert_null(strstr(text + 2, "/*"));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_in_range(strcspn(line, "\n"), 0, 100);
        assert_true(line >= close || strncmp(line, "/*", 2) == 0 || strncmp(line, " *", 2) == 0);
    }
    assert_non_null(strstr(text, " * It said * / and / *, ?[1m ?, a word"));
    assert_non_null(strstr(text, "\n *\n *     cc -O1 program.c -o program -ldl\n"
                                 " *     LD_PRELOAD=/path/to/allocator.so ./program; echo $?\n"
                                 " *\n * Exit status 1: it shows.\n */\n"));
}

static void what_cannot_be_written_is_named(void **state)
{
    (void)state;
    struct program *program = program_begin();
    program_add_file(program, "nowhere.c", PROGRAM_WHOLE);
    program_fail(program, "a later problem");
    assert_int_equal(end(program), EINVAL);
    assert_string_equal(text, "#error \"no embedded file: nowhere.c\"\n");
    program = program_begin();
    program_add_file(program, "torn.c", PROGRAM_NEEDED);
    assert_int_equal(end(program), EINVAL);
    assert_non_null(strstr(text, "#error \"brackets or #if do not match"));
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    program = program_begin();
    assert_int_equal(program_end(program, full), EIO);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_used_is_taken),
        cmocka_unit_test(includes_are_those_of_files_that_give_something),
        cmocka_unit_test(a_macro_needs_the_function_that_its_header_declares),
        cmocka_unit_test(features_choose_between_variants_other_conditions_stay),
        cmocka_unit_test(whole_files_lose_what_is_only_between_files),
        cmocka_unit_test(a_text_of_a_file_needs_its_includes_and_means_its_names),
        cmocka_unit_test(the_comment_is_wrapped_and_nothing_ends_it),
        cmocka_unit_test(what_cannot_be_written_is_named),
    };
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
