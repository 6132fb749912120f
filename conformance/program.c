/* SPDX-License-Identifier: MIT */
/*
 * A program is put together of items, the pieces between blank lines of outcome.h, plain_c.h,
 * kit.h, kit*.c and the probe's file. The probe is taken first; then, until nothing changes, every
 * item that defines a word of an item taken. What is taken is written in the order of the files.
 * The rules of probe.h make this enough of a C parser.
 */
#include "conformance/program.h"

#include "conformance/embedded.h"
#include "conformance/program_text.h"

#define PROBE_NO_NAMES
#include "conformance/probe.h"

static const char *const standard_headers[] = {"dlfcn.h",     "errno.h",   "malloc.h", "stdarg.h",
                                               "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h",
                                               "stdio.h",     "stdlib.h",  "string.h", "unistd.h"};

enum { ITEMS_MAX = 1000, NAMES_MAX = 3000, FIRST_SOURCE = 3, FILES = 8 };

struct name {
    struct word word;
    struct item *item;
};

struct program {
    const struct embedded_file *file[FILES];
    struct item items[ITEMS_MAX], *probe;
    struct name names[NAMES_MAX];
    size_t item_count, name_count;
    const char *error; /* NULL: none */
};

static void add_name(struct item *item, struct word word, void *context)
{
    struct program *program = context;
    if (program->name_count < NAMES_MAX)
        program->names[program->name_count++] = (struct name){word, item};
    else
        program->error = "too many names";
}

/* kit.h says again what kit.c defines; a program needs only the definitions. */
static bool is_declaration_only(const struct item *item)
{
    size_t length = (size_t)(item->end - item->start);
    return item->is_kit_header && memchr(item->start, '{', length) == NULL &&
           memchr(item->start, '#', length) == NULL;
}

static void cut_file(struct program *program, size_t file)
{
    const char *at = program->file[file]->start;
    struct item item = {.is_kit_header = strcmp(program->file[file]->name, "kit.h") == 0};
    while (item_next(&at, program->file[file]->end, &item)) {
        if (is_declaration_only(&item))
            continue;
        if (program->item_count == ITEMS_MAX) {
            program->error = "too many items";
            return;
        }
        struct item *kept = &program->items[program->item_count++];
        *kept = item;
        const char *behind;
        if (item_heading(kept, &behind) == NULL)
            item_names(kept, add_name, program);
    }
}

static int cut_files(struct program *program, const struct probe *probe)
{
    const char *inside = strstr(probe->file, "probes/");
    const char *const names[FILES] = {
        "outcome.h", "plain_c.h",   "kit.h",        "kit_process.c",
        "kit.c",     "kit_calls.c", "kit_misuse.c", inside != NULL ? inside : probe->file};
    for (size_t i = 0; i < FILES; i++) {
        program->file[i] = conformance_file_find(names[i]);
        if (program->file[i] == NULL)
            return ENOENT;
        cut_file(program, i);
    }
    for (size_t i = 0; i < program->item_count && program->probe == NULL; i++)
        if (item_is_probe(&program->items[i], probe->name))
            program->probe = &program->items[i];
    if (program->probe == NULL)
        program->error = "no item of the file begins with PROBE( and the probe's name";
    return 0;
}

static bool is_inside(const struct embedded_file *file, const struct item *item)
{
    return item->start >= file->start && item->start < file->end;
}

/* A word means what its own file defines, if that is the probe's; else all that define it: what
 * kit.h declares is in kit.c. */
static bool take_name(struct program *program, const struct item *user, const struct word *word)
{
    const struct embedded_file *own = program->file[FILES - 1];
    bool is_own = false, has_added = false;
    for (size_t pass = 0; pass < 2 && !is_own; pass++)
        for (size_t i = 0; i < program->name_count; i++) {
            struct item *item = program->names[i].item;
            bool fits = pass == 1 || (is_inside(own, user) && is_inside(own, item));
            if (!fits || !word_same(&program->names[i].word, word))
                continue;
            is_own |= pass == 0;
            has_added |= !item->is_taken;
            item->is_taken = true;
        }
    return has_added;
}

/* Returns whether anything was added. */
static bool take_names_of(struct program *program, const struct item *item)
{
    bool has_added = false;
    const char *at = item->start;
    for (struct word word; word_next(&at, item->end, &word);)
        has_added |= take_name(program, item, &word);
    return has_added;
}

static void take(struct program *program)
{
    program->probe->is_taken = true;
    for (bool has_added = true; has_added;) {
        has_added = false;
        for (size_t i = 0; i < program->item_count; i++)
            if (program->items[i].is_taken)
                has_added |= take_names_of(program, &program->items[i]);
    }
    for (size_t i = 0; i < program->item_count; i++)
        if (program->items[i].is_taken && !item_is_whole(&program->items[i])) {
            program->probe = &program->items[i];
            program->error =
                "brackets or #if do not match, as if a blank line stood inside an item";
        }
}

static bool uses(const struct program *program, const char *name)
{
    const struct word wanted = {name, strlen(name)};
    for (size_t i = 0; i < program->item_count; i++) {
        const char *at = program->items[i].start;
        for (struct word word;
             program->items[i].is_taken && word_next(&at, program->items[i].end, &word);)
            if (word_same(&word, &wanted))
                return true;
    }
    return false;
}

static bool takes_of(const struct program *program, const struct embedded_file *file)
{
    for (size_t i = 0; i < program->item_count; i++)
        if (program->items[i].is_taken && is_inside(file, &program->items[i]))
            return true;
    return false;
}

