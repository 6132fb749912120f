/* SPDX-License-Identifier: MIT */
/* Reads a declaration, one line at a time: FUNCTION = SYMBOL(ARGUMENT, …). */
#include "harness/cli/declare_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_CAPACITY = 256 };

const struct declared_function declared_functions[DECLARED_FUNCTIONS] = {
#define CALL(name, result, parameters) {#name, #result, #parameters},
    SUBJECT_CALLS(CALL)
#undef CALL
        {"free_aligned", "void", "(void *block, size_t alignment)"}};

static const struct word {
    const char *name, *mangled, *parameter, *other;
} words[] = {
#define WORD(id, word, text, type, mangled, parameter, other) {word, mangled, parameter, other},
    DECLARED_WORDS(WORD)
#undef WORD
};
enum { WORDS = sizeof words / sizeof words[0] };

struct reading {
    struct declaration *declaration;
    const char *file;
    unsigned line;
    char *error;
};

static int __attribute__((format(printf, 2, 3))) fail(const struct reading *reading,
                                                      const char *format, ...)
{
    va_list arguments;
    int length =
        snprintf(reading->error, BRING_ERROR_MAX, "%.200s:%u: ", reading->file, reading->line);
    va_start(arguments, format);
    vsnprintf(reading->error + length, BRING_ERROR_MAX - (size_t)length, format, arguments);
    va_end(arguments);
    return EINVAL;
}

/* Without blanks at both ends; changes the text. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    for (size_t length = strlen(text); length > 0 && isspace((unsigned char)text[length - 1]);)
        text[--length] = '\0';
    return text;
}

bool declared_has(const struct declared *declared, enum declared_word word, bool strict)
{
    for (unsigned i = 0; i < declared->argument_count; i++)
        if (declared->arguments[i].word == word && (declared->arguments[i].is_strict || !strict))
            return true;
    return false;
}

/* ---- arguments ---- */

/* Whether the function has a parameter of that name; NULL: none is needed. */
static bool has_parameter(const struct declared_function *function, const char *name)
{
    const char *found = name != NULL ? strstr(function->parameters, name) : "  ";
    while (name != NULL && found != NULL && isalnum((unsigned char)found[strlen(name)]))
        found = strstr(found + 1, name);
    return found != NULL;
}

static int read_number(const struct reading *reading, const char *text,
                       struct declared_argument *argument)
{
    char *end;
    errno = 0;
    argument->word = DECLARED_NUMBER;
    argument->number = strtoull(text, &end, 0);
    if (errno != 0 || *end != '\0')
        return fail(reading, "`%.40s` is no number", text);
    return 0;
}

static int read_argument(const struct reading *reading, const struct declared_function *function,
                         char *text, struct declared_argument *argument)
{
    size_t length = strlen(text);
    unsigned word = 0;
    if (isdigit((unsigned char)text[0]))
        return read_number(reading, text, argument);
    argument->is_strict = length > 0 && text[length - 1] == '!';
    if (argument->is_strict)
        text[length - 1] = '\0';
    while (word < WORDS && strcmp(words[word].name, text) != 0)
        word++;
    if (word == WORDS || !has_parameter(function, words[word].parameter) ||
        !has_parameter(function, words[word].other))
        return fail(reading, "%s%s has no argument `%.40s`", function->name, function->parameters,
                    text);
    argument->word = (enum declared_word)word;
    argument->is_strict |= word == DECLARED_LOG2_ALIGNMENT;
    return 0;
}

/* `text`: what stands between the brackets. */
static int read_arguments(const struct reading *reading, const struct declared_function *function,
                          char *text, struct declared *declared)
{
    char *rest = trim(text);
    while (*rest != '\0') {
        char *word = rest, *comma = strchr(rest, ',');
        rest = comma != NULL ? comma + 1 : rest + strlen(rest);
        if (comma != NULL)
            *comma = '\0';
        if (declared->argument_count == DECLARED_ARGUMENTS_MAX)
            return fail(reading, "more than %d arguments", DECLARED_ARGUMENTS_MAX);
        struct declared_argument *argument = &declared->arguments[declared->argument_count++];
        int failure = read_argument(reading, function, trim(word), argument);
        if (failure != 0)
            return failure;
    }
    return 0;
}

/* ---- symbols ---- */

static const char *mangle_argument(const struct declared_argument *argument, bool is_second)
{
    if (argument->word == DECLARED_NUMBER) /* a fixed alignment */
        return is_second ? words[DECLARED_ALIGNMENT].mangled : words[DECLARED_SIZE].mangled;
    return words[argument->word].mangled;
}

/* "operator new" → _Znwm and so on, by the arguments. */
static int mangle(const struct reading *reading, const char *name, struct declared *declared)
{
    static const struct {
        const char *name, *mangled;
    } operators[] = {{"operator new", "_Znw"},
                     {"operator new[]", "_Zna"},
                     {"operator delete", "_Zdl"},
                     {"operator delete[]", "_Zda"}};
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (strcmp(operators[i].name, name) != 0)
            continue;
        int length =
            snprintf(declared->symbol, sizeof declared->symbol, "%s", operators[i].mangled);
        for (unsigned j = 0; j < declared->argument_count; j++) {
            const char *argument = mangle_argument(&declared->arguments[j], j > 0);
            if (argument == NULL)
                return fail(reading, "%s has no form with argument %u", name, j + 1);
            length += snprintf(declared->symbol + length, sizeof declared->symbol - (size_t)length,
                               "%s", argument);
        }
        return 0;
    }
    return fail(reading, "`%.40s` is neither a symbol nor operator new, delete, new[], delete[]",
                name);
}

