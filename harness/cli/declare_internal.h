/* SPDX-License-Identifier: MIT */
/* A declaration as declare.c reads it and declare_write.c writes C of it. */
#ifndef HARNESS_CLI_DECLARE_INTERNAL_H
#define HARNESS_CLI_DECLARE_INTERNAL_H

#include "harness/cli/declare.h"
#include "harness/subject/subject_calls.h"

#include <limits.h>
#include <stdint.h>

enum { DECLARED_ARGUMENTS_MAX = 6, DECLARED_SYMBOL_MAX = 128 };

/* One more than the family: free_aligned. */
enum { DECLARED_free_aligned = SUBJECT_CALL_COUNT, DECLARED_FUNCTIONS };

/* Words for arguments: id, as it is typed and as C, type, how C++ mangles it (NULL: no parameter of
 * operator new and delete), the parameters that the function must have for it. */
#define DECLARED_WORDS(WORD)                                                                      \
    WORD(BLOCK, "block", "block", "void *", "Pv", "block", NULL)                                  \
    WORD(SIZE, "size", "size", "size_t", "m", "size", NULL)                                       \
    WORD(COUNT, "count", "count", "size_t", NULL, "count", NULL)                                  \
    WORD(ALIGNMENT, "alignment", "alignment", "size_t", "St11align_val_t", "alignment", NULL)     \
    WORD(KEEP, "keep", "keep", "size_t", NULL, "keep", NULL)                                      \
    WORD(TOTAL, "total", "total", "size_t", "m", "count", "size")                                 \
    WORD(LOG2_ALIGNMENT, "log2_alignment", "__builtin_ctzl(alignment)", "int", NULL, "alignment", \
         NULL)                                                                                    \
    WORD(NOTHROW, "nothrow", "\"\"", "const void *", "RKSt9nothrow_t", NULL, NULL)

enum declared_word {
#define WORD(id, word, text, type, mangled, parameter, other) DECLARED_##id,
    DECLARED_WORDS(WORD)
#undef WORD
        DECLARED_NUMBER
};

struct declared_argument {
    enum declared_word word;
    bool is_strict;  /* `!` */
    uint64_t number; /* DECLARED_NUMBER */
};

struct declared {
    unsigned line; /* 0: the function is not declared */
    char symbol[DECLARED_SYMBOL_MAX];
    bool is_operator, throws;
    struct declared_argument arguments[DECLARED_ARGUMENTS_MAX];
    unsigned argument_count;
};

struct declaration {
    char file[PATH_MAX];
    struct declared functions[DECLARED_FUNCTIONS];
};

struct declared_function {
    const char *name, *result, *parameters;
};
extern const struct declared_function declared_functions[DECLARED_FUNCTIONS];

/* Whether an argument is that word. `strict`: with `!`. */
bool declared_has(const struct declared *declared, enum declared_word word, bool strict);

#endif