static bool is_included_before(const struct program *program, size_t file, const char *line,
                               size_t length)
{
    for (size_t i = 0; i < sizeof standard_headers / sizeof standard_headers[0]; i++)
        if (memmem(line, length, standard_headers[i], strlen(standard_headers[i])) != NULL &&
            memchr(line, '/', length) == NULL)
            return true;
    for (size_t i = FIRST_SOURCE; i < file; i++) {
        const struct embedded_file *before = program->file[i];
        if (takes_of(program, before) &&
            memmem(before->start, (size_t)(before->end - before->start), line, length) != NULL)
            return true;
    }
    return false;
}

/* The system headers of a file that something is taken of. */
static void write_includes(FILE *out, const struct program *program, size_t file)
{
    static const char include[] = "#include <";
    struct item line = {.end = program->file[file]->start};
    const char *end = takes_of(program, program->file[file]) ? program->file[file]->end : line.end;
    while (line.end < end) {
        line.start = line.end;
        const char *newline = memchr(line.start, '\n', (size_t)(end - line.start));
        line.end = newline != NULL ? newline + 1 : end;
        size_t length = (size_t)(line.end - line.start);
        if (length > sizeof include && strncmp(line.start, include, sizeof include - 1) == 0 &&
            !is_included_before(program, file, line.start, length))
            fwrite(line.start, 1, length, out);
    }
}

static const struct function {
    const char *name, *result, *parameters;
} family[] = {
#define CALL(name, result, parameters) {#name, #result, #parameters},
    SUBJECT_CALLS(CALL) MORE_CALLS(CALL)
#undef CALL
};

/* Newer than many C libraries: a program asks for them when it runs, for a weak reference may be
 * settled when it is linked. */
static bool is_looked_up(const struct function *function)
{
    static const char *const names[] = {"free_sized", "free_aligned_sized", "memalignment"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], function->name) == 0)
            return true;
    return false;
}

static void write_family(FILE *out, const struct program *program)
{
    const struct function *used[sizeof family / sizeof family[0]];
    size_t count = 0;
    for (size_t i = 0; i < sizeof family / sizeof family[0]; i++)
        if (uses(program, family[i].name))
            used[count++] = &family[i];
    if (count == 0)
        return;
    fprintf(out,
            "\n/* Calls go through volatile pointers, so that no compiler leaves one out. */\n");
    if (uses(program, "mallinfo"))
        fprintf(out, "#pragma GCC diagnostic ignored \"-Wdeprecated-declarations\"\n");
    fprintf(out, "struct {\n");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "    %s%s(*volatile %s)%s;\n", used[i]->result,
                strchr(used[i]->result, '*') != NULL ? "" : " ", used[i]->name,
                used[i]->parameters);
    fprintf(out, "} calls = {");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", is_looked_up(used[i]) ? "NULL" : used[i]->name);
    fprintf(out, "};\n");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "#define %s(...) calls.%s(__VA_ARGS__)\n", used[i]->name, used[i]->name);
}

static void write_items(FILE *out, const struct program *program, const char *probe)
{
    for (size_t i = 0; i < program->item_count; i++) {
        const struct item *item = &program->items[i];
        const char *from = item->start;
        if (!item->is_taken)
            continue;
        fputc('\n', out);
        if (item == program->probe) {
            const char *heading = item_heading(item, &from);
            fwrite(item->start, 1, (size_t)(heading - item->start), out);
            fprintf(out, "static enum probe_outcome %s(void)", probe);
        }
        fwrite(from, 1, (size_t)(item->end - from), out);
    }
}

static void write_main(FILE *out, const struct program *program, const char *probe)
{
    fprintf(out, "\nint main(void)\n{\n");
    for (size_t i = 0; i < sizeof family / sizeof family[0]; i++)
        if (is_looked_up(&family[i]) && uses(program, family[i].name))
            fprintf(out, "    *(void *volatile *)&calls.%s = dlsym(RTLD_DEFAULT, \"%s\");\n",
                    family[i].name, family[i].name);
    fprintf(out, "    enum probe_outcome outcome = %s();\n", probe);
    fprintf(out, "    _exit(outcome == OUTCOME_FAIL || outcome == OUTCOME_WEAK || outcome == "
                 "OUTCOME_SILENT);\n}\n");
}

static void write_program(FILE *out, const struct program *program,
                          const struct clause_result *result, const char *subject)
{
    text_write_opening(out, result, subject);
    for (size_t i = 0; i < sizeof standard_headers / sizeof standard_headers[0]; i++)
        fprintf(out, "#include <%s>\n", standard_headers[i]);
    for (size_t i = FIRST_SOURCE; i < FILES; i++)
        write_includes(out, program, i);
    write_family(out, program);
    write_items(out, program, result->probe->name);
    write_main(out, program, result->probe->name);
}

int program_write(FILE *out, const struct clause_result *result, const char *subject)
{
    struct program *program = result->probe != NULL ? calloc(1, sizeof *program) : NULL;
    if (program == NULL)
        return result->probe != NULL ? ENOMEM : ENOENT;
    int error = cut_files(program, result->probe);
    if (error == 0 && program->error == NULL)
        take(program);
    if (error == 0 && program->error == NULL)
        write_program(out, program, result, subject);
    if (error == 0 && program->error != NULL) {
        int length = program->probe != NULL ? (int)strcspn(program->probe->start, "\n\"") : 0;
        fprintf(out, "#error \"%s, probe %s: %s: %.*s\"\n", result->probe->file,
                result->probe->name, program->error, length,
                length > 0 ? program->probe->start : "");
        error = EINVAL;
    }
    free(program);
    return error == 0 && ferror(out) ? EIO : error;
}
