/* SPDX-License-Identifier: MIT */
/*
 * A program is a list of parts: texts that its exporter writes, whole files, and files of which
 * only items are taken. A file is cleaned when it is added: what only matters between files goes,
 * and its includes are noted. Picking begins with the words of texts and whole files, and goes on
 * until no item that is taken has a word that another item defines.
 */
#include "harness/program/program.h"

#include "harness/program/embedded.h"
#include "harness/program/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARTS_MAX = 32,
    ITEMS_MAX = 2000,
    NAMES_MAX = 6000,
    INCLUDES_MAX = 100,
    FEATURES_MAX = 8,
    DEPTH_MAX = 16, /* of #if inside #if */
    WIDTH = 100
};

struct part {
    char *text; /* of a file: cleaned */
    size_t length;
    FILE *stream; /* of a text; NULL: a file */
    enum program_share share;
    size_t first_item, end_item; /* of a file whose items are picked */
    bool is_header, is_taken;    /* is_taken: something of it is */
};

struct taking {
    struct item item;
    struct part *part;
    bool is_taken;
};

struct name {
    struct word word;
    struct taking *taking;
};

struct include {
    struct word header;      /* with its brackets */
    const struct part *part; /* NULL: of every program */
};

struct program {
    struct part parts[PARTS_MAX];
    struct taking items[ITEMS_MAX];
    struct name names[NAMES_MAX];
    struct include includes[INCLUDES_MAX];
    const char *features[FEATURES_MAX];
    size_t part_count, item_count, name_count, include_count, feature_count;
    FILE *comment, *sink;
    char *comment_text;
    size_t comment_length;
    int error;
    char problem[200];
};

/* What the allocator calls its functions; NULL: as the C library does. */
static const char *names, *compile_option = "";

/* ---- errors: the first one counts ---- */

void program_fail(struct program *program, const char *format, ...)
{
    if (program->error != 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(program->problem, sizeof program->problem, format, arguments);
    va_end(arguments);
    program->error = EINVAL;
}

static void fail_for_memory(struct program *program)
{
    program_fail(program, "no memory");
    program->error = ENOMEM;
}

static bool has_room(struct program *program, size_t count, size_t max, const char *what)
{
    if (count >= max)
        program_fail(program, "more than %zu %s", max, what);
    return count < max;
}

void program_use_compile_option(const char *option)
{
    compile_option = option != NULL ? option : "";
}

const char *program_compile_option(void)
{
    return compile_option;
}

uint64_t program_size_max(void)
{
    return strcmp(compile_option, "-m32") == 0 ? UINT32_MAX : SIZE_MAX;
}

/* ---- names ---- */

void program_use_names(const char *text)
{
    names = text;
}

bool program_has_names(void)
{
    return names != NULL;
}

bool program_names(const char *function)
{
    char macro[128];
    snprintf(macro, sizeof macro, "#define %.50s declared_%.50s\n", function, function);
    return names != NULL && strstr(names, macro) != NULL;
}

static void include_for_names(struct program *program)
{
    static const char *const headers[] = {"dlfcn.h",  "errno.h", "stddef.h",
                                          "stdint.h", "stdio.h", "unistd.h"};
    for (size_t i = 0; names != NULL && i < sizeof headers / sizeof headers[0]; i++)
        program_include(program, headers[i]);
}

/* ---- the opening comment ---- */

struct program *program_begin(void)
{
    struct program *program = calloc(1, sizeof *program);
    if (program == NULL)
        return NULL;
    program->sink = fopen("/dev/null", "w");
    program->comment = open_memstream(&program->comment_text, &program->comment_length);
    if (program->sink != NULL && program->comment != NULL) {
        include_for_names(program);
        return program;
    }
    if (program->sink != NULL)
        fclose(program->sink);
    free(program);
    return NULL;
}

static void say_word(FILE *out, const char *word, size_t length)
{
    char before = ' ';
    for (size_t i = 0; i < length; before = word[i++]) {
        const char pair[] = {before, word[i]};
        bool is_mark = memcmp(pair, "*/", 2) == 0 || memcmp(pair, "/*", 2) == 0;
        fprintf(out, "%s%c", is_mark ? " " : "", word[i] >= ' ' && word[i] <= '~' ? word[i] : '?');
    }
}

static void say_wrapped(FILE *out, const char *text)
{
    size_t column = (size_t)fprintf(out, " *") - 1;
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        if (length > 0 && column + 1 + length > WIDTH)
            column = (size_t)fprintf(out, "\n *") - 2;
        if (length > 0)
            fputc(' ', out);
        say_word(out, text, length);
        column += length + (length > 0);
        text += length + (text[length] != '\0');
    }
    fputc('\n', out);
}

