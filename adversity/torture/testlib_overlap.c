/* SPDX-License-Identifier: MIT */
/*
 * Which two calls overlapped: every worker keeps its latest calls, with when they began and ended
 * and the memory that they were given or gave. Of the calls on the memory that is found wrong, the
 * latest two of different threads that ran at the same time are named.
 *
 * Fields are atomic, since whoever finds something reads those of workers that still run: it may
 * miss a call or take a half-written one, whose times do not fit, for none. No order is needed.
 */
#include "adversity/torture/testlib.h"
#include "harness/base/clock.h"

enum { RECENT_CALLS = 256, TOUCHING_MAX = 64 };

struct recent_call {
    _Atomic uint64_t begun_ns, ended_ns; /* ended 0: it runs */
    _Atomic uint32_t call;
    _Atomic size_t size; /* of what it gave; else of what it was given */
    /* where they begin and end; 0: none */
    _Atomic uintptr_t given, given_end, gave, gave_end;
};

static struct {
    struct recent_call calls[RECENT_CALLS];
    _Atomic uint32_t count;
} recent[WORKERS_MAX];

static struct recent_call *current(const struct worker *worker)
{
    uint32_t count = atomic_load_explicit(&recent[worker->id].count, memory_order_relaxed);
    return &recent[worker->id].calls[count % RECENT_CALLS];
}

static void set(_Atomic uintptr_t *field, uintptr_t value)
{
    atomic_store_explicit(field, value, memory_order_relaxed);
}

void overlap_begin(const struct worker *worker, enum torture_call call)
{
    struct recent_call *recent_call = current(worker);
    atomic_store_explicit(&recent_call->call, call, memory_order_relaxed);
    atomic_store_explicit(&recent_call->size, 0, memory_order_relaxed);
    set(&recent_call->given, 0);
    set(&recent_call->given_end, 0);
    set(&recent_call->gave, 0);
    set(&recent_call->gave_end, 0);
    atomic_store_explicit(&recent_call->ended_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&recent_call->begun_ns, clock_now_ns(), memory_order_relaxed);
}

void overlap_end(const struct worker *worker)
{
    atomic_store_explicit(&current(worker)->ended_ns, clock_now_ns(), memory_order_relaxed);
    atomic_fetch_add_explicit(&recent[worker->id].count, 1, memory_order_relaxed);
}

void call_takes(const struct worker *worker, const struct block *block)
{
    struct recent_call *call = current(worker);
    set(&call->given, (uintptr_t)block->address);
    set(&call->given_end, (uintptr_t)block->address + block->size);
    atomic_store_explicit(&call->size, block->size, memory_order_relaxed);
}

void call_gives(const struct worker *worker, const struct block *block)
{
    struct recent_call *call = current(worker);
    set(&call->gave, (uintptr_t)block->address);
    set(&call->gave_end, (uintptr_t)block->address + block->size);
    atomic_store_explicit(&call->size, block->size, memory_order_relaxed);
}

/* ---- the search ---- */

/* A copy that does not change. */
struct seen_call {
    uint64_t begun_ns, ended_ns;
    unsigned worker, call;
    size_t size;
};

static bool touches(const struct recent_call *call, uintptr_t from, uintptr_t to)
{
    return (call->given < to && call->given_end > from) ||
           (call->gave < to && call->gave_end > from);
}

/* Of one worker, the latest first. */
static size_t see_calls(unsigned worker, uintptr_t from, uintptr_t to, struct seen_call *ret_seen,
                        size_t capacity)
{
    size_t found = 0;
    uint32_t count = recent[worker].count; /* the call at `count` may be running */
    for (uint32_t i = 0; i < RECENT_CALLS && i <= count && found < capacity; i++) {
        const struct recent_call *call = &recent[worker].calls[(count - i) % RECENT_CALLS];
        struct seen_call seen = {call->begun_ns, call->ended_ns, worker, call->call, call->size};
        seen.ended_ns = seen.ended_ns != 0 ? seen.ended_ns : UINT64_MAX;
        if (seen.begun_ns != 0 && touches(call, from, to) && seen.begun_ns <= seen.ended_ns)
            ret_seen[found++] = seen;
    }
    return found;
}

static bool overlap_in_time(const struct seen_call *left, const struct seen_call *right)
{
    return left->worker != right->worker && left->begun_ns < right->ended_ns &&
           right->begun_ns < left->ended_ns;
}

static uint64_t latest_of(const struct seen_call *left, const struct seen_call *right)
{
    return left->begun_ns > right->begun_ns ? left->begun_ns : right->begun_ns;
}

static void name(const struct seen_call *call, char ret_name[OVERLAP_NAME_MAX])
{
    snprintf(ret_name, OVERLAP_NAME_MAX, "%s of %zu bytes in thread %u",
             torture_call_name(call->call), call->size, call->worker);
}

bool overlap_find(const void *address, size_t size, char ret_names[2][OVERLAP_NAME_MAX])
{
    static struct seen_call seen[WORKERS_MAX * TOUCHING_MAX]; /* one thread tells */
    const struct seen_call *pair[2] = {NULL, NULL};
    uintptr_t from = (uintptr_t)address, to = from + (size != 0 ? size : 1);
    size_t count = 0;
    for (unsigned worker = 0; worker < torture_options.workers; worker++)
        count += see_calls(worker, from, to, seen + count, TOUCHING_MAX);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (overlap_in_time(&seen[i], &seen[j]) &&
                (pair[0] == NULL || latest_of(&seen[i], &seen[j]) > latest_of(pair[0], pair[1]))) {
                pair[0] = &seen[j];
                pair[1] = &seen[i];
            }
    if (pair[0] == NULL)
        return false;
    bool is_in_order = pair[0]->begun_ns <= pair[1]->begun_ns;
    name(pair[!is_in_order], ret_names[0]);
    name(pair[is_in_order], ret_names[1]);
    return true;
}

bool overlap_given(const struct worker *worker, struct block *ret_block)
{
    const struct recent_call *call = current(worker);
    *ret_block = (struct block){.address = (unsigned char *)call->given,
                                .size = call->given_end - call->given};
    return call->given != 0 && call->ended_ns == 0;
}
