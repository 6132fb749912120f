/* SPDX-License-Identifier: MIT */
/*
 * The text form: what each op looks like, how numbers are written and read, that text and ops say
 * the same, and the one sentence that each bad line gets.
 */
#include "harness/trace/trace.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { OPS_MAX = 4096, TEXT_MAX = OPS_MAX * TRACE_LINE_MAX };

static struct trace_op ops[OPS_MAX];
static struct trace_op again_ops[OPS_MAX];
static char text_out[TEXT_MAX];

static struct trace parse(const char *text)
{
    struct trace trace = {.ops = ops, .capacity = OPS_MAX};
    struct trace_error error = {.line = 0};
    if (trace_parse(text, strlen(text), &trace, &error) != 0)
        fail_msg("line %zu: %s", error.line, error.sentence);
    return trace;
}

static void assert_bad(const char *text, size_t length, size_t line, const char *sentence)
{
    struct trace trace = {.ops = ops, .count = 77, .capacity = OPS_MAX};
    struct trace_error error = {.line = 0};
    if (trace_parse(text, length, &trace, &error) != EINVAL)
        fail_msg("not refused as it should be: %s", sentence);
    assert_string_equal(error.sentence, sentence);
    assert_int_equal(error.line, line);
    assert_int_equal(trace.count, 77);
}

static void every_op_reads_and_writes_the_same(void **unused)
{
    (void)unused;
    static const char TEXT[] =
        "#3 = malloc 48\n#4 = calloc 4 12\n#3 = realloc #3 4096\n#5 = realloc NULL 48\n#3 = "
        "reallocarray #3 10 10\n"
        "#6 = reallocarray NULL 10 10\n#7 = aligned_alloc 64 128\n#8 = posix_memalign 64 128\n#9 = "
        "memalign 64 1\n"
        "#10 = valloc 100\n#65535 = pvalloc 100\nfree #3\nfree NULL\nfree_sized "
        "#4\nfree_aligned_sized #7\n"
        "malloc_usable_size #8\nmalloc_trim 0\nsweep\nthread 1\nfail-os 2\nfork\nthread-exit "
        "1\nsbrk 100\n";
    struct trace trace = parse(TEXT);
    unsigned seen = 0;
    for (size_t i = 0; i < trace.count; i++)
        seen |= 1U << trace.ops[i].kind;
    assert_int_equal(seen, (1U << OP_KINDS) - 1);
    assert_int_equal(trace_format(&trace, text_out, sizeof text_out), strlen(TEXT));
    assert_string_equal(text_out, TEXT);
}

static void sizes_are_written_as_the_landmark_that_they_are_near(void **unused)
{
    (void)unused;
    static const struct {
        uint64_t size;
        const char *text;
    } CASES[] = {
        {0, "0"},
        {UINT32_MAX, "4294967295"},
        {1ULL << 32, "2^32"},
        {(1ULL << 33) + 16, "2^33+16"},
        {(1ULL << 47) - 4096, "2^47-4096"},
        {(1ULL << 47) - 4097, "140737488351231"},
        {PTRDIFF_MAX, "PTRDIFF_MAX"},
        {PTRDIFF_MAX + 1ULL, "PTRDIFF_MAX+1"},
        {PTRDIFF_MAX - 4096, "PTRDIFF_MAX-4096"},
        {SIZE_MAX, "SIZE_MAX"},
        {SIZE_MAX - 7, "SIZE_MAX-7"},
        {SIZE_MAX - (1 << 20), "SIZE_MAX-1048576"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char line[TRACE_LINE_MAX], expected[TRACE_LINE_MAX];
        struct trace_op op = {.kind = OP_MALLOC, .size = CASES[i].size};
        snprintf(expected, sizeof expected, "#0 = malloc %s", CASES[i].text);
        assert_int_equal(trace_format_op(&op, line), strlen(expected));
        assert_string_equal(line, expected);
        assert_int_equal(parse(line).ops[0].size, CASES[i].size);
    }
}

static void numbers_are_also_read_in_hex_and_with_suffixes_and_offsets(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        uint64_t size;
    } CASES[] = {{"0x40", 64},         {"0xFFFFffffFFFFffff", SIZE_MAX},
                 {"64K", 65536},       {"3M", 3 << 20},
                 {"2G", 2ULL << 30},   {"64K-1", 65535},
                 {"1M+4K", 1052672},   {"2^0", 1},
                 {"2^63", 1ULL << 63}, {"2^12-0x10", 4080},
                 {"007", 7},           {"SIZE_MAX-64K", SIZE_MAX - 65536},
                 {"10-10", 0}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char line[TRACE_LINE_MAX];
        snprintf(line, sizeof line, "#0 = malloc %s", CASES[i].text);
        assert_int_equal(parse(line).ops[0].size, CASES[i].size);
    }
}

