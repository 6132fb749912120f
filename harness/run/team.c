/* SPDX-License-Identifier: MIT */
/*
 * The token goes from the caller to a member and back by futex, each at a place of its own, so that
 * nobody else wakes. While members live, all threads stay on the processor of the caller: they
 * never run at once, and to wake one on another processor takes three times as long.
 */
#include "harness/run/team.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
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

enum token { TOKEN_NONE, TOKEN_HERE, TOKEN_AWAITED /* by a thread that sleeps */ };

struct member {
    struct team *team;
    pthread_t thread;
    bool is_running;
    atomic_uint token; /* enum token; that of member 0 is the caller's */
    void *stack;       /* kept for the next thread of this number */
};

struct team {
    void (*work)(void *context); /* NULL: the member returns. Owned by whoever has the token */
    void *context;
    cpu_set_t processors; /* those of the caller before */
    bool is_pinned;
    struct member members[TEAM_SIZE];
};

static void take_token(struct member *member)
{
    unsigned token = TOKEN_NONE;
    atomic_compare_exchange_strong(&member->token, &token, TOKEN_AWAITED);
    while (atomic_load_explicit(&member->token, memory_order_acquire) != TOKEN_HERE)
        syscall(SYS_futex, &member->token, FUTEX_WAIT_PRIVATE, TOKEN_AWAITED, NULL, NULL, 0);
    atomic_store_explicit(&member->token, TOKEN_NONE, memory_order_relaxed);
}

static void give_token(struct member *member)
{
    unsigned before = /* pairs with take_token */
        atomic_exchange_explicit(&member->token, TOKEN_HERE, memory_order_release);
    if (before == TOKEN_AWAITED)
        syscall(SYS_futex, &member->token, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *live(void *argument)
{
    struct member *member = argument;
    struct team *team = member->team;
    for (;;) {
        take_token(member);
        if (team->work == NULL)
            break;
        team->work(team->context);
        give_token(&team->members[0]);
    }
    /* the token stays with this thread until it is joined: nobody else runs while it ends */
    return NULL;
}

static void pin(struct team *team)
{
    int processor = sched_getcpu();
    if (team->is_pinned || processor < 0 || processor >= CPU_SETSIZE ||
        sched_getaffinity(0, sizeof team->processors, &team->processors) != 0)
        return;
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET((unsigned)processor, &own);
    team->is_pinned = sched_setaffinity(0, sizeof own, &own) == 0;
}

static void unpin(struct team *team)
{
    if (team->is_pinned)
        sched_setaffinity(0, sizeof team->processors, &team->processors);
    team->is_pinned = false;
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
    pin(member->team);
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
    give_token(&team->members[member]);
    take_token(&team->members[0]);
    return 0;
}

void team_dismiss(struct team *team, unsigned member)
{
    if (member == 0 || !team->members[member].is_running)
        return;
    team->work = NULL;
    give_token(&team->members[member]);
    pthread_join(team->members[member].thread, NULL);
    team->members[member].is_running = false;
}

void team_dismiss_all(struct team *team)
{
    for (unsigned i = 1; i < TEAM_SIZE; i++)
        team_dismiss(team, i);
    unpin(team);
}

void team_forget(struct team *team)
{
    for (unsigned i = 0; i < TEAM_SIZE; i++) {
        team->members[i].is_running = false;
        atomic_store(&team->members[i].token, TOKEN_NONE);
    }
}
