/* SPDX-License-Identifier: MIT */
/*
 * A small scanner for C text: skips comments and literals, finds words, items and the names that
 * items define.
 */
#include "conformance/program_text.h"

#include <ctype.h>
#include <string.h>

static bool is_word_letter(char letter)
{
    return isalnum((unsigned char)letter) || letter == '_';
}

static const char *skip_literal(const char *at, const char *end)
{
    char quote = *at++;
    while (at < end && *at != quote && *at != '\n')
        at += *at == '\\' && at + 1 < end ? 2 : 1;
    return at < end ? at + 1 : end;
}

static const char *skip_comment(const char *at, const char *end)
{
    bool is_line = at[1] == '/';
    for (at += 2; at < end; at++)
        if (is_line ? *at == '\n' : at[-1] == '*' && at[0] == '/')
            return at + 1;
    return end;
}

bool token_next(const char **at, const char *end, struct word *ret_token)
{
    const char *start = *at;
    while (start < end) {
        if (isspace((unsigned char)*start))
            start++;
        else if (*start == '/' && start + 1 < end && (start[1] == '*' || start[1] == '/'))
            start = skip_comment(start, end);
        else if (*start == '"' || *start == '\'')
            start = skip_literal(start, end);
        else
            break;
    }
    size_t length = 0;
    while (start + length < end && is_word_letter(start[length]))
        length++;
    if (start < end && length == 0)
        length = 1;
    *ret_token = (struct word){start, length};
    *at = start + length;
    return length > 0;
}

static bool is_identifier(const struct word *token)
{
    return is_word_letter(token->start[0]) && !isdigit((unsigned char)token->start[0]);
}

bool word_next(const char **at, const char *end, struct word *ret_word)
{
    while (token_next(at, end, ret_word))
        if (is_identifier(ret_word))
            return true;
    return false;
}

bool word_same(const struct word *left, const struct word *right)
{
    return left->length == right->length && memcmp(left->start, right->start, left->length) == 0;
}

static bool word_is(const struct word *word, const char *text)
{
    return word->length == strlen(text) && memcmp(word->start, text, word->length) == 0;
}

/* Behind the line's end; of a directive, behind the last line that a backslash continues. */
static const char *skip_line(const char *at, const char *end)
{
    while (at < end && (*at != '\n' || at[-1] == '\\'))
        at++;
    return at < end ? at + 1 : end;
}

bool item_next(const char **at, const char *end, struct item *ret_item)
{
    while (*at < end && **at == '\n')
        ++*at;
    ret_item->start = *at;
    while (*at < end && **at != '\n') {
        const char *newline = memchr(*at, '\n', (size_t)(end - *at));
        *at = newline != NULL ? newline + 1 : end;
    }
    ret_item->end = *at;
    return ret_item->start < ret_item->end;
}

/* `static _Atomic(int) x;`, `struct {`: these name nothing. */
static bool can_be_name(const struct word *word)
{
    static const char *const keywords[] = {"struct",         "enum",          "union",     "void",
                                           "_Atomic",        "_Alignas",      "__asm__",   "ElfW",
                                           "_Static_assert", "__attribute__", "__typeof__"};
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (word_is(word, keywords[i]))
            return false;
    return word->length > 0;
}

/* A name stands before the first bracket, `=`, `,` or `;` at file level, that of a function pointer
 * before its `)`; enumerators inside. */
void item_names(struct item *item, void (*tell)(struct item *item, struct word name, void *context),
                void *context)
{
    int depth = 0, enum_depth = -1;
    bool is_enum = false;
    struct word token, last = {0};
    for (const char *at = item->start; token_next(&at, item->end, &token);) {
        char letter = token.start[0];
        if (letter == '#') {
            if (word_next(&at, item->end, &token) && word_is(&token, "define") &&
                word_next(&at, item->end, &token))
                tell(item, token, context);
            at = skip_line(at, item->end);
        } else if (is_identifier(&token)) {
            is_enum |= depth == 0 && word_is(&token, "enum");
            if (depth == 0)
                last = token;
            else if (depth == enum_depth)
                tell(item, token, context);
        } else {
            bool is_pointer = letter == '(' && *at == '*' && depth == 0;
            if (depth == 0 && strchr("([{=,;)", letter) != NULL && !is_pointer &&
                can_be_name(&last))
                tell(item, last, context);
            if (depth == 0)
                enum_depth = letter == '{' && is_enum ? 1 : -1;
            is_enum = false;
            depth += strchr("([{", letter) != NULL && !is_pointer;
            depth -= strchr(")]}", letter) != NULL && depth > 0;
            last = depth == 0 ? (struct word){0} : last;
        }
    }
}