static void sizes_relative_to_a_slot_read_and_write_the_same(void **unused)
{
    (void)unused;
    static const char TEXT[] = "#2 = malloc 1\n#3 = malloc size(#2)\n#4 = malloc size(#2)+15\n#5 = "
                               "calloc 2 usable(#2)-16\n"
                               "#2 = realloc #2 size(#2)+1\n";
    struct trace trace = parse(TEXT);
    assert_int_equal(trace.ops[1].size_base, SIZE_REQUESTED);
    assert_int_equal(trace.ops[3].size_base, SIZE_USABLE);
    assert_int_equal(trace.ops[3].size_slot, 2);
    assert_int_equal((int64_t)trace.ops[3].size, -16);
    trace_format(&trace, text_out, sizeof text_out);
    assert_string_equal(text_out, TEXT);
}

static void comments_blank_lines_and_carriage_returns_are_fine(void **unused)
{
    (void)unused;
    assert_int_equal(parse("").count, 0);
    assert_int_equal(parse("\n\r\n  \t\n").count, 0);
    assert_int_equal(parse("# found by hand: caf\xC3\xA9\r\n#\r\n#\ttab\n  # indented\n\t#1  "
                           "=\tmalloc  5 \r\n\nfree #1")
                         .count,
                     2);
    char comment[1000];
    memset(comment, '#', sizeof comment);
    memcpy(comment, "# ", 2);
    comment[sizeof comment - 1] = '\0';
    assert_int_equal(parse(comment).count, 0);
}

/* The fourth line of a trace in which slot 1 is live, and what the parser says of it. */
static const struct {
    const char *line, *sentence;
} BAD_LINES[] = {
    {"foo 3", "unknown op `foo`"},
    {"#3 = foo", "unknown op `foo`"},
    {"#3", "missing `=` after `#3`"},
    {"#3 malloc 4", "missing `=` after `#3`"},
    {"#3 =", "missing operand after `=`"},
    {"#3 = malloc", "missing operand after `malloc`"},
    {"#3 = calloc 4", "missing operand after `4`"},
    {"free", "missing operand after `free`"},
    {"#3 = malloc 4 5", "unexpected `5` after the op"},
    {"sweep #1", "unexpected `#1` after the op"},
    {"#3 = malloc 4 # why", "unexpected `#` after the op"},
    {"#3 = reallocarray NULL 1 2 3", "unexpected `3` after the op"},
    {"malloc 4", "`malloc` needs `#N =` before it"},
    {"realloc #1 4", "`realloc` needs `#N =` before it"},
    {"#1 = free #1", "`free` takes no `#N =` before it"},
    {"#3 = malloc x", "`x` is not a number"},
    {"#3 = malloc 12x", "`12x` is not a number"},
    {"#3 = malloc -1", "`-1` is not a number"},
    {"#3 = malloc 0x", "`0x` is not a number"},
    {"#3 = malloc NULL", "`NULL` is not a number"},
    {"#3 = malloc size(#1", "`size(#1` is not a number"},
    {"#3 = malloc 4+", "`4+` is not a number"},
    {"#3 = malloc 18446744073709551616", "`18446744073709551616` is too large"},
    {"#3 = malloc 17179869184G", "`17179869184G` is too large"},
    {"#3 = malloc 2^64", "`2^64` is too large"},
    {"#3 = malloc SIZE_MAX+1", "`SIZE_MAX+1` is too large"},
    {"#3 = malloc 4-5", "`4-5` is below zero"},
    {"thread 65536", "`65536` is too large: at most 65535"},
    {"#3 = calloc size(#1) 1", "`size(#1)` may stand only for a size"},
    {"#3 = malloc size(#1)+16", "`size(#1)+16` has an offset that is not within -16 to 15"},
    {"#3 = malloc size(#1)-17", "`size(#1)-17` has an offset that is not within -16 to 15"},
    {"#3 = malloc size(1)", "`size(1)` is not a slot: `#` and a number"},
    {"free 3", "`3` is not a slot: `#` and a number"},
    {"#x = malloc 3", "`#x` is not a slot: `#` and a number"},
    {"#65536 = malloc 3", "`#65536` is not a slot: at most #65535"},
    {"#1 = malloc 3", "slot #1 is already live"},
    {"free #3", "slot #3 is not live"},
    {"#3 = realloc #3 8", "slot #3 is not live"},
    {"#3 = malloc size(#4)", "slot #4 is not live"},
    {"#1 = realloc #1 usable(#4)", "slot #4 is not live"},
    {"#3 = realloc #1 8", "`realloc` must return to its own slot: #1, not #3"},
    {"free #1 \x01", "byte 0x01 is not text"},
    {"# \x7F", "byte 0x7F is not text"},
    {"fr\xC3\xA9\x65 #1", "byte 0xC3 is not text"},
    {"free #1\r\r", "byte 0x0D is not text"},
};

