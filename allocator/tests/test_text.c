/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "text.h"

static void formats_strings_numbers_and_pointers(void **state)
{
    (void)state;
    char buffer[64];
    struct text text = text_start(buffer, sizeof buffer);
    text_add(&text, "%s %zu %p %%", "a", (size_t)120, (void *)0xabc0);
    assert_string_equal(buffer, "a 120 0xabc0 %");
    assert_int_equal(text.length, 14);
}

static void cuts_off_what_does_not_fit(void **state)
{
    (void)state;
    char buffer[6] = "xxxxx";
    struct text text = text_start(buffer, 5);
    text_add(&text, "%s", "abcdefgh");
    assert_string_equal(buffer, "abcd");
    assert_int_equal(buffer[5], 0);
}

static void a_buffer_of_no_bytes_is_not_touched(void **state)
{
    (void)state;
    char byte = 'x';
    struct text text = text_start(&byte, 0);
    text_add(&text, "%zu", (size_t)1);
    assert_int_equal(byte, 'x');
    assert_int_equal(text.length, 0);
}

static void a_line_that_cannot_be_written_is_dropped(void **state)
{
    (void)state;
    char buffer[8];
    struct text text = text_start(buffer, sizeof buffer);
    text_add(&text, "%s", "abc");
    text_write(&text, -1);
    assert_int_equal(text.length, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_strings_numbers_and_pointers),
        cmocka_unit_test(cuts_off_what_does_not_fit),
        cmocka_unit_test(a_buffer_of_no_bytes_is_not_touched),
        cmocka_unit_test(a_line_that_cannot_be_written_is_dropped),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
