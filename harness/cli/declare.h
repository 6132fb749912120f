/* SPDX-License-Identifier: MIT */
/*
 * A declaration: what an allocator calls the functions of the malloc family, and with which
 * arguments, where a prefix does not say it. A line for each:
 *
 *     malloc       = mallocx(size!, 0)
 *     aligned_alloc = mallocx(size!, log2_alignment)
 *     free         = dallocx(block!, 0)
 *
 *     malloc       = operator new(size)
 *     free         = operator delete(block)
 *     aligned_alloc = operator new(size, alignment)
 *     free_aligned = operator delete(block, alignment)
 *
 * On the left stands a function of subject_calls.h, or free_aligned: what free means for a block
 * that aligned_alloc or memalign made. On the right a symbol, or an operator of C++, whose form
 * follows from its arguments. An argument is the name of a parameter, a number, or one of
 *
 *     total            count * size; the call fails where that wraps
 *     log2_alignment   as a number of bits
 *     nothrow          std::nothrow
 *
 * `!` behind a word says that the function must not get what is no valid value: a size of 0 is
 * passed as 1, an alignment that is no power of two makes the call fail, a null pointer is not
 * passed on (free does nothing, realloc allocates). `#` begins a comment line.
 *
 * An operator new that throws returns NULL here: libstdc++'s own nothrow form calls it and catches.
 * Nothing of what such functions leave in errno is asked for, and nobody says that they can serve a
 * whole process.
 */
#ifndef HARNESS_CLI_DECLARE_H
#define HARNESS_CLI_DECLARE_H

#include "harness/cli/bring.h"

#include <stdbool.h>
#include <stdio.h>

struct declaration;

/* What every declared subject lacks, for subject_parse_lacks. */
#define DECLARE_LACKS "errno process"

/* Returns 0, or a positive errno with one sentence that begins with FILE:LINE. The declaration is
 * good until the next call. */
int declare_read(const char *path, const struct declaration **ret_declaration,
                 char error[BRING_ERROR_MAX]);

/* The symbols, one after the other: NULL beyond the last. is_from_library: an operator that
 * libstdc++ supplies where the subject does not. */
const char *declare_symbol_at(const struct declaration *declaration, unsigned i, unsigned *ret_line,
                              bool *ret_is_from_library);
bool declare_uses_operators(const struct declaration *declaration);

/* C that defines mallet_declared_NAME for each function, to be linked with the subject; `lacks`:
 * what it lacks beside DECLARE_LACKS, or "". */
void declare_write_names(const struct declaration *declaration, const char *lacks, FILE *out);
/* C for a program that stands alone: the same as declared_NAME, and NAME as a macro for it. The
 * symbols are looked up when the program starts. */
void declare_write_program(const struct declaration *declaration, FILE *out);

#endif
