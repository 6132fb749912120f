/* SPDX-License-Identifier: MIT */
/*
 * The compiler's driver `cc` does the work. Which functions there are is read from the symbols of a
 * first build, so that a partial family stays partial: a function that is not there is not
 * exported, and no test calls it.
 */
#include "harness/cli/bring.h"

#include "harness/cli/declare.h"
#include "harness/cli/output.h"
#include "harness/process/process.h"
#include "harness/program/embedded.h"
#include "harness/subject/subject_calls.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUZZED ".fuzz.so" /* what the name of an object with counters ends with */
#define LACKS  "mallet_subject_lacks"
#define NAMES  ".names.h" /* what the name of a file for program_use_names ends with */

enum {
    WORDS_MAX = 128,
    TEXT_MAX = 4096,
    SYMBOLS_MAX = 1 << 18,
    NAME_MAX_BYTES = 64,
    WAIT_MS = 100
};

/* Exercises of courses, whose functions need more than a C library. */
static const struct lab {
    const char *name, *prefix, *init, *lacks;
    const char *reset;    /* called before `init` is tried again */
    const char *macro;    /* that the exercise's own driver is compiled with */
    const char *files[4]; /* in harness/cli/labs/NAME; the first is compiled */
} exercises[] = {
    {"malloclab",
     "mm_",
     "mm_init",
     "threads alignment errno cost",
     "mem_reset_brk",
     "-DDRIVER",
     {"memlib.c", "memlib.h", "mm.h"}},
};
enum { EXERCISES = sizeof exercises / sizeof exercises[0] };

struct build {
    struct bring bring;    /* with what a lab says of it */
    const struct lab *lab; /* NULL: none */
    const char *typed;
    char lab_include[PATH_MAX], lab_source[PATH_MAX], coverage[PATH_MAX];
    char stem[256];                                          /* file name without its end */
    char plain[PATH_MAX], names[PATH_MAX], result[PATH_MAX]; /* files in the folder */
    char fuzzed[PATH_MAX], names_header[PATH_MAX], rpath[PATH_MAX];
    const struct declaration *declaration; /* NULL: none */
    char flags[TEXT_MAX];                  /* split into words */
    char lacks[256];                       /* what the lab and the user say, or empty */
    char symbols[SYMBOLS_MAX];             /* " name name … " */
    char *error;
};

