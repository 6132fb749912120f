/* SPDX-License-Identifier: MIT */
/* The table of subjects. Anvil is there if the program is linked with it, an author's own allocator
 * if it defines interleave_own. */
#include "subjects.h"

#include "planted/threaded.h"

#include <string.h>

extern const struct interleave_subject interleave_anvil __attribute__((weak));

#define THREADED(bug)                                                              \
    .malloc = threaded_malloc, .free = threaded_free, .realloc = threaded_realloc, \
    .choice = &threaded_bug, .chosen = THREADED_##bug

static const struct interleave_subject planted[] = {{.name = "threaded", THREADED(NONE)},
#define BUG(bug, check, scenario, what) {.name = #bug, THREADED(bug)},
                                                    THREADED_BUGS(BUG)
#undef BUG
};
enum { PLANTED = sizeof planted / sizeof planted[0] };

static const struct planted_bug bugs[] = {
#define BUG(bug, check, scenario, what) {#bug, #check, #scenario, what},
    THREADED_BUGS(BUG)
#undef BUG
};

const struct interleave_subject *subject_at(size_t index)
{
    const struct interleave_subject *const linked[] = {&interleave_own, &interleave_anvil};
    for (size_t i = 0; i < sizeof linked / sizeof linked[0]; i++)
        if (linked[i] != NULL && index-- == 0)
            return linked[i];
    return index < PLANTED ? &planted[index] : NULL;
}

const struct interleave_subject *subject_find(const char *name)
{
    const struct interleave_subject *subject;
    for (size_t i = 0; (subject = subject_at(i)) != NULL; i++)
        if (strcmp(subject->name, name) == 0)
            return subject;
    return NULL;
}

const struct planted_bug *subject_bug(const struct interleave_subject *subject)
{
    return subject > planted && subject < planted + PLANTED ? &bugs[subject - planted - 1] : NULL;
}
