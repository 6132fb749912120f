/* SPDX-License-Identifier: MIT */
/*
 * Puts a C program together that stands alone, for a bug report: it needs nothing of this project
 * and says in its first lines what it shows, how to build and run it, and what its exit status
 * means.
 *
 *     struct program *program = program_begin();
 *     program_say(program, "Exit status 1: it shows.");      the opening comment
 *     FILE *calls = program_add_text(program);               parts, in the order of the program
 *     program_add_file(program, "harness/program/parts/blocks.c", PROGRAM_NEEDED);
 *     FILE *body = program_add_text(program);
 *     fprintf(body, "int main(void)…");
 *     program_pick(program);                                 what the texts use is taken of files
 *     if (program_uses(program, "do_malloc"))
 *         fprintf(calls, …);
 *     int error = program_end(program, out);
 *
 * Of a file only the items (text.h) that something taken names are taken, unless the whole file is
 * wanted. Left out are licence lines, include guards, includes of the project, and what an
 * `#ifdef WITH_…` excludes; the system's includes of a file that something is taken of move to the
 * top of the program, each once.
 *
 * An error is kept until program_end: in between no result needs a look.
 */
#ifndef HARNESS_PROGRAM_H
#define HARNESS_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct program;

enum program_share {
    PROGRAM_WHOLE,
    PROGRAM_NEEDED, /* items that are used; of headers, no declarations of what a .c defines */
    PROGRAM_ORIGIN /* the same; the text that follows comes from this file and needs its includes */
};

/* Every program from here on calls the allocator by names of its own: C that defines declared_NAME
 * for functions of the malloc family, each with a macro of their usual name behind it. NULL: no
 * longer. The text is not copied. */
void program_use_names(const char *text);
/* Whether there is such a text, and whether it has the function. */
bool program_has_names(void);
bool program_names(const char *function);

/* What the compiler has to be told for all programs from now on, such as "-m32", as
 * subject_plan_compile_option says. NULL: nothing. The text is not copied. */
void program_use_compile_option(const char *option);
/* That option, or "". */
const char *program_compile_option(void);
/* SIZE_MAX where the programs run: what a trace asks for is taken modulo one more. */
uint64_t program_size_max(void);

/* NULL: no memory. */
struct program *program_begin(void);

/* A paragraph of the opening comment, wrapped. What would end the comment is taken apart, what is
 * no plain text is replaced. Empty: a blank line. */
void program_say(struct program *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The commands that build the program and run it. `libraries` follow the file's name. preload: path
 * of the allocator, NULL: any, "": none is preloaded. */
void program_say_build(struct program *program, const char *compiler, const char *libraries,
                       const char *preload);

/* `#include <header>`. */
void program_include(struct program *program, const char *header);
/* Includes what files put between `#ifdef feature` and `#else` or `#endif`; name: WITH_…. Before
 * the files are added. */
void program_with(struct program *program, const char *feature);

/* A part of the program: a stream for its text, valid until program_end. */
FILE *program_add_text(struct program *program);
/* A part of the program: an embedded file, by its path from the root. */
void program_add_file(struct program *program, const char *path, enum program_share share);

/* Lets program_end return EINVAL with this sentence. */
void program_fail(struct program *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes what the texts so far and the whole files need. In the text and
 * its PROGRAM_ORIGIN a word means what that file defines; else what all files define. */
void program_pick(struct program *program);
/* Whether a word stands in the texts or in what is taken, comments and literals excepted. */
bool program_uses(const struct program *program, const char *word);

/* Writes the program and releases it. Returns 0 or a positive errno: ENOMEM; EINVAL if a file is
 * not there or not as text.h expects it; EIO if `out` failed. On an error but EIO the text is
 * #error with a sentence. */
int program_end(struct program *program, FILE *out);

#endif
