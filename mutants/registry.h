/* SPDX-License-Identifier: MIT */
/*
 * The registry of mutants, and of sound subjects: a row of registry.tsv for each. CMake checks the
 * rows, makes the libraries and writes mutants/list.h, which has the rows as macros:
 *
 *     MUTANTS(M), MUTANTS_<origin>(M)   M(id, origin, reach, hard, caught_by, mistake, after) for
 *                                     each
 *     SOUNDS(S)                         S(id, pace, built_from, unusual, like)
 *
 * Sources of a mutant use the ids alone; tests and tools look up who must catch it.
 */
#ifndef MUTANTS_REGISTRY_H
#define MUTANTS_REGISTRY_H

#include "mutants/list.h"

#include <stdbool.h>
#include <stddef.h>

enum mutant_id {
    MUTANT_none, /* the correct variant */
#define MUTANT(id, ...) MUTANT_##id,
    MUTANTS(MUTANT)
#undef MUTANT
        MUTANT_END
};

/* The size of the one request in which a hostile subject strikes. */
enum { MUTANT_HOSTILE_SIZE = 12345 };

struct mutant {
    const char *id;
    const char *origin;    /* what it is built from: a folder of mutants/ */
    const char *reach;     /* what it takes: one thread, a refused OS call, a fork, … */
    const char *hard;      /* what makes it hard to find: see README.md; "": nothing */
    const char *caught_by; /* see mutant_catch_find */
    const char *mistake;
    const char *after; /* the real bugs that it recreates; "-": none is known */
};

/* An unusual allocator that no command may accuse. */
struct sound {
    const char *id;
    const char *pace;       /* quick; slow: a command may end with status 4, incomplete */
    const char *built_from; /* a file of sound/, and what is defined for it */
    const char *unusual;
    const char *like; /* public allocators that share it */
};

/* One word of caught_by, `means[:where]=name[,name…]`: the checks of which one must report it, or
 * the clauses that must all fail. */
struct mutant_catch {
    char where[64]; /* a workload, a scenario; "" if the means needs none */
    char names[512];
};

/* NULL beyond the last one. */
const struct mutant *mutant_at(size_t index);
/* NULL: no mutant has this id. */
const struct mutant *mutant_find(const char *id);
/* NULL beyond the last one. */
const struct sound *sound_at(size_t index);
/* False: `means` is not how it is caught. */
bool mutant_catch_find(const struct mutant *mutant, const char *means,
                       struct mutant_catch *ret_catch);
/* The library in `folder` that has the mistake, or the one that is correct. */
void mutant_library(const struct mutant *mutant, bool is_correct, const char *folder,
                    char *ret_path, size_t capacity);
/* The first mutant after `previous` that `means` catches; NULL: the first, or no more. */
const struct mutant *mutant_next(const struct mutant *previous, const char *means);
/* Whether a list of names that are separated by commas has this one. */
bool mutant_names_have(const char *names, const char *name);

#endif