static void each_bad_line_is_named_with_what_is_wrong(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof BAD_LINES / sizeof *BAD_LINES; i++) {
        char text[TRACE_LINE_MAX];
        snprintf(text, sizeof text, "# header\n#1 = malloc 8\r\n\n%s\nsweep\n", BAD_LINES[i].line);
        assert_bad(text, strlen(text), 4, BAD_LINES[i].sentence);
    }
}

static void long_words_are_cut_in_the_sentence_and_long_lines_refused(void **unused)
{
    (void)unused;
    char text[2 * TRACE_LINE_MAX];
    memset(text, 'a', sizeof text);
    assert_bad(text, TRACE_LINE_MAX, 1, "line too long: at most 159 characters");
    assert_bad(text, TRACE_LINE_MAX - 1, 1,
               "unknown op `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...`");
}

static void a_nul_byte_is_not_text(void **unused)
{
    (void)unused;
    assert_bad("sweep\nsw\0eep\n", 13, 2, "byte 0x00 is not text");
    assert_bad("sweep\n# \0\n", 10, 2, "byte 0x00 is not text");
}

static void more_ops_than_capacity_is_enospc(void **unused)
{
    (void)unused;
    struct trace trace = {.ops = ops, .capacity = 2};
    struct trace_error error;
    assert_int_equal(trace_parse("sweep\nsweep\n# fine\n", 19, &trace, &error), 0);
    assert_int_equal(trace_parse("sweep\nsweep\n\nsweep\n", 19, &trace, &error), ENOSPC);
    assert_int_equal(error.line, 4);
    assert_string_equal(error.sentence, "more than 2 ops");
}

static void format_writes_only_what_fits_and_always_ends_it(void **unused)
{
    (void)unused;
    struct trace trace = parse("#3 = malloc 48\nfree #3\n");
    for (size_t capacity = 0; capacity <= 24; capacity++) {
        char small[25];
        memset(small, '!', sizeof small);
        assert_int_equal(trace_format(&trace, small, capacity), 23);
        size_t shown = capacity < 24 ? capacity : 24;
        assert_int_equal(small[shown], '!');
        if (shown > 0) {
            assert_memory_equal(small, "#3 = malloc 48\nfree #3\n", shown - 1);
            assert_int_equal(small[shown - 1], '\0');
        }
    }
}

/* A prime step visits every family of codes of every kind. */
static void narrow_ops_read_back_from_their_text(void **unused)
{
    (void)unused;
    struct trace_error error;
    for (uint32_t code = 0; code < OP_KINDS << 16; code += 7) {
        uint8_t input[] = {OP_MALLOC,           0, 1, 0, (uint8_t)(code >> 16), 0, (uint8_t)code,
                           (uint8_t)(code >> 8)};
        struct trace trace = {.ops = ops, .capacity = OPS_MAX};
        struct trace again = {.ops = again_ops, .capacity = OPS_MAX};
        trace_decode(input, sizeof input, &trace);
        size_t length = trace_format(&trace, text_out, sizeof text_out);
        assert_int_equal(trace_parse(text_out, length, &again, &error), 0);
        assert_int_equal(again.count, 2);
        assert_memory_equal(ops, again_ops, 2 * sizeof *ops);
    }
}

static void the_longest_op_stays_below_the_line_limit(void **unused)
{
    (void)unused;
    struct trace_op op = {.kind = OP_REALLOCARRAY,
                          .slot = 65535,
                          .size = 0x8765432187654321,
                          .extra = 0x8765432187654321};
    char line[TRACE_LINE_MAX];
    size_t length = trace_format_op(&op, line);
    assert_true(length < TRACE_LINE_MAX);
    assert_int_equal(strlen(line), length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_reads_and_writes_the_same),
        cmocka_unit_test(sizes_are_written_as_the_landmark_that_they_are_near),
        cmocka_unit_test(numbers_are_also_read_in_hex_and_with_suffixes_and_offsets),
        cmocka_unit_test(sizes_relative_to_a_slot_read_and_write_the_same),
        cmocka_unit_test(comments_blank_lines_and_carriage_returns_are_fine),
        cmocka_unit_test(each_bad_line_is_named_with_what_is_wrong),
        cmocka_unit_test(long_words_are_cut_in_the_sentence_and_long_lines_refused),
        cmocka_unit_test(a_nul_byte_is_not_text),
        cmocka_unit_test(more_ops_than_capacity_is_enospc),
        cmocka_unit_test(format_writes_only_what_fits_and_always_ends_it),
        cmocka_unit_test(narrow_ops_read_back_from_their_text),
        cmocka_unit_test(the_longest_op_stays_below_the_line_limit),
    };
    return cmocka_run_group_tests_name("trace_text", tests, NULL, NULL);
}
