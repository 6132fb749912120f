/* SPDX-License-Identifier: MIT */
/*
 * The text form of a trace: one op a line, blank lines and `#` comments in between. Numbers are
 * trace_number.c's.
 *
 *   #3 = malloc 48              an op that allocates names its slot first
 *   #4 = calloc 4 12            count, size
 *   #5 = aligned_alloc 64 128   alignment, size
 *   #3 = realloc #3 size(#4)+1  to its own slot
 *   #6 = realloc NULL 48
 *   free #3                     so do malloc_usable_size, free_sized, free_aligned_sized
 *   free NULL
 *   thread 1                    so do malloc_trim, fail-os
 *   sweep                       so does fork
 *
 * A comment is a line that starts with `#` followed by a blank or by nothing: `#3` is a slot. A
 * line may end in CR LF. What is written is what is read, op by op. The parser takes well-formed
 * traces only, stops at the first line that is not, and says what is wrong with it.
 */
#include "harness/trace/trace.h"

#include "harness/trace/trace_number.h"
#include "harness/trace/trace_slots.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_WORDS = 7 /* one more than an op has */, QUOTED_MAX = 40, NUMBER_MAX = 0xFFFF };

/* Whether the op is written with its slot and `=` in front, and whether with a slot as first
 * operand. */
static bool has_result(unsigned traits)
{
    return traits & OP_ALLOCATES || (traits & OP_USES && traits & OP_HAS_SIZE);
}

static bool has_slot_operand(unsigned traits)
{
    return (traits & (OP_USES | OP_FREES)) != 0;
}

static bool has_extra_operand(unsigned traits)
{
    return (traits & OP_TAKES_EXTRA) != 0;
}

/* Writing. */

static size_t number_append(char *line, size_t length, const struct number *number)
{
    line[length] = ' ';
    return length + 1 + number_format(number, line + length + 1);
}

size_t trace_format_op(const struct trace_op *op, char ret_line[TRACE_LINE_MAX])
{
    unsigned traits = trace_op_traits(op->kind);
    size_t length = 0;
    if (has_result(traits))
        length = (size_t)snprintf(ret_line, TRACE_LINE_MAX, "#%" PRIu32 " = ", op->slot);
    length +=
        (size_t)snprintf(ret_line + length, TRACE_LINE_MAX - length, "%s", trace_op_name(op->kind));
    if (has_slot_operand(traits))
        length +=
            (size_t)snprintf(ret_line + length, TRACE_LINE_MAX - length, " #%" PRIu32, op->slot);
    if (has_extra_operand(traits))
        length = number_append(ret_line, length, &(struct number){.value = op->extra});
    if (traits & OP_HAS_SIZE)
        length = number_append(ret_line, length,
                               &(struct number){op->size, op->size_base, op->size_slot});
    return length;
}

size_t trace_format(const struct trace *trace, char *ret_text, size_t capacity)
{
    size_t needed = 0;
    for (size_t i = 0; i < trace->count; i++) {
        char line[TRACE_LINE_MAX];
        size_t length = trace_format_op(&trace->ops[i], line);
        line[length++] = '\n';
        size_t room = needed < capacity ? capacity - needed : 0;
        if (room > 0)
            memcpy(ret_text + needed, line, length < room ? length : room);
        needed += length;
    }
    if (capacity > 0)
        ret_text[needed < capacity ? needed : capacity - 1] = '\0';
    return needed;
}

/* Reading. */

/* A line under way: its words, the next to take, and where a failure is reported. */
struct line {
    struct word words[LINE_WORDS];
    size_t count;
    size_t next;
    char *ret_sentence;
};

__attribute__((format(printf, 2, 3))) static int fail(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line->ret_sentence, sizeof((struct trace_error *)0)->sentence, format, arguments);
    va_end(arguments);
    return EINVAL;
}

static int fail_word(struct line *line, const char *before, struct word word, const char *after)
{
    bool is_long = word.length > QUOTED_MAX;
    fail(line, "%s`%.*s%s`%s%s", before, is_long ? QUOTED_MAX : (int)word.length, word.at,
         is_long ? "..." : "", *after ? " " : "", after);
    return EINVAL;
}

