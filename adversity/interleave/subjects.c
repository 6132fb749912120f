/* SPDX-License-Identifier: MIT */
/* The table of subjects. Anvil is there if the program is linked with it, an author's own allocator
 * if it defines interleave_own. */
#include "subjects.h"

#include "mutants/scheduled/threaded.h"

#include <string.h>

extern const struct interleave_subject interleave_anvil __attribute__((weak));

#define THREADED(mutant)                                                           \
    .malloc = threaded_malloc, .free = threaded_free, .realloc = threaded_realloc, \
    .choice = &threaded_mutant, .chosen = THREADED_##mutant

static const struct interleave_subject mutants[] = {{.name = "threaded", THREADED(NONE)},
#define MUTANT(id, check, scenario, what) {.name = #id, THREADED(id)},
                                                    SCHEDULED_MUTANTS(MUTANT)
#undef MUTANT
};
enum { MUTANTS = sizeof mutants / sizeof mutants[0] };

static const struct mutant descriptions[] = {
#define MUTANT(name, check, scenario, what) {#name, #check, #scenario, what},
    SCHEDULED_MUTANTS(MUTANT)
#undef MUTANT
};

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

const struct mutant *subject_mutant(const struct interleave_subject *subject)
{
    return subject > mutants && subject < mutants + MUTANTS ? &descriptions[subject - mutants - 1]
                                                            : NULL;
}
