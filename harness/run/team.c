/* SPDX-License-Identifier: MIT */
/* The token is a number: whose turn it is. Members and caller wait for theirs on it by futex. */
#include "harness/run/team.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    STACK_BYTES = 2 << 20 /* the static TLS of all libraries is in there, a sanitizer's too */,
    GUARD_BYTES = 4096
};

struct member {
    struct team *team;
    pthread_t thread;
    bool is_running;
    void *stack; /* kept for the next thread of this number */
};

struct team {
    atomic_uint turn;            /* the member that may run */
    void (*work)(void *context); /* NULL: the member returns. Owned by whoever has the turn */
    void *context;
    struct member members[TEAM_SIZE];
};

static void wait_for_turn(struct team *team, unsigned wanted)
{
    unsigned turn;
    while ((turn = atomic_load_explicit(&team->turn, memory_order_acquire)) != wanted)
        syscall(SYS_futex, &team->turn, FUTEX_WAIT_PRIVATE, turn, NULL, NULL, 0);
}

static void give_turn(struct team *team, unsigned member)
{
    atomic_store_explicit(&team->turn, member, memory_order_release); /* pairs with wait_for_turn */
    syscall(SYS_futex, &team->turn, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void *live(void *argument)
{
    struct member *member = argument;
    struct team *team = member->team;
    unsigned own = (unsigned)(member - team->members);
    for (;;) {
        wait_for_turn(team, own);
        if (team->work == NULL)
            break;
        team->work(team->context);
        give_turn(team, 0);
    }
    /* the turn stays with this thread until it is joined: nobody else runs while it ends */
    return NULL;
}

/* On a stack of ours, which the next cycle uses again: what the C library maps and caches for
 * stacks would be mistaken for the subject's. */
static int start(struct member *member)
{
    pthread_attr_t attributes;
    if (member->stack == NULL) {
        char *stack = mmap(NULL, STACK_BYTES + GUARD_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (stack == MAP_FAILED)
            return ENOMEM;
        mprotect(stack, GUARD_BYTES, PROT_NONE);
        member->stack = stack + GUARD_BYTES;
    }
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, member->stack, STACK_BYTES);
    int result = pthread_create(&member->thread, &attributes, live, member);
    pthread_attr_destroy(&attributes);
    member->is_running = result == 0;
    return result;
}

int team_init(struct team **ret_team)
{
    struct team *team =
        mmap(NULL, sizeof *team, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (team == MAP_FAILED)
        return ENOMEM;
    for (unsigned i = 0; i < TEAM_SIZE; i++)
        team->members[i].team = team;
    *ret_team = team;
    return 0;
}

int team_do(struct team *team, unsigned member, void (*work)(void *context), void *context)
{
    if (member == 0) {
        work(context);
        return 0;
    }
    int result = team->members[member].is_running ? 0 : start(&team->members[member]);
    if (result != 0)
        return result;
    team->work = work;
    team->context = context;
    give_turn(team, member);
    wait_for_turn(team, 0);
    return 0;
}

void team_dismiss(struct team *team, unsigned member)
{
    if (member == 0 || !team->members[member].is_running)
        return;
    team->work = NULL;
    give_turn(team, member);
    pthread_join(team->members[member].thread, NULL);
    team->members[member].is_running = false;
    atomic_store(&team->turn, 0);
}

void team_dismiss_all(struct team *team)
{
    for (unsigned i = 1; i < TEAM_SIZE; i++)
        team_dismiss(team, i);
}

void team_forget(struct team *team)
{
    for (unsigned i = 1; i < TEAM_SIZE; i++)
        team->members[i].is_running = false;
    atomic_store(&team->turn, 0);
}
