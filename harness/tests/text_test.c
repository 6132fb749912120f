/* SPDX-License-Identifier: MIT */
/* Foreign text: bounded, printable, one line. */
#include "harness/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check_line(const char *printed, const char *expected)
{
    char whole[32] = "", bytewise[32] = "", line[32];
    text_keep_line(whole, sizeof whole, printed, strlen(printed));
    for (size_t i = 0; i < strlen(printed); i++)
        text_keep_line(bytewise, sizeof bytewise, printed + i, 1);
    assert_string_equal(whole, bytewise);
    text_copy_line(line, sizeof line, whole);
    assert_string_equal(line, expected);
}

static void first_line_with_a_word_is_kept_whatever_the_chunks(void **state)
{
    (void)state;
    check_line("", "");
    check_line("one", "one");
    check_line("one\ntwo\n", "one");
    check_line("\n\n====\n*** two ***\nthree\n", "*** two ***");
    check_line("a\tb\x01\n", "a?b?");
    check_line("0123456789012345678901234567890123456789\nnext\n",
               "012345678901234567890123456789");
}

static void copy_is_printable_and_bounded(void **state)
{
    (void)state;
    char text[5];
    const char unterminated[4] = {'a', '\n', '\x7f', 'b'};
    text_copy_printable(text, sizeof text, unterminated);
    assert_string_equal(text, "a??b");
    text_copy_printable(text, 3, text);
    assert_string_equal(text, "a?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_line_with_a_word_is_kept_whatever_the_chunks),
        cmocka_unit_test(copy_is_printable_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