const char *item_heading(const struct item *item, const char **ret_behind)
{
    const char *at = item->start, *line = item->start;
    for (struct word token; token_next(&at, item->end, &token);) {
        line = token.start;
        if (!word_is(&token, "PROBE") && !word_is(&token, "PROCESS_PROBE"))
            return NULL;
        while (token_next(&at, item->end, &token) && token.start[0] != ')')
            ;
        *ret_behind = at;
        return line;
    }
    return NULL;
}

bool item_is_probe(const struct item *item, const char *name)
{
    const char *behind, *at = item_heading(item, &behind);
    struct word word;
    return at != NULL && word_next(&at, item->end, &word) && word_next(&at, item->end, &word) &&
           word_is(&word, name);
}

bool item_is_whole(const struct item *item)
{
    int depth = 0, conditions = 0;
    struct word token;
    for (const char *at = item->start; token_next(&at, item->end, &token);) {
        if (token.start[0] == '#' && (token.start == item->start || token.start[-1] == '\n')) {
            token_next(&at, item->end, &token);
            conditions += strncmp(token.start, "if", 2) == 0;
            conditions -= word_is(&token, "endif");
        }
        depth += token.length == 1 && strchr("([{", token.start[0]) != NULL;
        depth -= token.length == 1 && strchr(")]}", token.start[0]) != NULL;
    }
    return depth == 0 && conditions == 0;
}

/* A paragraph of a block comment: wrapped, with nothing in it that ends or begins a comment. */
static void write_paragraph(FILE *out, const char *label, const char *text)
{
    enum { WIDTH = 110 };
    size_t column = (size_t)fprintf(out, " * %s:", label);
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        if (length > 0 && column + 1 + length > WIDTH)
            column = (size_t)fprintf(out, "\n *    ") - 1;
        column += length > 0;
        for (size_t i = 0; i < length; i++) {
            const char pair[] = {i > 0 ? text[i - 1] : ' ', text[i]};
            bool is_mark = memcmp(pair, "*/", 2) == 0 || memcmp(pair, "/*", 2) == 0;
            fprintf(out, "%s%c", i == 0 || is_mark ? " " : "", text[i]);
        }
        column += length;
        text += length + (text[length] != '\0');
    }
    fputc('\n', out);
}

void text_write_opening(FILE *out, const struct clause_result *result, const char *subject)
{
    const struct clause *clause = result->clause;
    char profiles[PROFILES_TEXT_MAX], observed[128];
    snprintf(observed, sizeof observed, "On %s, %s", subject, clause_verdict_name(result->verdict));
    bool is_misuse = clause->strength == STRENGTH_HARDENING || clause->strength == STRENGTH_UB;
    fprintf(out, "/*\n * %s, %s in %s\n", clause->id, strength_name(clause->strength),
            profiles_text(clause->profiles, profiles));
    write_paragraph(out, "Requirement", clause->requirement);
    write_paragraph(out, observed, result->evidence);
    fprintf(out, " *\n *     cc program.c -o program && LD_PRELOAD=/path/to/allocator.so "
                 "./program; echo $?\n *\n");
    fprintf(out, " * %s\n */\n#define _GNU_SOURCE\n",
            is_misuse ? "It uses memory wrongly on purpose. 0, or death by a signal: that was "
                        "noticed; 1: nothing noticed it."
                      : "0: the requirement holds, or what is printed says why it cannot be asked; "
                        "1, or death by a signal: it does not.");
}