void program_say(struct program *program, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        fail_for_memory(program);
        return;
    }
    say_wrapped(program->comment, text);
    free(text);
}

void program_say_build(struct program *program, const char *compiler, const char *libraries,
                       const char *preload)
{
    bool is_preloaded = preload == NULL || *preload != '\0';
    fprintf(program->comment, " *\n *     %s%s%s program.c -o program%s%s\n *     ", compiler,
            *compile_option != '\0' ? " " : "", compile_option, *libraries != '\0' ? " " : "",
            libraries);
    if (is_preloaded)
        fprintf(program->comment, "LD_PRELOAD=%s ",
                preload != NULL ? preload : "/path/to/allocator.so");
    fprintf(program->comment, "./program; echo $?\n *\n");
}

/* ---- files ---- */

static void add_include(struct program *program, struct word header, const struct part *part)
{
    if (has_room(program, program->include_count, INCLUDES_MAX, "includes"))
        program->includes[program->include_count++] = (struct include){header, part};
}

void program_include(struct program *program, const char *header)
{
    add_include(program, (struct word){header, strlen(header)}, NULL);
}

void program_with(struct program *program, const char *feature)
{
    if (has_room(program, program->feature_count, FEATURES_MAX, "features"))
        program->features[program->feature_count++] = feature;
}

static bool has_feature(const struct program *program, const struct word *feature)
{
    for (size_t i = 0; i < program->feature_count; i++)
        if (word_is(feature, program->features[i]))
            return true;
    return false;
}

/* An #if around a line. */
struct condition {
    bool is_ours;     /* resolved here, so no part of the program */
    bool is_left_out; /* what it holds */
};

/* One pass over the lines of a file. */
struct cleaning {
    struct program *program;
    struct part *part;
    struct condition conditions[DEPTH_MAX];
    int depth, guard_depth; /* guard_depth: 1 inside of an include guard */
    struct word guard;
};

static bool is_left_out(const struct cleaning *cleaning)
{
    for (int i = 0; i < cleaning->depth; i++)
        if (cleaning->conditions[i].is_left_out)
            return true;
    return false;
}

/* At a line that begins with #if. */
static bool open_condition(struct cleaning *cleaning, const char *line, const char *end)
{
    bool is_feature = line_begins(line, end, "#ifdef WITH_");
    bool is_guard =
        cleaning->part->is_header && cleaning->depth == 0 && line_begins(line, end, "#ifndef ");
    struct word word;
    const char *at = line + strcspn(line, " \n");
    word_next(&at, end, &word);
    if (!has_room(cleaning->program, (size_t)cleaning->depth, DEPTH_MAX, "nested conditions"))
        return true;
    if (is_guard)
        cleaning->guard = word;
    cleaning->guard_depth += is_guard;
    struct condition *inner = &cleaning->conditions[cleaning->depth++];
    inner->is_ours = is_feature || is_guard;
    inner->is_left_out = is_feature && !has_feature(cleaning->program, &word);
    return inner->is_ours;
}

/* #ifdef WITH_… and its #else and #endif are resolved, and the guard of a header goes. Returns
 * whether the line is one of these. */
static bool clean_condition(struct cleaning *cleaning, const char *line, const char *end)
{
    bool is_end = line_begins(line, end, "#endif");
    if (line_begins(line, end, "#if"))
        return open_condition(cleaning, line, end);
    if (cleaning->depth == 0 || !(is_end || line_begins(line, end, "#else")))
        return false;
    struct condition *inner = &cleaning->conditions[cleaning->depth - 1];
    inner->is_left_out ^= inner->is_ours && !is_end;
    cleaning->depth -= is_end;
    return inner->is_ours;
}

/* The second line of a guard. */
static bool is_guard_define(const struct cleaning *cleaning, const char *line, const char *end)
{
    struct word word;
    const char *at = line + strlen("#define");
    return line_begins(line, end, "#define ") && word_next(&at, end, &word) &&
           word_same(&word, &cleaning->guard);
}

static bool clean_include(struct cleaning *cleaning, const char *line, const char *end)
{
    if (line_begins(line, end, "#include \""))
        return true;
    if (!line_begins(line, end, "#include <") || cleaning->depth != cleaning->guard_depth)
        return false;
    const char *header = memchr(line, '<', (size_t)(end - line)),
               *closing = memchr(line, '>', (size_t)(end - line));
    if (closing != NULL)
        add_include(cleaning->program, (struct word){header + 1, (size_t)(closing - header) - 1},
                    cleaning->part);
    return true;
}

