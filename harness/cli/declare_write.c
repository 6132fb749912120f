/* SPDX-License-Identifier: MIT */
/*
 * A declaration as C, for the object that is built of the subject and for programs. The two differ
 * in how a symbol is reached: by the linker, or by its name when the program starts.
 *
 *     static void *(*call_malloc)(size_t, int) = …mallocx;
 *     void *mallet_declared_malloc(size_t size) { … call_malloc(size, 0) … }
 */
#include "harness/cli/declare_internal.h"
#include "harness/program/embedded.h"

#include <string.h>

enum form { FORM_OBJECT, FORM_PROGRAM };

struct writing {
    const struct declaration *declaration;
    FILE *out;
    enum form form;
};

static const struct word {
    const char *text, *type;
} words[] = {
#define WORD(id, word, text, type, mangled, parameter, other) {text, type},
    DECLARED_WORDS(WORD)
#undef WORD
};

static const struct declared *declared_of(const struct writing *writing, unsigned index)
{
    return &writing->declaration->functions[index];
}

static bool has_table(const struct writing *writing)
{
    return declared_of(writing, DECLARED_free_aligned)->line != 0;
}

static const char *gap_after(const char *type)
{
    return type[strlen(type) - 1] == '*' ? "" : " ";
}

/* ---- the pointers ---- */

static const char *type_of(unsigned index, const struct declared *declared, unsigned i)
{
    const struct declared_argument *argument = &declared->arguments[i];
    if (argument->word == DECLARED_NUMBER)
        return declared->is_operator || argument->number > INT_MAX ? "size_t" : "int";
    if (argument->word == DECLARED_BLOCK && index == SUBJECT_posix_memalign)
        return "void **";
    return words[argument->word].type;
}

/* "void *(*NAME)(size_t, int)", or without a name the type. */
static void put_pointer(const struct writing *writing, unsigned index, const char *name)
{
    const struct declared *declared = declared_of(writing, index);
    const char *result = declared_functions[index].result;
    fprintf(writing->out, "%s%s(*%s%s)(", result, gap_after(result), name,
            *name != '\0' ? declared_functions[index].name : "");
    for (unsigned i = 0; i < declared->argument_count; i++)
        fprintf(writing->out, "%s%s", i > 0 ? ", " : "", type_of(index, declared, i));
    fprintf(writing->out, "%s)",
            declared->throws                ? ", const void *"
            : declared->argument_count == 0 ? "void"
                                            : "");
}

static bool is_found_at_start(const struct writing *writing, unsigned index)
{
    return writing->form == FORM_PROGRAM || declared_of(writing, index)->throws;
}

static void put_pointers(const struct writing *writing)
{
    for (unsigned i = 0; i < DECLARED_FUNCTIONS; i++) {
        if (declared_of(writing, i)->line == 0)
            continue;
        bool is_found = is_found_at_start(writing, i);
        if (!is_found)
            fprintf(writing->out, "void %s();\n", declared_of(writing, i)->symbol);
        fprintf(writing->out, "static ");
        put_pointer(writing, i, "call_");
        if (!is_found) {
            fprintf(writing->out, " = (");
            put_pointer(writing, i, "");
            fprintf(writing->out, ")%s", declared_of(writing, i)->symbol);
        }
        fprintf(writing->out, ";\n");
    }
}

/* What C cannot catch, the nothrow form of libstdc++ does: it calls the one that throws. */
static void put_search(const struct writing *writing)
{
    bool has_any = false, has_thrower = false;
    for (unsigned i = 0; i < DECLARED_FUNCTIONS; i++) {
        has_any |= declared_of(writing, i)->line != 0 && is_found_at_start(writing, i);
        has_thrower |= declared_of(writing, i)->throws;
    }
    if (!has_any)
        return;
    fprintf(writing->out,
            "\nstatic void *find_name(void *library, const char *name)\n{\n"
            "    void *function = dlsym(library, name);\n"
            "    if (function == NULL) {\n"
            "        fprintf(stderr, \"%%s is not there: preload the allocator\\n\", name);\n"
            "        _exit(2);\n    }\n    return function;\n}\n\n"
            "__attribute__((constructor)) static void find_names(void)\n{\n");
    if (has_thrower)
        fprintf(
            writing->out,
            "    /* C cannot catch: libstdc++'s nothrow forms call those that throw, and do. */\n"
            "    void *library = dlopen(\"libstdc++.so.6\", RTLD_NOW);\n"
            "    if (library == NULL) {\n"
            "        fprintf(stderr, \"%%s\\n\", dlerror());\n        _exit(2);\n    }\n");
    for (unsigned i = 0; i < DECLARED_FUNCTIONS; i++) {
        const struct declared *declared = declared_of(writing, i);
        if (declared->line != 0 && is_found_at_start(writing, i))
            fprintf(writing->out, "    *(void **)&call_%s = find_name(%s, \"%s%s\");\n",
                    declared_functions[i].name, declared->throws ? "library" : "RTLD_DEFAULT",
                    declared->symbol, declared->throws ? "RKSt9nothrow_t" : "");
    }
    fprintf(writing->out, "}\n");
}

/* ---- the functions ---- */

static bool is_void(unsigned index)
{
    return strcmp(declared_functions[index].result, "void") == 0;
}

/* What the function returns without a call: nothing, 0, or a failure. */
static const char *refusal_of(unsigned index)
{
    return is_void(index)                    ? "return"
           : index == SUBJECT_posix_memalign ? "return EINVAL"
                                             : "return 0";
}