static bool is_blank(char letter)
{
    return letter == ' ' || letter == '\t';
}

static bool is_word(struct word word, const char *text)
{
    return word.length == strlen(text) && memcmp(word.at, text, word.length) == 0;
}

/* The next word, or a failure that names the word before it. */
static int take_word(struct line *line, struct word *ret_word)
{
    if (line->next == line->count)
        return fail_word(line, "missing operand after ", line->words[line->count - 1], "");
    *ret_word = line->words[line->next++];
    return 0;
}

static int take_slot(struct line *line, uint32_t *ret_slot)
{
    struct word word;
    int error = take_word(line, &word);
    const char *problem = error ? NULL : slot_parse(word, ret_slot);
    return problem ? fail_word(line, "", word, problem) : error;
}

static int take_number(struct line *line, struct number *ret_number)
{
    struct word word;
    int error = take_word(line, &word);
    const char *problem = error ? NULL : number_parse(word, ret_number);
    return problem ? fail_word(line, "", word, problem) : error;
}

/* A count, an alignment or a plain number. */
static int take_extra(struct line *line, uint64_t limit, uint64_t *ret_extra)
{
    struct number number;
    int error = take_number(line, &number);
    if (error)
        return error;
    struct word word = line->words[line->next - 1];
    if (number.size_base != SIZE_EXACT)
        return fail_word(line, "", word, "may stand only for a size");
    if (number.value > limit)
        return fail_word(line, "", word, "is too large: at most 65535");
    *ret_extra = number.value;
    return 0;
}

/* The kind whose name is word, or `word NULL` if the next word is NULL; OP_KINDS if there is
 * none. */
static unsigned kind_find(struct word word, bool is_null)
{
    for (unsigned kind = 0; kind < OP_KINDS; kind++) {
        const char *name = trace_op_name(kind);
        size_t length = strcspn(name, " ");
        if ((name[length] != '\0') == is_null && word.length == length &&
            memcmp(word.at, name, length) == 0)
            return kind;
    }
    return OP_KINDS;
}

static int take_kind(struct line *line, uint8_t *ret_kind)
{
    struct word word = {"", 0};
    int error = take_word(line, &word);
    if (error)
        return error;
    bool is_null = line->next < line->count && is_word(line->words[line->next], "NULL");
    unsigned kind = kind_find(word, is_null);
    if (kind < OP_KINDS)
        line->next += is_null;
    else
        kind = kind_find(word, false);
    *ret_kind = (uint8_t)kind;
    return kind < OP_KINDS ? 0 : fail_word(line, "unknown op ", word, "");
}

/* `#3 =`, if it is there. */
static int take_result(struct line *line, bool *ret_has_result, uint32_t *ret_slot)
{
    *ret_has_result = line->words[0].at[0] == '#';
    if (!*ret_has_result)
        return 0;
    int error = take_slot(line, ret_slot);
    if (error)
        return error;
    if (line->next == line->count || !is_word(line->words[line->next], "="))
        return fail_word(line, "missing `=` after ", line->words[0], "");
    line->next++;
    return 0;
}

static int take_operands(struct line *line, struct trace_op *op)
{
    unsigned traits = trace_op_traits(op->kind);
    struct number size = {.value = 0};
    uint32_t slot = op->slot;
    int error = has_slot_operand(traits) ? take_slot(line, &slot) : 0;
    if (!error && has_result(traits) && slot != op->slot)
        error = fail(line, "`%s` must return to its own slot: #%" PRIu32 ", not #%" PRIu32,
                     trace_op_name(op->kind), slot, op->slot);
    op->slot = slot;
    if (!error && has_extra_operand(traits))
        error = take_extra(line, traits & OP_HAS_NUMBER ? NUMBER_MAX : UINT64_MAX, &op->extra);
    if (!error && traits & OP_HAS_SIZE)
        error = take_number(line, &size);
    if (!error && line->next < line->count)
        error = fail_word(line, "unexpected ", line->words[line->next], "after the op");
    op->size = size.value;
    op->size_base = size.size_base;
    op->size_slot = size.slot;
    return error;
}