/* One blank line between two others, none at the beginning. */
static void keep_line(struct part *part, const char *line, const char *end)
{
    bool is_blank = *line == '\n';
    const char *before = part->text + part->length;
    if (is_blank && (part->length < 2 || (before[-1] == '\n' && before[-2] == '\n')))
        return;
    memcpy(part->text + part->length, line, (size_t)(end - line));
    part->length += (size_t)(end - line);
}

static void clean_file(struct program *program, struct part *part, const struct embedded_file *file)
{
    struct cleaning cleaning = {.program = program, .part = part};
    for (const char *line = file->start, *end; line < file->end; line = end) {
        end = line_end(line, file->end);
        if (clean_condition(&cleaning, line, end) || is_left_out(&cleaning) ||
            line_begins(line, end, "/* SPDX") || is_guard_define(&cleaning, line, end) ||
            clean_include(&cleaning, line, end))
            continue;
        keep_line(part, line, end);
    }
    while (part->length > 1 && part->text[part->length - 2] == '\n')
        part->length--;
}

struct naming {
    struct program *program;
    struct taking *taking;
};

static void add_name(struct word word, void *context)
{
    struct naming *naming = context;
    struct program *program = naming->program;
    if (has_room(program, program->name_count, NAMES_MAX, "names"))
        program->names[program->name_count++] = (struct name){word, naming->taking};
}

static void cut_file(struct program *program, struct part *part)
{
    const char *at = part->text, *end = part->text + part->length;
    struct item item;
    part->first_item = program->item_count;
    while (item_next(&at, end, &item)) {
        if (!item_is_whole(&item))
            program_fail(program, "brackets or #if do not match in the item that begins: %.*s",
                         (int)strcspn(item.start, "\n\""), item.start);
        if ((part->is_header && item_is_declaration(&item)) ||
            !has_room(program, program->item_count, ITEMS_MAX, "items"))
            continue;
        struct taking *taking = &program->items[program->item_count++];
        *taking = (struct taking){.item = item, .part = part};
        item_names(&item, add_name, &(struct naming){program, taking});
    }
    part->end_item = program->item_count;
}

static struct part *add_part(struct program *program)
{
    if (!has_room(program, program->part_count, PARTS_MAX, "parts"))
        return NULL;
    return &program->parts[program->part_count++];
}

void program_add_file(struct program *program, const char *path, enum program_share share)
{
    const struct embedded_file *file = embedded_find(path);
    struct part *part = add_part(program);
    if (file == NULL)
        program_fail(program, "no embedded file: %s", path);
    if (file == NULL || part == NULL)
        return;
    part->share = share;
    part->is_header = strcmp(path + strlen(path) - 2, ".h") == 0;
    part->is_taken = share != PROGRAM_NEEDED;
    part->text = calloc(1, (size_t)(file->end - file->start) + 1);
    if (part->text == NULL) {
        fail_for_memory(program);
        return;
    }
    clean_file(program, part, file);
    if (share != PROGRAM_WHOLE)
        cut_file(program, part);
}

FILE *program_add_text(struct program *program)
{
    struct part *part = add_part(program);
    if (part == NULL)
        return program->sink;
    part->share = PROGRAM_WHOLE;
    part->stream = open_memstream(&part->text, &part->length);
    if (part->stream == NULL)
        fail_for_memory(program);
    return part->stream != NULL ? part->stream : program->sink;
}

/* ---- picking ---- */

/* Whose definitions of a word come first, for the file that a text comes from and for that text;
 * for others nobody's, since a header may declare what another file defines. */
static const struct part *own_part(const struct program *program, const struct part *part)
{
    if (part->stream != NULL && part > program->parts)
        part--;
    return part->share == PROGRAM_ORIGIN ? part : NULL;
}

static bool take_name(struct program *program, const struct part *own, const struct word *word)
{
    bool is_own = false, has_added = false;
    for (size_t pass = 0; pass < 2 && !is_own; pass++)
        for (size_t i = 0; i < program->name_count; i++) {
            struct taking *taking = program->names[i].taking;
            if ((pass == 0 && (own == NULL || taking->part != own)) ||
                !word_same(&program->names[i].word, word))
                continue;
            is_own |= pass == 0;
            has_added |= !taking->is_taken;
            taking->is_taken = taking->part->is_taken = true;
        }
    return has_added;
}