static void put_null(const struct writing *writing, unsigned index, const char *prefix)
{
    bool is_array = index == SUBJECT_reallocarray;
    fprintf(writing->out, "    if (block == NULL)\n        ");
    if (index == SUBJECT_realloc || is_array)
        fprintf(writing->out, "return %smalloc(%s);\n", prefix, is_array ? "total" : "size");
    else
        fprintf(writing->out, "%s;\n", refusal_of(index));
}

/* What must not be passed on. */
static void put_guards(const struct writing *writing, unsigned index, const char *prefix)
{
    const struct declared *declared = declared_of(writing, index);
    const char *refusal = refusal_of(index);
    bool is_array = index == SUBJECT_reallocarray;
    if (declared_has(declared, DECLARED_TOTAL, false) || is_array)
        fprintf(writing->out,
                "    size_t total;\n"
                "    if (__builtin_mul_overflow(count, size, &total))\n        %s;\n",
                refusal);
    if (declared_has(declared, DECLARED_ALIGNMENT, true) ||
        declared_has(declared, DECLARED_LOG2_ALIGNMENT, true))
        fprintf(writing->out,
                "    if (alignment == 0 || (alignment & (alignment - 1)) != 0)\n        %s;\n",
                refusal);
    if (declared_has(declared, DECLARED_BLOCK, true))
        put_null(writing, index, prefix);
    if (declared_has(declared, DECLARED_SIZE, true))
        fprintf(writing->out, "    size += size == 0;\n");
    if (declared_has(declared, DECLARED_TOTAL, true))
        fprintf(writing->out, "    total += total == 0;\n");
}

static void put_call(const struct writing *writing, unsigned index)
{
    const struct declared *declared = declared_of(writing, index);
    fprintf(writing->out, "call_%s(", declared_functions[index].name);
    for (unsigned i = 0; i < declared->argument_count; i++) {
        const struct declared_argument *argument = &declared->arguments[i];
        fprintf(writing->out, "%s", i > 0 ? ", " : "");
        if (argument->word == DECLARED_NUMBER)
            fprintf(writing->out, "%llu", (unsigned long long)argument->number);
        else
            fprintf(writing->out, "%s", words[argument->word].text);
    }
    fprintf(writing->out, "%s)", declared->throws ? ", \"\"" : "");
}

/* Around the call, where free_aligned has to know of the block. */
static void put_table_before(const struct writing *writing, unsigned index)
{
    if (index == SUBJECT_free) {
        fprintf(writing->out, "    size_t alignment = forget_alignment(block);\n"
                              "    if (alignment != 0)\n        ");
        put_call(writing, DECLARED_free_aligned);
        fprintf(writing->out, ";\n    else\n    ");
    } else if (index == SUBJECT_free_sized || index == SUBJECT_free_aligned_sized) {
        fprintf(writing->out, "    (void)forget_alignment(block);\n");
    }
}

static void put_table_after(const struct writing *writing, unsigned index)
{
    if (index != SUBJECT_aligned_alloc && index != SUBJECT_memalign)
        return;
    fprintf(writing->out, "    void *block = result;\n"
                          "    if (block != NULL && !remember_alignment(block, alignment)) {\n"
                          "        ");
    put_call(writing, DECLARED_free_aligned);
    fprintf(writing->out, ";\n        result = NULL;\n    }\n");
}

static void put_function(const struct writing *writing, unsigned index)
{
    const struct declared_function *function = &declared_functions[index];
    const char *prefix = writing->form == FORM_OBJECT ? "mallet_declared_" : "declared_",
               *gap = gap_after(function->result);
    bool is_object = writing->form == FORM_OBJECT;
    fprintf(writing->out, "\n%s%s%s%s%s\n{\n", function->result, gap, prefix, function->name,
            function->parameters);
    put_guards(writing, index, prefix);
    if (is_object)
        fprintf(writing->out, "    int kept = errno;\n");
    if (has_table(writing))
        put_table_before(writing, index);
    fprintf(writing->out, "    ");
    if (!is_void(index))
        fprintf(writing->out, "%s%sresult = ", function->result, gap);
    put_call(writing, index);
    fprintf(writing->out, ";\n");
    if (has_table(writing))
        put_table_after(writing, index);
    if (is_object)
        fprintf(writing->out, "    errno = kept;\n");
    fprintf(writing->out, "%s}\n", is_void(index) ? "" : "    return result;\n");
    if (!is_object)
        fprintf(writing->out, "#define %s declared_%s\n", function->name, function->name);
}

static void put_table(const struct writing *writing)
{
    const struct embedded_file *file = embedded_find("harness/cli/parts/aligned.c");
    const char *text = strchr(file->start, '\n') + 1; /* behind the licence line */
    fwrite(text, 1, (size_t)(file->end - text), writing->out);
    fprintf(writing->out, "\n");
}

static void put_all(const struct writing *writing)
{
    if (has_table(writing))
        put_table(writing);
    put_pointers(writing);
    put_search(writing);
    for (unsigned i = 0; i < SUBJECT_CALL_COUNT; i++)
        if (declared_of(writing, i)->line != 0)
            put_function(writing, i);
}

void declare_write_names(const struct declaration *declaration, const char *lacks, FILE *out)
{
    fprintf(out, "#include <dlfcn.h>\n#include <errno.h>\n#include <stddef.h>\n"
                 "#include <stdio.h>\n#include <unistd.h>\n\n");
    put_all(&(struct writing){declaration, out, FORM_OBJECT});
    fprintf(out, "\nconst char mallet_subject_lacks[] = \"" DECLARE_LACKS " %s\";\n", lacks);
}

void declare_write_program(const struct declaration *declaration, FILE *out)
{
    put_all(&(struct writing){declaration, out, FORM_PROGRAM});
}