/* Liveness, with the number of the slot at fault in the sentence. */
static int op_admit(struct line *line, struct slot_set *set, const struct trace_op *op)
{
    const char *problem = slot_set_apply(set, op);
    if (!problem)
        return 0;
    unsigned traits = trace_op_traits(op->kind);
    bool is_slot_good = !has_slot_operand(traits) || slot_set_has(set, op->slot);
    if (traits & OP_ALLOCATES && slot_set_has(set, op->slot))
        return fail(line, "slot #%" PRIu32 " is already live", op->slot);
    return fail(line, "slot #%" PRIu32 " is not live", is_slot_good ? op->size_slot : op->slot);
}

static int line_parse(struct line *line, struct slot_set *set, struct trace_op *ret_op)
{
    struct trace_op op = {.kind = 0};
    bool is_result;
    int error = take_result(line, &is_result, &op.slot);
    if (!error)
        error = take_kind(line, &op.kind);
    if (error)
        return error;
    if (is_result != has_result(trace_op_traits(op.kind)))
        return fail(line,
                    is_result ? "`%s` takes no `#N =` before it" : "`%s` needs `#N =` before it",
                    trace_op_name(op.kind));
    error = take_operands(line, &op);
    if (!error)
        error = op_admit(line, set, &op);
    if (!error)
        *ret_op = op;
    return error;
}

static void line_split(struct line *line, const char *at, const char *end)
{
    while (line->count < LINE_WORDS) {
        while (at < end && is_blank(*at))
            at++;
        const char *start = at;
        while (at < end && !is_blank(*at))
            at++;
        if (at == start)
            return;
        line->words[line->count++] = (struct word){start, (size_t)(at - start)};
    }
}

/* A comment, or blank. */
static bool is_idle(const struct line *line)
{
    return line->count == 0 || is_word(line->words[0], "#");
}

/* Control bytes are nowhere welcome, others than ASCII only in comments. */
static int bytes_check(struct line *line, const char *at, const char *end)
{
    bool is_comment = is_idle(line);
    for (; at < end; at++) {
        unsigned char byte = (unsigned char)*at;
        if ((byte < ' ' && byte != '\t') || byte == 0x7F || (byte > 0x7F && !is_comment))
            return fail(line, "byte 0x%02X is not text", byte);
    }
    return 0;
}

/* One line between `at` and `end`; adds its op, if it has one, to the trace. */
static int text_line_parse(const char *at, const char *end, struct slot_set *set,
                           struct trace *trace, char *ret_sentence)
{
    struct line line = {.ret_sentence = ret_sentence};
    line_split(&line, at, end);
    int error = bytes_check(&line, at, end);
    if (error || is_idle(&line))
        return error;
    if (end - at >= TRACE_LINE_MAX)
        return fail(&line, "line too long: at most %d characters", TRACE_LINE_MAX - 1);
    if (trace->count == trace->capacity) {
        fail(&line, "more than %zu ops", trace->capacity);
        return ENOSPC;
    }
    error = line_parse(&line, set, &trace->ops[trace->count]);
    trace->count += error == 0;
    return error;
}

int trace_parse(const char *text, size_t length, struct trace *ret_trace,
                struct trace_error *ret_error)
{
    const char *text_end = text + length;
    struct trace trace = {.ops = ret_trace->ops, .capacity = ret_trace->capacity};
    struct slot_set set;
    slot_set_init(&set);
    for (size_t number = 1; text < text_end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(text_end - text));
        const char *end = newline ? newline : text_end;
        bool has_return = end > text && end[-1] == '\r';
        struct trace_error failure = {.line = number};
        int error = text_line_parse(text, end - has_return, &set, &trace, failure.sentence);
        if (error) {
            *ret_error = failure;
            return error;
        }
        text = newline ? newline + 1 : text_end;
    }
    ret_trace->count = trace.count;
    return 0;
}
