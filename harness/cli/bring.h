/* SPDX-License-Identifier: MIT */
/*
 * What people have of an allocator that is no drop-in shared object: a C source, an object, an
 * archive, functions with a prefix, a function that sets it up first. It is built into a shared
 * object that exports malloc, free and what else there is, and that object is the subject.
 *
 *     my.c, my.o, libmy.a ─ cc ─→ built/my.so
 *     with --prefix, --init: + built/my.names.c, which calls PREFIXmalloc from malloc, and so on
 *     with --declare: + built/my.names.c, by a list of names and arguments (declare.h), and
 *                     built/my.names.h, what a program has to begin with
 *     with --lab: prefix, init, lacks and further sources as a course has them
 */
#ifndef HARNESS_BRING_H
#define HARNESS_BRING_H

#include <limits.h>
#include <stdbool.h>

enum { BRING_ERROR_MAX = 512 };

struct bring {
    const char *cflags;  /* words for the compiler, such as "-O1 -I. more.c"; NULL: none */
    const char *prefix;  /* of the functions' names; NULL: none */
    const char *declare; /* path of a declaration, instead of a prefix; NULL: none */
    const char *init;    /* a function without arguments, to be called before any; NULL: none */
    const char *lacks;   /* a list for subject_parse_lacks; NULL: nothing */
    bool is_fuzzed;  /* a C source is also built with counters of its edges: bring_find_fuzzed */
    const char *lab; /* a name of bring_lab_at, instead of these three; NULL: none */
};

/* The names of the labs; NULL beyond the last. */
const char *bring_lab_at(unsigned i);

/* Whether the subject, as it was typed, has to be built. */
bool bring_is_needed(const struct bring *bring, const char *typed);

/* Builds it into `folder`, which is created, and sets ret_path to the shared object. Returns 0, or
 * a positive errno with one sentence that names the file or the option. */
int bring_build(const struct bring *bring, const char *typed, const char *folder,
                char ret_path[PATH_MAX], char error[BRING_ERROR_MAX]);

/* The same object with counters of its edges, which guide a search: sets ret_path if that is there
 * and not older. */
bool bring_find_fuzzed(const char *object, char ret_path[PATH_MAX]);

/* The text of program_use_names for an object that was built with a declaration, allocated; NULL:
 * it was not. */
char *bring_read_names(const char *object);

#endif
