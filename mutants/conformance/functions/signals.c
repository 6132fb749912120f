/* SPDX-License-Identifier: MIT */
/* Heaps that signals disturb. */
#include "mutants/conformance/mutant.h"

#include <signal.h>
#include <time.h>

/* Threads are told apart by their stacks. */
static void *want_known_stack(size_t size)
{
    stack_t other;
    if (sigaltstack(NULL, &other) == 0 && (other.ss_flags & SS_ONSTACK) != 0) {
        errno = ENOMEM;
        return NULL;
    }
    return base_malloc(size);
}
MUTANT(unknown_stack_gets_nothing, .malloc = want_known_stack)

/* The wait for a lock gives up when a signal comes. */
static void *give_up_on_interruption(size_t size)
{
    static unsigned calls_made;
    const struct timespec wait = {0, 300000};
    if (__atomic_add_fetch(&calls_made, 1, __ATOMIC_RELAXED) % 64 == 0 &&
        nanosleep(&wait, NULL) != 0)
        return NULL;
    return base_malloc(size);
}
MUTANT(interrupted_wait_gives_nothing, .malloc = give_up_on_interruption)
