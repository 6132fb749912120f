/* SPDX-License-Identifier: MIT */
#include "adversity/growth/testlib.h"

#include "adversity/growth/workload.h"
#include "harness/base/memory.h"
#include "harness/run/os_calls.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096 };

struct growth_report *growth_report;

static struct {
    uint64_t live;                           /* atomic: threads take and give */
    uint64_t start_resident, start_held;     /* before the first round */
    uint64_t highest_resident, highest_held; /* since the last sample */
} tally;

/* Of several threads that are refused the first tells, and ends the process. */
void *growth_want(void *block, const char *call, size_t size)
{
    static atomic_flag is_claimed = ATOMIC_FLAG_INIT;
    if (block != NULL)
        return block;
    while (atomic_flag_test_and_set(&is_claimed))
        pause();
    snprintf(growth_report->sentence, sizeof growth_report->sentence,
             "%s of %zu bytes returned NULL", call, size);
    _exit(growth_report->round > 0 ? (int)growth_report->refusal_status : 0);
}

static void count_live(size_t added)
{
    uint64_t live = __atomic_add_fetch(&tally.live, added, __ATOMIC_RELAXED);
    if (live > __atomic_load_n(&growth_report->peak_live, __ATOMIC_RELAXED))
        __atomic_store_n(&growth_report->peak_live, live, __ATOMIC_RELAXED);
}

static void count_call(void)
{
    __atomic_add_fetch(&growth_report->calls, 1, __ATOMIC_RELAXED);
}

static void count_free(size_t size)
{
    __atomic_add_fetch(&growth_report->frees, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&growth_report->freed, size, __ATOMIC_RELAXED);
}

static void *use(void *block, const char *call, size_t size)
{
    count_call();
    volatile char *bytes = growth_want(block, call, size);
    for (size_t i = 0; i < size; i += PAGE_BYTES)
        bytes[i] = 1;
    count_live(size);
    return block;
}

void *growth_take(size_t size)
{
    return use(calls.malloc(size), "malloc", size);
}

void *growth_take_zeroed(size_t size)
{
    return use(calls.calloc(1, size), "calloc", size);
}

void *growth_take_aligned(size_t alignment, size_t size)
{
    void *block = NULL;
    return calls.posix_memalign(&block, alignment, size) == 0
               ? use(block, "posix_memalign", size)
               : growth_want(NULL, "posix_memalign", size);
}

void growth_give(void *block, size_t size)
{
    if (block == NULL)
        return;
    __atomic_sub_fetch(&tally.live, size, __ATOMIC_RELAXED);
    count_free(size);
    calls.free(block);
    count_call();
}

void *growth_resize(void *block, size_t old_size, size_t size)
{
    void *moved = calls.realloc(block, size);
    if (block != NULL && moved != NULL && moved != block)
        count_free(old_size);
    __atomic_sub_fetch(&tally.live, old_size, __ATOMIC_RELAXED);
    return use(moved, "realloc", size);
}

/* A block that mremap puts elsewhere keeps its pages. */
void *growth_append(void *block, size_t old_size, size_t size)
{
    uint32_t remapped = os_calls_of(OS_CALL_mremap);
    void *longer = growth_resize(block, old_size, size);
    if (longer != block && os_calls_of(OS_CALL_mremap) == remapped)
        growth_report->moved += old_size;
    growth_report->appended += size - old_size;
    return longer;
}

uint64_t growth_live(void)
{
    return __atomic_load_n(&tally.live, __ATOMIC_RELAXED);
}

static uint64_t above(uint64_t now, uint64_t start)
{
    return now > start ? now - start : 0;
}

void growth_observe(void)
{
    uint64_t resident = above(memory_resident(), tally.start_resident),
             held = above(growth_held(), tally.start_held);
    tally.highest_resident = resident > tally.highest_resident ? resident : tally.highest_resident;
    tally.highest_held = held > tally.highest_held ? held : tally.highest_held;
}

void growth_start(void)
{
    tally.start_resident = memory_resident();
    tally.start_held = growth_held();
}

struct growth_sample growth_sample(void)
{
    struct growth_sample sample = {tally.highest_resident, tally.highest_held};
    tally.highest_resident = tally.highest_held = 0;
    return sample;
}

void **growth_slots(size_t count)
{
    void *slots = mmap(NULL, count * sizeof(void *), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return growth_want(slots != MAP_FAILED ? slots : NULL, "mmap", count * sizeof(void *));
}

uint32_t growth_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

size_t growth_random_size(uint32_t *state, size_t low, size_t high)
{
    unsigned doublings = 0;
    while (low << (doublings + 1) < high)
        doublings++;
    size_t octave = low << growth_random(state) % (doublings + 1);
    size_t size = octave + growth_random(state) % octave;
    return size < high ? size : high;
}

void growth_shuffle(void **slots, size_t count)
{
    uint32_t state = 1;
    for (size_t i = count; i > 1; i--) {
        size_t other = growth_random(&state) % i;
        void *kept = slots[i - 1];
        slots[i - 1] = slots[other];
        slots[other] = kept;
    }
}
