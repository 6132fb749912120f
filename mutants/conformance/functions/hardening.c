/* SPDX-License-Identifier: MIT */
/*
 * A free that clears, but overlooks the second release of a block, one that tells of it by the next
 * malloc, and one that spins for ever in the second release, as the walk of a free list with a
 * cycle does. The last blocks that a thread freed wait, so that their second release is known for
 * one.
 */
#include "mutants/conformance/mutant.h"

enum { WAITING = 4, LARGEST = 2 << 20 };
/* the other models allocate */
#define OF_A_THREAD _Thread_local __attribute__((tls_model("initial-exec")))

static OF_A_THREAD void *waiting[WAITING];
static OF_A_THREAD size_t waiting_next;
static OF_A_THREAD int saw_second_free;

/* False: it waits already. */
static bool put_off(void *block)
{
    for (size_t i = 0; i < WAITING; i++)
        if (waiting[i] == block)
            return false;
    if (base_malloc_usable_size(block) > LARGEST) {
        base_free(block);
        return true;
    }
    base_free(waiting[waiting_next]);
    waiting[waiting_next] = block;
    waiting_next = (waiting_next + 1) % WAITING;
    return true;
}

static void overlook_second_free(void *block)
{
    size_t capacity = base_malloc_usable_size(block);
    if (block != NULL && put_off(block) && capacity <= LARGEST)
        memset(block, 0, capacity);
}
MUTANT(free_overlooks_the_second, .free = overlook_second_free)

static void note_second_free(void *block)
{
    if (block != NULL && !put_off(block))
        saw_second_free = 1;
}

static void *tell_of_second_free(size_t size)
{
    if (saw_second_free)
        abort();
    return base_malloc(size);
}
MUTANT(free_tells_of_the_second_late, .free = note_second_free, .malloc = tell_of_second_free)

static void spin_in_second_free(void *block)
{
    static volatile bool goes_on = true;
    if (block != NULL && !put_off(block))
        while (goes_on)
            ;
}
MUTANT(free_spins_on_the_second, .free = spin_in_second_free)
