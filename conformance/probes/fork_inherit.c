/* SPDX-License-Identifier: MIT */
/*
 * What the child of a single-threaded process inherits: its own copies of all blocks, and a working
 * heap.
 */
#include "conformance/testlib.h"

#include <signal.h>
#include <sys/wait.h>

#define INHERITED 3000

static void *inherited[INHERITED];

static size_t inherited_size(size_t i)
{
    return 1 + i * 37 % 700 + (i % 250 == 0 ? 200 * KIB : 0);
}

static bool make_blocks_to_inherit(void)
{
    for (size_t i = 0; i < INHERITED; i++) {
        inherited[i] = malloc(inherited_size(i));
        if (inherited[i] == NULL)
            return false;
        fill(inherited[i], inherited_size(i), (unsigned)i);
    }
    return true;
}

/* The first inherited block that does not hold what it should; INHERITED: none. */
static size_t find_changed_block(unsigned seed)
{
    size_t i = 0;
    while (i < INHERITED &&
           find_change(inherited[i], inherited_size(i), (unsigned)i + seed) == inherited_size(i))
        i++;
    return i;
}

static void release_inherited(void)
{
    for (size_t i = 0; i < INHERITED; i++)
        free(inherited[i]);
}

/* In a child: all is there, can be released, and there is more. */
static int use_what_is_inherited(void)
{
    static struct churn churned = {.random = 21};
    if (find_changed_block(0) != INHERITED)
        return 1;
    release_inherited();
    if (!make_blocks_to_inherit() || find_changed_block(0) != INHERITED)
        return 2;
    return churn(&churned, 3000) && churn_end(&churned) ? 0 : 3;
}

PROCESS_PROBE_IF_POSSIBLE(child_of_a_single_thread_uses_the_heap, "POSIX17-fork-1")
{
    static const char *const step[] = {"all well", "an inherited block changed",
                                       "malloc refused or a new block changed", "a block damaged"};
    EXPECT(make_blocks_to_inherit(), "malloc: expected %d blocks, observed NULL with errno %d",
           INHERITED, errno);
    int status = run_in_child(use_what_is_inherited);
    EXPECT(WIFEXITED(status),
           "malloc and free in a child of a single thread: expected exit, observed %s",
           name_end(status));
    EXPECT(WEXITSTATUS(status) == 0,
           "malloc and free in a child of a single thread: expected all well, observed %s",
           step[WEXITSTATUS(status) & 3]);
    size_t bad = find_changed_block(0);
    EXPECT(bad == INHERITED,
           "after fork, block %zu of the parent: expected its bytes, observed others", bad);
    release_inherited();
    return PASS;
}

static int overwrite_and_release(void)
{
    for (size_t i = 0; i < INHERITED; i++)
        memset(inherited[i], 0xa5, inherited_size(i));
    release_inherited();
    for (size_t i = 0; i < INHERITED; i++) {
        void *block = malloc(inherited_size(i));
        if (block != NULL)
            memset(block, 0x5a, inherited_size(i));
    }
    return 0;
}

PROCESS_PROBE_IF_POSSIBLE(releases_in_a_child_do_not_reach_the_parent, "POSIX17-fork-6")
{
    EXPECT(make_blocks_to_inherit(), "malloc: expected %d blocks, observed NULL with errno %d",
           INHERITED, errno);
    int status = run_in_child(overwrite_and_release);
    EXPECT(WIFEXITED(status), "free of inherited blocks in a child: expected exit, observed %s",
           name_end(status));
    size_t bad = find_changed_block(0);
    EXPECT(bad == INHERITED,
           "block %zu (%zu bytes), after the child overwrote and released its own: expected the "
           "bytes kept, observed others",
           bad, inherited_size(bad));
    release_inherited();
    EXPECT(make_blocks_to_inherit() && find_changed_block(0) == INHERITED,
           "malloc after a child's releases: expected blocks, observed NULL or damage");
    return PASS;
}