/* Only then text and length of a stream's part are up to date. */
static void flush_texts(const struct program *program)
{
    for (size_t i = 0; i < program->part_count; i++)
        if (program->parts[i].stream != NULL)
            fflush(program->parts[i].stream);
}

/* Returns whether anything was added. */
static bool take_names_of(struct program *program, const struct part *part, const char *at,
                          const char *end)
{
    const struct part *own = own_part(program, part);
    bool has_added = false;
    for (struct word word; word_next(&at, end, &word);)
        has_added |= take_name(program, own, &word);
    return has_added;
}

void program_pick(struct program *program)
{
    flush_texts(program);
    for (size_t i = 0; i < program->part_count; i++) {
        const struct part *part = &program->parts[i];
        if (part->share == PROGRAM_WHOLE && part->text != NULL)
            take_names_of(program, part, part->text, part->text + part->length);
    }
    for (bool has_added = true; has_added;) {
        has_added = false;
        for (size_t i = 0; i < program->item_count; i++) {
            const struct taking *taking = &program->items[i];
            if (taking->is_taken)
                has_added |=
                    take_names_of(program, taking->part, taking->item.start, taking->item.end);
        }
    }
}

static bool stands_in(const char *at, const char *end, const char *wanted)
{
    for (struct word word; word_next(&at, end, &word);)
        if (word_is(&word, wanted))
            return true;
    return false;
}

bool program_uses(const struct program *program, const char *word)
{
    flush_texts(program);
    for (size_t i = 0; i < program->part_count; i++) {
        const struct part *part = &program->parts[i];
        if (part->share == PROGRAM_WHOLE && part->text != NULL &&
            stands_in(part->text, part->text + part->length, word))
            return true;
    }
    for (size_t i = 0; i < program->item_count; i++) {
        const struct taking *taking = &program->items[i];
        if (taking->is_taken && stands_in(taking->item.start, taking->item.end, word))
            return true;
    }
    return false;
}

/* ---- writing ---- */

static int compare_headers(const void *left, const void *right)
{
    const struct word *one = &((const struct include *)left)->header,
                      *other = &((const struct include *)right)->header;
    size_t length = one->length < other->length ? one->length : other->length;
    int order = memcmp(one->start, other->start, length);
    return order != 0 ? order : (one->length > other->length) - (one->length < other->length);
}

static void write_includes(struct program *program, FILE *out)
{
    const struct word *last = NULL;
    qsort(program->includes, program->include_count, sizeof program->includes[0], compare_headers);
    for (size_t i = 0; i < program->include_count; i++) {
        const struct include *include = &program->includes[i];
        if ((include->part != NULL && !include->part->is_taken) ||
            (last != NULL && word_same(last, &include->header)))
            continue;
        last = &include->header;
        fprintf(out, "#include <%.*s>\n", (int)last->length, last->start);
    }
}

static void write_part(const struct program *program, const struct part *part, FILE *out)
{
    if (part->share == PROGRAM_WHOLE && part->length > 0)
        fprintf(out, "\n%.*s", (int)part->length, part->text);
    for (size_t i = part->first_item; i < part->end_item; i++) {
        const struct item *item = &program->items[i].item;
        if (program->items[i].is_taken)
            fprintf(out, "\n%.*s", (int)(item->end - item->start), item->start);
    }
}

static void write_program(struct program *program, FILE *out)
{
    fprintf(out, "/*\n%.*s */\n#define _GNU_SOURCE\n", (int)program->comment_length,
            program->comment_text);
    write_includes(program, out);
    if (names != NULL)
        fprintf(out, "\n/* What the allocator calls these functions. */\n%s", names);
    for (size_t i = 0; i < program->part_count; i++)
        write_part(program, &program->parts[i], out);
}

static void close_streams(struct program *program)
{
    for (size_t i = 0; i < program->part_count; i++)
        if (program->parts[i].stream != NULL && fclose(program->parts[i].stream) != 0)
            fail_for_memory(program);
    if (fclose(program->comment) != 0)
        fail_for_memory(program);
}

int program_end(struct program *program, FILE *out)
{
    close_streams(program);
    if (program->error == 0)
        write_program(program, out);
    else
        fprintf(out, "#error \"%s\"\n", program->problem);
    int error = program->error;
    for (size_t i = 0; i < program->part_count; i++)
        free(program->parts[i].text);
    free(program->comment_text);
    fclose(program->sink);
    free(program);
    return error == 0 && ferror(out) ? EIO : error;
}