static bool is_symbol(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    while (isalnum((unsigned char)*text) || *text == '_')
        text++;
    return *text == '\0';
}

static int read_symbol(const struct reading *reading, const char *name, struct declared *declared)
{
    if (strlen(name) >= sizeof declared->symbol)
        return fail(reading, "a symbol of more than %zu bytes", sizeof declared->symbol - 1);
    snprintf(declared->symbol, sizeof declared->symbol, "%s", name);
    int failure = is_symbol(name) ? 0 : mangle(reading, name, declared);
    bool allocates =
        strncmp(declared->symbol, "_Znw", 4) == 0 || strncmp(declared->symbol, "_Zna", 4) == 0;
    declared->is_operator = allocates || strncmp(declared->symbol, "_Zd", 3) == 0;
    declared->throws = allocates && strstr(declared->symbol, "nothrow") == NULL;
    for (unsigned i = 0; i < declared->argument_count; i++) /* others may not be passed */
        declared->arguments[i].is_strict |=
            allocates && declared->arguments[i].word == DECLARED_ALIGNMENT;
    return failure;
}

/* ---- lines ---- */

static int find_function(const struct reading *reading, const char *name, unsigned *ret_index)
{
    for (*ret_index = 0; *ret_index < DECLARED_FUNCTIONS; (*ret_index)++)
        if (strcmp(declared_functions[*ret_index].name, name) == 0)
            return 0;
    return fail(reading, "`%.40s` is no function of the malloc family", name);
}

static int read_line(const struct reading *reading, char *line)
{
    char *equals = strchr(line, '='), *open = strchr(line, '('), *close = strrchr(line, ')');
    unsigned index;
    if (equals == NULL || open == NULL || close == NULL || open < equals || close < open ||
        close[1] != '\0')
        return fail(reading, "no line such as `malloc = my_alloc(size)`");
    *equals = *open = *close = '\0';
    int failure = find_function(reading, trim(line), &index);
    if (failure != 0)
        return failure;
    struct declared *declared = &reading->declaration->functions[index];
    const struct declared_function *function = &declared_functions[index];
    if (declared->line != 0)
        return fail(reading, "%s was declared in line %u", function->name, declared->line);
    declared->line = reading->line;
    failure = read_arguments(reading, function, open + 1, declared);
    return failure != 0 ? failure : read_symbol(reading, trim(equals + 1), declared);
}

static int read_lines(struct reading *reading, FILE *file)
{
    char line[LINE_CAPACITY];
    for (reading->line = 1; fgets(line, sizeof line, file) != NULL; reading->line++) {
        if (strchr(line, '\n') == NULL && !feof(file))
            return fail(reading, "a line of more than %d bytes", LINE_CAPACITY - 2);
        char *text = trim(line);
        int failure = *text == '\0' || *text == '#' ? 0 : read_line(reading, text);
        if (failure != 0)
            return failure;
    }
    return 0;
}

/* ---- the whole ---- */

static int miss(struct reading *reading, unsigned line, const char *sentence)
{
    reading->line = line;
    return fail(reading, "%s", sentence);
}

static int check_whole(struct reading *reading)
{
    const struct declared *functions = reading->declaration->functions;
    const struct declared *aligned = &functions[SUBJECT_aligned_alloc],
                          *realigned = &functions[DECLARED_free_aligned];
    aligned = aligned->line != 0 ? aligned : &functions[SUBJECT_memalign];
    if (functions[SUBJECT_malloc].line == 0)
        return miss(reading, 1, "malloc is not declared");
    if (functions[SUBJECT_free].line == 0)
        return miss(reading, 1, "free is not declared");
    if (realigned->line == 0 && aligned->is_operator)
        return miss(reading, aligned->line,
                    "operator delete must get the alignment too: declare free_aligned");
    if (realigned->line != 0 && functions[SUBJECT_realloc].line != 0)
        return miss(reading, functions[SUBJECT_realloc].line,
                    "realloc may get any block, but free_aligned says that blocks differ");
    return 0;
}

int declare_read(const char *path, const struct declaration **ret_declaration,
                 char error[BRING_ERROR_MAX])
{
    static struct declaration declaration;
    struct reading reading = {&declaration, path, 0, error};
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(error, BRING_ERROR_MAX, "--declare: %.200s: %s", path, strerror(errno));
        return EINVAL;
    }
    declaration = (struct declaration){0};
    snprintf(declaration.file, sizeof declaration.file, "%s", path);
    int failure = read_lines(&reading, file);
    if (failure == 0 && ferror(file))
        failure = fail(&reading, "it cannot be read");
    fclose(file);
    if (failure == 0)
        failure = check_whole(&reading);
    if (failure == 0)
        *ret_declaration = &declaration;
    return failure;
}

const char *declare_symbol_at(const struct declaration *declaration, unsigned i, unsigned *ret_line,
                              bool *ret_is_from_library)
{
    for (unsigned index = 0; index < DECLARED_FUNCTIONS; index++) {
        const struct declared *declared = &declaration->functions[index];
        if (declared->line == 0 || i-- > 0)
            continue;
        *ret_line = declared->line;
        *ret_is_from_library = declared->is_operator && index != SUBJECT_malloc;
        return declared->symbol;
    }
    return NULL;
}

bool declare_uses_operators(const struct declaration *declaration)
{
    for (unsigned i = 0; i < DECLARED_FUNCTIONS; i++)
        if (declaration->functions[i].is_operator)
            return true;
    return false;
}