static const struct function {
    const char *name, *result, *parameters;
} functions[] = {
#define CALL(name, result, parameters) {#name, #result, #parameters},
    SUBJECT_CALLS(CALL)
#undef CALL
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static int __attribute__((format(printf, 3, 4))) fail(const struct build *build, int result,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(build->error, BRING_ERROR_MAX, format, arguments);
    va_end(arguments);
    return result;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static bool is_cplusplus(const char *typed)
{
    return ends_with(typed, ".cc") || ends_with(typed, ".cpp") || ends_with(typed, ".cxx");
}

static bool is_text(const char *typed)
{
    return ends_with(typed, ".c") || is_cplusplus(typed);
}

static bool is_source(const char *typed)
{
    return is_text(typed) || ends_with(typed, ".o") || ends_with(typed, ".a");
}

bool bring_is_needed(const struct bring *bring, const char *typed)
{
    return is_source(typed) || bring->prefix != NULL || bring->init != NULL ||
           bring->lacks != NULL || bring->lab != NULL || bring->declare != NULL;
}

const char *bring_lab_at(unsigned i)
{
    return i < EXERCISES ? exercises[i].name : NULL;
}

/* ---- programs ---- */

struct words {
    const char *list[WORDS_MAX + 1];
    size_t count;
};

static void add(struct words *words, const char *word)
{
    if (words->count < WORDS_MAX)
        words->list[words->count++] = word;
}

static void add_flags(struct words *words, struct build *build)
{
    char *rest = NULL;
    snprintf(build->flags, sizeof build->flags, "%s",
             build->bring.cflags != NULL ? build->bring.cflags : "");
    for (char *word = strtok_r(build->flags, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest))
        add(words, word);
}

/* Runs it; keeps what it printed, up to capacity. Returns whether it succeeded. */
static bool run(const struct words *words, char *ret_output, size_t capacity)
{
    const struct process_plan plan = {.program = words->list[0],
                                      .arguments = words->list,
                                      .keeps_environment = true,
                                      .output = PROCESS_OUTPUT_STREAM};
    struct process process, *const list[] = {&process};
    char rest[TEXT_MAX];
    size_t length = 0, got = 0;
    ret_output[0] = '\0';
    if (process_spawn(&plan, &process) != 0)
        return false;
    for (bool has_ended = false; !has_ended || got > 0;) {
        has_ended = process_has_ended(&process);
        got = length + 1 < capacity
                  ? process_read(&process, ret_output + length, capacity - 1 - length)
                  : process_read(&process, rest, sizeof rest);
        if (length + 1 < capacity)
            length += got;
        if (!has_ended && got == 0)
            process_poll(list, 1, WAIT_MS);
    }
    ret_output[length] = '\0';
    int status = process.status;
    process_release(&process);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The line that tells what is wrong, without its end; all of the output is a worse answer. */
static const char *find_complaint(char *output)
{
    static const char *const words[] = {"multiple definition", "undefined reference",
                                        "recompile with", "cannot find", "error:"};
    char *line = NULL;
    for (size_t i = 0; line == NULL && i < sizeof words / sizeof words[0]; i++)
        line = strstr(output, words[i]);
    if (line == NULL)
        return output[0] != '\0' ? strtok(output, "\n") : "it cannot be run";
    while (line > output && line[-1] != '\n')
        line--;
    line[strcspn(line, "\n")] = '\0';
    return line;
}

/* Compiles and links: names NULL, what was typed as it is; else with the names in front. */
static int link_object(struct build *build, const char *names, const char *object)
{
    static char output[TEXT_MAX];
    bool is_fuzzed = object == build->fuzzed;
    struct words words = {{"cc", "-shared", "-fPIC", "-g", "-O2", "-fno-builtin", "-o", object}, 8};
    if (names != NULL)
        add(&words, names);
    if (ends_with(build->typed, ".a")) {
        add(&words, "-Wl,--whole-archive");
        add(&words, build->typed);
        add(&words, "-Wl,--no-whole-archive");
    } else {
        add(&words, build->typed);
    }
    if (!is_source(build->typed))
        add(&words, build->rpath);
    add_flags(&words, build);
    if (is_cplusplus(build->typed) ||
        (build->declaration != NULL && declare_uses_operators(build->declaration)))
        add(&words, "-lstdc++");
    if (is_fuzzed) {
        add(&words, "-fsanitize-coverage=trace-pc");
        add(&words, build->coverage);
    }
    if (build->lab != NULL) {
        add(&words, build->lab->macro);
        add(&words, build->lab_include);
        add(&words, build->lab_source);
    }
    add(&words, "-pthread");
    if (!run(&words, output, sizeof output))
        return fail(build, EINVAL, "cannot build %.120s: cc: %.300s", build->typed,
                    find_complaint(output));
    return 0;
}

/* ---- which functions there are ---- */

static int read_symbols(struct build *build, const char *object, const char *which)
{
    static char output[SYMBOLS_MAX];
    const struct words words = {{"nm", "-D", which, "-P", object}, 5};
    size_t used = 1;
    char *rest = NULL;
    strcpy(build->symbols, " ");
    if (!run(&words, output, sizeof output))
        return fail(build, EINVAL, "cannot read the symbols of %.120s: nm: %.200s", object,
                    find_complaint(output));
    for (char *line = strtok_r(output, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        size_t length = strcspn(line, " @");
        bool is_of_lab = build->lab != NULL && strncmp(line, "mem_", 4) == 0;
        if (!is_of_lab && used + length + 2 < sizeof build->symbols)
            used += (size_t)snprintf(build->symbols + used, sizeof build->symbols - used, "%.*s ",
                                     (int)length, line);
    }
    return 0;
}

static bool is_defined(const struct build *build, const char *prefix, const char *name)
{
    char word[2 * NAME_MAX_BYTES];
    snprintf(word, sizeof word, " %.60s%.60s ", prefix, name);
    return strstr(build->symbols, word) != NULL;
}

static int require(const struct build *build, const char *option, const char *prefix,
                   const char *name)
{
    if (is_defined(build, prefix, name))
        return 0;
    return fail(build, EINVAL, "%s: %.120s does not define %.60s%.60s; it defines%.200s", option,
                build->typed, prefix, name,
                build->symbols[1] != '\0' ? build->symbols : " nothing");
}

/* An allocator that takes its memory from malloc would call itself. */
static int refuse_recursion(struct build *build, const char *option, const char *object)
{
    static const char *const sources[] = {"malloc", "calloc", "realloc", "aligned_alloc",
                                          "posix_memalign"};
    int failure = read_symbols(build, object, "--undefined-only");
    for (size_t i = 0; failure == 0 && i < sizeof sources / sizeof sources[0]; i++)
        if (is_defined(build, "", sources[i]))
            return fail(build, EINVAL,
                        "%s: %.120s calls %s, which is to be its own %.60s%s here: give it its "
                        "memory by mmap, sbrk or an array, or leave that call out",
                        option, build->typed, sources[i], build->bring.prefix, sources[i]);
    return failure;
}

/* ---- the names ---- */

/* "(size_t count, size_t size)" → "count, size" */
static void list_arguments(const char *parameters, char *ret_list, size_t capacity)
{
    size_t used = 0;
    ret_list[0] = '\0';
    for (const char *at = parameters + 1, *end; *at != '\0'; at = end + (*end != '\0')) {
        end = at + strcspn(at, ",)");
        const char *name = end;
        while (name > at && name[-1] != ' ' && name[-1] != '*')
            name--;
        if (name < end && strncmp(name, "void", 4) != 0)
            used += (size_t)snprintf(ret_list + used, capacity - used, "%s%.*s",
                                     used > 0 ? ", " : "", (int)(end - name), name);
    }
}

static void write_function(const struct build *build, FILE *file, const struct function *function)
{
    char arguments[256];
    const char *prefix = build->bring.prefix;
    bool is_void = strcmp(function->result, "void") == 0;
    list_arguments(function->parameters, arguments, sizeof arguments);
    const char *result = function->result;
    const char *gap = strchr(result, '*') != NULL ? "" : " ";
    fprintf(file, "%s%s%s%s%s;\n%s%s%s%s\n{\n", result, gap, prefix, function->name,
            function->parameters, result, gap, function->name, function->parameters);
    if (build->bring.init != NULL && is_void)
        fprintf(file, "    if (!begin())\n        return;\n");
    else if (build->bring.init != NULL)
        fprintf(file, "    if (!begin()) {\n        errno = ENOMEM;\n        return %s;\n    }\n",
                strcmp(function->result, "int") == 0 ? "ENOMEM" : "0");
    if (build->lab != NULL && strcmp(function->name, "free") == 0) /* asked of blocks only */
        fprintf(file, "    if (%s == 0)\n        return;\n", arguments);
    fprintf(file, "    %s%s%s(%s);\n}\n\n", is_void ? "" : "return ", prefix, function->name,
            arguments);
}

/* The first call sets the allocator up; its thread may allocate while it does so, others wait. What
 * a lab's function returns says whether it could; if not, the next call tries again. */
static void write_init(const struct build *build, FILE *file)
{
    const char *init = build->bring.init;
    if (build->bring.prefix == NULL) {
        fprintf(
            file,
            "void %s();\n__attribute__((constructor)) static void begin(void)\n{\n    %s();\n}\n",
            init, init);
        return;
    }
    if (build->lab != NULL)
        fprintf(file, "void %s(void);\n", build->lab->reset);
    fprintf(file,
            "%s %s();\nstatic int state; /* 0: not begun, 1: one thread is in it, 2: done */\n"
            "static __thread int is_inside __attribute__((tls_model(\"initial-exec\")));\n\n"
            "/* Returns whether the allocator can be called. */\nstatic int begin(void)\n{\n"
            "    int kept = errno, none = 0, is_ready = 1;\n"
            "    if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == 2 || is_inside)\n"
            "        return 1;\n"
            "    if (__atomic_compare_exchange_n(&state, &none, 1, 0, __ATOMIC_ACQ_REL, "
            "__ATOMIC_ACQUIRE)) {\n        is_inside = 1;\n        %s%s()%s;\n%s%s%s"
            "        is_inside = 0;\n"
            "        __atomic_store_n(&state, is_ready ? 2 : 0, __ATOMIC_RELEASE);\n    }\n"
            "    while (is_ready && __atomic_load_n(&state, __ATOMIC_ACQUIRE) == 1)\n"
            "        sched_yield();\n    errno = kept;\n    return is_ready;\n}\n\n",
            build->lab != NULL ? "int" : "void", init, build->lab != NULL ? "is_ready = " : "",
            init, build->lab != NULL ? " >= 0" : "",
            build->lab != NULL ? "        if (!is_ready)\n            " : "",
            build->lab != NULL ? build->lab->reset : "", build->lab != NULL ? "();\n" : "");
}

/* An embedded file as a file of the folder; ret_path: where it is. */
static int write_embedded(struct build *build, const char *name, const char *folder,
                          char ret_path[PATH_MAX])
{
    const struct embedded_file *file = embedded_find(name);
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    snprintf(ret_path, PATH_MAX, "%.3100s%s", folder, strrchr(name, '/'));
    int failure = output_open(&output, ret_path, error);
    if (failure == 0) {
        fwrite(file->start, 1, (size_t)(file->end - file->start), output.file);
        failure = output_close(&output, error);
    }
    return failure != 0 ? fail(build, failure, "%s", error) : 0;
}

/* The files of the lab, in a folder beside what is built. */
static int write_lab(struct build *build, const char *folder)
{
    char lab_folder[PATH_MAX], name[PATH_MAX], path[PATH_MAX], error[OUTPUT_ERROR_MAX];
    snprintf(lab_folder, PATH_MAX, "%.3000s/%s", folder, build->lab->name);
    snprintf(build->lab_include, PATH_MAX, "-I%.3100s", lab_folder);
    if (output_make_folder(lab_folder, error) != 0)
        return fail(build, EINVAL, "%s", error);
    for (size_t i = 0; build->lab->files[i] != NULL; i++) {
        snprintf(name, sizeof name, "harness/cli/labs/%s/%s", build->lab->name,
                 build->lab->files[i]);
        int failure = write_embedded(build, name, lab_folder, i == 0 ? build->lab_source : path);
        if (failure != 0)
            return failure;
    }
    return 0;
}

static void use_lab(struct build *build)
{
    for (size_t i = 0; i < EXERCISES && build->bring.lab != NULL; i++)
        if (strcmp(exercises[i].name, build->bring.lab) == 0)
            build->lab = &exercises[i];
    if (build->lab == NULL)
        return;
    build->bring.prefix = build->lab->prefix;
    build->bring.init = build->lab->init;
    const char *lacks = build->bring.lacks;
    snprintf(build->lacks, sizeof build->lacks, "%s%s%.120s", build->lab->lacks,
             lacks != NULL ? " " : "", lacks != NULL ? lacks : "");
    build->bring.lacks = build->lacks;
}

static int write_names(struct build *build)
{
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    int failure = output_open(&output, build->names, error);
    if (failure != 0)
        return fail(build, failure, "%s", error);
    fprintf(output.file,
            "/* Made by mallet: the C library's names for %s. */\n#include <errno.h>\n"
            "#include <sched.h>\n#include <stddef.h>\n\n",
            build->typed);
    if (build->bring.init != NULL)
        write_init(build, output.file);
    for (size_t i = 0; i < FUNCTIONS && build->bring.prefix != NULL; i++)
        if (is_defined(build, build->bring.prefix, functions[i].name))
            write_function(build, output.file, &functions[i]);
    const char *lacks = build->bring.lacks;
    if (build->declaration != NULL)
        declare_write_names(build->declaration, lacks != NULL ? lacks : "", output.file);
    else if (lacks != NULL)
        fprintf(output.file, "const char " LACKS "[] = \"%s\";\n", lacks);
    failure = output_close(&output, error);
    return failure != 0 ? fail(build, failure, "%s", error) : 0;
}

/* ---- declarations ---- */

static int require_declared(const struct build *build)
{
    unsigned line;
    bool is_from_library;
    const char *symbol;
    for (unsigned i = 0;
         (symbol = declare_symbol_at(build->declaration, i, &line, &is_from_library)) != NULL; i++)
        if (!is_from_library && !is_defined(build, "", symbol))
            return fail(build, EINVAL, "%.200s:%u: %.120s does not define %.100s",
                        build->bring.declare, line, build->typed, symbol);
    return 0;
}

/* For programs, which are written by whoever finds something in the object. */
static int write_names_header(struct build *build)
{
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    if (build->declaration == NULL) {
        unlink(build->names_header); /* of an earlier build */
        return 0;
    }
    int failure = output_open(&output, build->names_header, error);
    if (failure != 0)
        return fail(build, failure, "%s", error);
    declare_write_program(build->declaration, output.file);
    failure = output_close(&output, error);
    return failure != 0 ? fail(build, failure, "%s", error) : 0;
}

char *bring_read_names(const char *object)
{
    char path[PATH_MAX], *text = NULL;
    size_t length = strlen(object), capacity = 0;
    if (!ends_with(object, ".so") || length + sizeof NAMES > PATH_MAX)
        return NULL;
    snprintf(path, sizeof path, "%.*s" NAMES, (int)length - 3, object);
    FILE *file = fopen(path, "re");
    if (file != NULL && getdelim(&text, &capacity, '\0', file) < 0) {
        free(text);
        text = NULL;
    }
    if (file != NULL)
        fclose(file);
    return text;
}

/* ---- the build ---- */

static int add_names(struct build *build)
{
    const struct bring *bring = &build->bring;
    const char *option = build->lab != NULL ? "--lab" : "--prefix";
    bool is_built = is_source(build->typed);
    const char *object = is_built ? build->plain : build->typed;
    bool is_renamed = bring->prefix != NULL || build->declaration != NULL;
    if (!is_built && !is_renamed && bring->lacks != NULL)
        return fail(build, EINVAL,
                    "--lacks: %.200s can say so itself, in a string " LACKS "; the option "
                    "is for what is built here",
                    build->typed);
    int failure = is_built ? link_object(build, NULL, build->plain) : 0;
    if (failure == 0)
        failure = bring->prefix != NULL ? refuse_recursion(build, option, object) : 0;
    if (failure == 0)
        failure = read_symbols(build, object, "--defined-only");
    if (failure == 0 && bring->prefix != NULL)
        failure = require(build, option, bring->prefix, "malloc");
    if (failure == 0 && bring->prefix != NULL)
        failure = require(build, option, bring->prefix, "free");
    if (failure == 0 && build->declaration != NULL)
        failure = require_declared(build);
    if (failure == 0 && bring->lacks != NULL && is_defined(build, "", LACKS))
        failure =
            fail(build, EINVAL, "--lacks: %.200s says so itself, in its " LACKS, build->typed);
    if (failure == 0 && bring->init != NULL)
        failure = require(build, build->lab != NULL ? "--lab" : "--init", "", bring->init);
    if (failure == 0)
        failure = write_names(build);
    if (failure == 0)
        failure = link_object(build, build->names, build->result);
    if (is_built)
        unlink(build->plain);
    return failure;
}

static void name_files(struct build *build, const char *folder)
{
    const char *slash = strrchr(build->typed, '/'); /* it is absolute */
    snprintf(build->stem, sizeof build->stem, "%.200s", slash + 1);
    char *end = strstr(build->stem, ".so");
    end = end != NULL ? end : strrchr(build->stem, '.');
    if (end != NULL)
        *end = '\0';
    snprintf(build->plain, PATH_MAX, "%.3000s/%s.plain.so", folder, build->stem);
    snprintf(build->names, PATH_MAX, "%.3000s/%s.names.c", folder, build->stem);
    snprintf(build->result, PATH_MAX, "%.3000s/%s.so", folder, build->stem);
    snprintf(build->names_header, PATH_MAX, "%.3000s/%s" NAMES, folder, build->stem);
    snprintf(build->rpath, PATH_MAX, "-Wl,-rpath,%.*s", (int)(slash - build->typed), build->typed);
    snprintf(build->fuzzed, PATH_MAX, "%.3000s/%s" FUZZED, folder, build->stem);
}

/* A second build, for a search. A compiler that has no such counters is no error: behaviour guides
 * the search then. */
static void build_fuzzed(struct build *build, const char *names, const char *folder)
{
    if (write_embedded(build, "harness/cli/parts/coverage.c", folder, build->coverage) == 0)
        (void)link_object(build, names, build->fuzzed);
}

bool bring_find_fuzzed(const char *object, char ret_path[PATH_MAX])
{
    struct stat own, fuzzed;
    size_t length = strlen(object);
    if (!ends_with(object, ".so") || length + sizeof FUZZED > PATH_MAX)
        return false;
    snprintf(ret_path, PATH_MAX, "%.*s" FUZZED, (int)length - 3, object);
    return stat(object, &own) == 0 && stat(ret_path, &fuzzed) == 0 &&
           fuzzed.st_mtime >= own.st_mtime;
}

int bring_build(const struct bring *bring, const char *typed, const char *folder,
                char ret_path[PATH_MAX], char error[BRING_ERROR_MAX])
{
    static struct build build;  /* too large for the stack */
    static char file[PATH_MAX]; /* build.typed */
    char folder_error[OUTPUT_ERROR_MAX];
    build = (struct build){.bring = *bring, .error = error};
    use_lab(&build);
    if (realpath(typed, file) == NULL)
        return fail(&build, errno, "%.200s: %s", typed, strerror(errno));
    build.typed = file; /* absolute, for a program elsewhere loads it */
    int failure =
        bring->declare != NULL ? declare_read(bring->declare, &build.declaration, error) : 0;
    if (failure != 0)
        return failure;
    failure = output_make_folder(folder, folder_error);
    if (failure != 0)
        return fail(&build, failure, "%s", folder_error);
    name_files(&build, folder);
    failure = build.lab != NULL ? write_lab(&build, folder) : 0;
    bool has_names = build.bring.prefix != NULL || build.bring.init != NULL ||
                     build.bring.lacks != NULL || build.declaration != NULL;
    if (failure == 0)
        failure = write_names_header(&build);
    if (failure == 0)
        failure = has_names ? add_names(&build) : link_object(&build, NULL, build.result);
    if (failure == 0 && bring->is_fuzzed && is_text(typed))
        build_fuzzed(&build, has_names ? build.names : NULL, folder);
    if (failure == 0 && realpath(build.result, ret_path) == NULL)
        return fail(&build, errno, "%.200s: %s", build.result, strerror(errno));
    return failure;
}
