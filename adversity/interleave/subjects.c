/* SPDX-License-Identifier: MIT */
/* The table of subjects. Anvil is in it if the program is linked with it, your own allocator if it
 * defines interleave_own. */
#include "subjects.h"

#include "mutants/scheduled/threaded.h"

#include <string.h>

extern const struct interleave_subject interleave_anvil __attribute__((weak));

#define THREADED(subject_name, mutant) \
    {.name = subject_name,             \
     .malloc = threaded_malloc,        \
     .free = threaded_free,            \
     .realloc = threaded_realloc,      \
     .choice = &threaded_mutant,       \
     .chosen = MUTANT_##mutant},

static const struct interleave_subject mutants[] = {THREADED("threaded", none)
#define MUTANT(id, ...) THREADED(#id, id)
                                                        MUTANTS_scheduled(MUTANT)
#undef MUTANT
};
enum { MUTANTS = sizeof mutants / sizeof mutants[0] };

const struct interleave_subject *subject_at(size_t index)
{
    const struct interleave_subject *const linked[] = {&interleave_own, &interleave_anvil};
    for (size_t i = 0; i < sizeof linked / sizeof linked[0]; i++)
        if (linked[i] != NULL && index-- == 0)
            return linked[i];
    return index < MUTANTS ? &mutants[index] : NULL;
}

const struct interleave_subject *subject_find(const char *name)
{
    const struct interleave_subject *subject;
    for (size_t i = 0; (subject = subject_at(i)) != NULL; i++)
        if (strcmp(subject->name, name) == 0)
            return subject;
    return NULL;
}

const struct mutant *subject_mutant(const struct interleave_subject *subject,
                                    struct mutant_catch *ret_catch)
{
    bool is_mutant = subject > mutants && subject < mutants + MUTANTS;
    const struct mutant *mutant = is_mutant ? mutant_find(subject->name) : NULL;
    return mutant != NULL && mutant_catch_find(mutant, "interleave", ret_catch) ? mutant : NULL;
}
