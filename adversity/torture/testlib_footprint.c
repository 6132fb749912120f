/* SPDX-License-Identifier: MIT */
/*
 * Growth of resident memory from one moment at which every block is freed to the next, by the rule
 * of harness/base/trend.h. A scenario makes blocks of all sizes, and a queue or a cache of each
 * size fills by itself: so growth has to go on for more frees here than in work of one size. Where
 * it is not decided when the time is over, the scenario goes on.
 */
#include "adversity/torture/testlib.h"
#include "harness/base/memory.h"
#include "harness/base/trend.h"

/* LIVE_MOST: bytes that a scenario has live at once, about. FREES_TO_END: before so many a stretch
 * without growth may be chance. */
enum { ENOUGH_FREES = 1 << 18, FREES_TO_END = 1 << 13, LIVE_MOST = 6 << 20 };

static struct {
    struct trend trend; /* of rounds */
    uint64_t rounds;
    enum trend_state state;
    _Atomic bool is_undecided; /* read by the pacer */
} footprint;

/* No worker that makes blocks runs, and each block that was made is freed. */
static struct trend_freed count_freed(void)
{
    struct trend_freed freed = {0};
    for (unsigned i = 0; i < torture_options.workers; i++) {
        freed.blocks += worker_at(i)->serial;
        freed.bytes += worker_at(i)->made;
    }
    return freed;
}

void footprint_note(void)
{
    struct trend *trend = &footprint.trend;
    if (footprint.rounds++ == 0) {
        *trend = trend_begin(LIVE_MOST);
        trend->enough_frees = ENOUGH_FREES;
        trend->enough_cycles = 0; /* a round frees blocks of all sizes, and many of each */
        trend->least_frees = FREES_TO_END;
    }
    if (footprint.state != TREND_OPEN || footprint.rounds < trend->next_look)
        return;
    footprint.state = trend_look(trend, count_freed(), memory_resident());
    atomic_store(&footprint.is_undecided,
                 footprint.state == TREND_OPEN && trend_is_noticeable(trend));
}

bool footprint_is_undecided(void)
{
    return atomic_load(&footprint.is_undecided);
}

void footprint_judge(const struct worker *worker)
{
    const struct trend *trend = &footprint.trend;
    if (footprint.state == TREND_GROWS && memory_is_the_allocators())
        torture_fail(worker, "footprint", "free",
                     "every block is freed again and again, and resident memory grows all the "
                     "time: %llu, %llu, %llu, %llu MiB after %llu times, twice, four and eight "
                     "times as many",
                     (unsigned long long)trend->held[trend->looks - 4] >> 20,
                     (unsigned long long)trend->held[trend->looks - 3] >> 20,
                     (unsigned long long)trend->held[trend->looks - 2] >> 20,
                     (unsigned long long)trend->held[trend->looks - 1] >> 20,
                     (unsigned long long)trend->next_look / 16);
}
