/* SPDX-License-Identifier: MIT */
/*
 * Options as text: "name:value" items, separated by commas. Words stand for numbers in the tables
 * below; sizes are decimal, with k, m or g for the powers of 1024. Runs before anything else works:
 * allocates nothing, knows no locale.
 */
#include "options.h"

#include "base.h"
#include "text.h"

#include <errno.h>
#include <string.h>

#define MMAP_THRESHOLD_DEFAULT ((size_t)1 << 20)
#define TRIM_THRESHOLD_DEFAULT ((size_t)4 << 20)
#define QUARANTINE_SECURE      ((size_t)1 << 20)
#define QUARANTINE_RANDOM      ((size_t)256 << 10)

enum { ITEM_SHOWN = 160 }; /* characters of a bad item */

struct word {
    const char *text;
    int value;
};

/* A stretch of the text that is being parsed. */
struct piece {
    const char *start;
    size_t length;
};

static const struct word source_words[] = {
    {"mmap", ANVIL_SOURCE_MMAP}, {"sbrk", ANVIL_SOURCE_SBRK}, {NULL, 0}};
static const struct word fit_words[] = {{"first", ANVIL_FIT_FIRST},
                                        {"next", ANVIL_FIT_NEXT},
                                        {"best", ANVIL_FIT_BEST},
                                        {"worst", ANVIL_FIT_WORST},
                                        {NULL, 0}};

/* The levels of hardening that are on or off. */
static const struct {
    const char *text;
    size_t field;
} levels[] = {{"canary", offsetof(struct anvil_options, canary)},
              {"zero", offsetof(struct anvil_options, zero)},
              {"random", offsetof(struct anvil_options, random)},
              {"form", offsetof(struct anvil_options, form)},
              {"guard", offsetof(struct anvil_options, guard)}};

static const struct word switch_words[] = {{"off", 0}, {"on", 1}, {NULL, 0}};

static bool piece_is(struct piece piece, const char *text)
{
    return strlen(text) == piece.length && memcmp(piece.start, text, piece.length) == 0;
}

/* Returns the word's value, or -1. */
static int find_word(struct piece piece, const struct word *words)
{
    for (; words->text != NULL; words++)
        if (piece_is(piece, words->text))
            return words->value;
    return -1;
}

static unsigned suffix_shift(char suffix)
{
    return suffix == 'k' ? 10 : suffix == 'm' ? 20 : suffix == 'g' ? 30 : 0;
}

static bool parse_size(struct piece piece, size_t *ret_size)
{
    size_t size = 0, digits = 0;
    for (; digits < piece.length && piece.start[digits] >= '0' && piece.start[digits] <= '9';
         digits++)
        if (__builtin_mul_overflow(size, 10, &size) ||
            __builtin_add_overflow(size, (size_t)(piece.start[digits] - '0'), &size))
            return false;
    unsigned shift = digits < piece.length ? suffix_shift(piece.start[digits]) : 0;
    bool is_whole = digits + (shift != 0) == piece.length;
    if (digits == 0 || !is_whole || size == 0 || size > SIZE_LIMIT >> shift)
        return false;
    *ret_size = size << shift;
    return true;
}

/* All levels of hardening at once. */
static void apply_secure(struct anvil_options *options)
{
    options->canary = options->zero = options->random = true;
    options->form = options->guard = true;
    options->quarantine = QUARANTINE_SECURE;
}

static bool apply(struct piece name, struct piece value, struct anvil_options *options)
{
    if (piece_is(name, "mmap_threshold"))
        return parse_size(value, &options->mmap_threshold);
    if (piece_is(name, "trim_threshold"))
        return parse_size(value, &options->trim_threshold);
    if (piece_is(name, "cache")) {
        int cache = find_word(value, switch_words);
        if (cache >= 0)
            options->uncached = cache == 0;
        return cache >= 0;
    }
    if (piece_is(name, "quarantine"))
        return parse_size(value, &options->quarantine);
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (piece_is(name, levels[i].text)) {
            int word = find_word(value, switch_words);
            if (word >= 0)
                *(bool *)((char *)options + levels[i].field) = word == 1;
            return word >= 0;
        }
    if (piece_is(name, "source")) {
        int source = find_word(value, source_words);
        if (source >= 0)
            options->source = (enum anvil_source)source;
        return source >= 0;
    }
    if (piece_is(name, "fit")) {
        int fit = find_word(value, fit_words);
        if (fit >= 0)
            options->fit = (enum anvil_fit)fit;
        return fit >= 0;
    }
    return false;
}

/* The sentence of a bad item; the item is cut to what fits into a line. */
static void report(struct piece item, char *error, size_t error_size)
{
    char quoted[ITEM_SHOWN + 1];
    size_t length = size_min(item.length, ITEM_SHOWN);
    memcpy(quoted, item.start, length);
    quoted[length] = '\0';
    struct text text = text_start(error, error_size);
    text_add(
        &text,
        "'%s%s' is not one of source:mmap|sbrk, fit:first|next|best|worst, mmap_threshold:SIZE, "
        "trim_threshold:SIZE, cache:on|off, secure, canary:on|off, zero:on|off, random:on|off, "
        "quarantine:SIZE, form:on|off, guard:on|off",
        quoted, item.length > ITEM_SHOWN ? "..." : "");
}

COLD int options_parse_item(const char **rest, struct anvil_options *options, char *error,
                            size_t error_size)
{
    struct piece item = {.start = *rest, .length = strcspn(*rest, ",")};
    *rest += item.length;
    if (**rest == ',')
        ++*rest;
    if (piece_is(item, "secure")) {
        apply_secure(options);
        return 0;
    }
    const char *colon = memchr(item.start, ':', item.length);
    size_t name_length = colon == NULL ? item.length : (size_t)(colon - item.start);
    struct piece name = {.start = item.start, .length = name_length};
    if (colon != NULL &&
        apply(name, (struct piece){.start = colon + 1, .length = item.length - name_length - 1},
              options))
        return 0;
    report(item, error, error_size);
    return EINVAL;
}

COLD int anvil_options_parse(const char *text, struct anvil_options *options, char *error,
                             size_t error_size)
{
    int result = 0;
    while (result == 0 && *text != '\0')
        result = options_parse_item(&text, options, error, error_size);
    return result;
}

static bool has_arena(const struct anvil_options *options)
{
    return options->arena != NULL || options->arena_size != 0;
}

static bool is_arena_usable(const struct anvil_options *options)
{
    uintptr_t start = (uintptr_t)options->arena;
    return start != 0 && options->arena_size != 0 &&
           (start | options->arena_size) % PAGE_BYTES == 0;
}

bool options_complete(struct anvil_options *options)
{
    bool is_arena = options->source == ANVIL_SOURCE_ARENA;
    if ((unsigned)options->source > ANVIL_SOURCE_ARENA || (unsigned)options->fit > ANVIL_FIT_WORST)
        return false;
    if (is_arena ? !is_arena_usable(options) : has_arena(options))
        return false;
    if (options->random && options->quarantine == 0)
        options->quarantine = QUARANTINE_RANDOM;
    if (options->canary || options->zero || options->quarantine != 0 || options->form)
        options->uncached = true;
    if (options->mmap_threshold == 0)
        options->mmap_threshold = MMAP_THRESHOLD_DEFAULT;
    if (options->trim_threshold == 0)
        options->trim_threshold = is_arena ? SIZE_LIMIT : TRIM_THRESHOLD_DEFAULT;
    return true;
}
