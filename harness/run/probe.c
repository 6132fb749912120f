/* SPDX-License-Identifier: MIT */
/*
 * The binding probe guards against a loader artefact: a subject whose calloc reaches this process's
 * libc looks broken and is not. It asks the libc how many bytes it has handed out, before and after
 * each call.
 */
#include "harness/run/probe.h"

#include "harness/base/clock.h"
#include "harness/base/memory.h"

#include <malloc.h>
#include <stdio.h>

enum { PROBE_SIZE = 100000, PROBE_ALIGNMENT = 64 };

#ifdef __GLIBC__
static size_t host_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
#else
static size_t host_bytes(void)
{
    return 0; /* such a child is the libc under test itself: nothing foreign is bound in it */
}
#endif

static void *call_with_probe_size(const struct subject *subject, enum subject_call call)
{
    const struct subject_calls *calls = &subject->calls;
    void *block = NULL;
    switch (call) {
    case SUBJECT_malloc:
        return calls->malloc(PROBE_SIZE);
    case SUBJECT_calloc:
        return calls->calloc(1, PROBE_SIZE);
    case SUBJECT_realloc:
        return calls->realloc(calls->malloc(1), PROBE_SIZE);
    case SUBJECT_reallocarray:
        return calls->reallocarray(NULL, 1, PROBE_SIZE);
    case SUBJECT_aligned_alloc:
        return calls->aligned_alloc(PROBE_ALIGNMENT,
                                    (size_t)PROBE_SIZE / PROBE_ALIGNMENT * PROBE_ALIGNMENT);
    case SUBJECT_memalign:
        return calls->memalign(PROBE_ALIGNMENT, PROBE_SIZE);
    case SUBJECT_valloc:
        return calls->valloc(PROBE_SIZE);
    case SUBJECT_pvalloc:
        return calls->pvalloc(PROBE_SIZE);
    case SUBJECT_posix_memalign:
        return calls->posix_memalign(&block, PROBE_ALIGNMENT, PROBE_SIZE) == 0 ? block : NULL;
    default:
        return NULL;
    }
}

void probe_binding(const struct subject *subject, char sentence[SUBJECT_ERROR_MAX])
{
    unsigned offers = subject_offers(subject);
    sentence[0] = 0;
    for (unsigned call = 0; call < SUBJECT_CALL_COUNT && sentence[0] == 0; call++) {
        if ((offers >> call & 1) == 0)
            continue;
        size_t before = host_bytes();
        void *block = call_with_probe_size(subject, (enum subject_call)call);
        if (block != NULL && host_bytes() >= before + PROBE_SIZE / 2)
            snprintf(sentence, SUBJECT_ERROR_MAX,
                     "could not bind %s: its %s is served by this process's own libc",
                     subject->name, subject_call_name((enum subject_call)call));
    }
}

uint64_t probe_capacity(const struct subject *subject)
{
    size_t held = 0;
    for (size_t size = (size_t)1 << 20; size >= 16; size /= 16)
        while (held < PROBE_CAPACITY_MAX && subject->calls.malloc(size) != NULL)
            held += size;
    return held >= PROBE_CAPACITY_MAX ? 0 : held > 0 ? held : PROBE_SERVES_NOTHING;
}

/* Its time is that of the processor, so that a busy machine does not make a pool look unlimited; a
 * subject that sleeps in its calls ends it by the other. */
enum { BLOCK_SIZE = 16, BLOCKS_LOOKED_AT = 256, BLOCKS_CPU_MS = 200, BLOCKS_WALL_MS = 1000 };

static uint64_t smaller_limit(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* What the mappings that `blocks` blocks took let expect; 0: they share them. */
static uint64_t blocks_by_mappings(size_t before, size_t after, size_t blocks)
{
    size_t most = memory_mappings_max(), taken = after > before ? after - before : 0;
    if (taken == 0 || taken < blocks / 2 || most <= after)
        return 0;
    return blocks + (most - after) / taken * blocks;
}

uint64_t probe_blocks(const struct subject *subject)
{
    uint64_t cpu_end = clock_cpu_ns() + BLOCKS_CPU_MS * UINT64_C(1000000), by_mappings = 0;
    uint64_t end = clock_now_ms() + BLOCKS_WALL_MS;
    size_t before = memory_mappings(), count = 0;
    while (count < PROBE_BLOCKS_MAX && subject->calls.malloc(BLOCK_SIZE) != NULL) {
        if (++count == BLOCKS_LOOKED_AT)
            by_mappings = blocks_by_mappings(before, memory_mappings(), count);
        if (count % BLOCKS_LOOKED_AT == 0 && (clock_cpu_ns() > cpu_end || clock_now_ms() > end))
            return by_mappings;
    }
    return smaller_limit(by_mappings, count < PROBE_BLOCKS_MAX ? count + 1 : 0);
}

void probe_policy(struct run *run, const struct subject *subject)
{
    struct trace_op ops[] = {
        {.kind = OP_MALLOC, .slot = 0},
        {.kind = OP_CALLOC, .slot = 1, .extra = 4},
        {.kind = OP_REALLOC_NULL, .slot = 2},
        {.kind = OP_MALLOC, .slot = 3, .size = 40},
        {.kind = OP_REALLOC, .slot = 3},
        {.kind = OP_ALIGNED_ALLOC, .slot = 4, .extra = 64},
        {.kind = OP_POSIX_MEMALIGN, .slot = 5, .extra = 64},
        {.kind = OP_ALIGNED_ALLOC, .slot = 6, .extra = 64, .size = 100},
        {.kind = OP_ALIGNED_ALLOC, .slot = 7, .extra = 24, .size = 48},
        {.kind = OP_MEMALIGN, .slot = 8, .extra = 24, .size = 48},
    };
    const struct trace trace = {ops, sizeof ops / sizeof ops[0], sizeof ops / sizeof ops[0]};
    const struct run_options options = {.fill_max = 4096, .muted = UINT32_MAX};
    struct verdict verdict;
    run_trace(run, subject, &trace, &options, NULL, &verdict);
}
