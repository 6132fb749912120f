/* SPDX-License-Identifier: MIT */
/* Between two looks lie twice as many cycles as between the two before: linear growth doubles from
 * one stretch to the next. */
#include "harness/base/trend.h"

enum {
    STRETCHES_COMPARED = 3,  /* a factor of eight in work */
    LINEAR_PERCENT = 85,     /* of linear growth, for a verdict; pages and chunks blur the rest */
    SUSPICIOUS_PERCENT = 60, /* of linear growth, for a suspicion */
    ENDED_PERCENT = 25,      /* below it growth has ended */
    STRETCHES_TO_WARM_UP = 4 /* before that only a stretch without any growth is the end */
};
#define NOTICEABLE_BYTES ((uint64_t)1 << 20)
#define ENOUGH_BYTES     ((uint64_t)512 << 20) /* the largest quarantine in use holds 256 MiB */

struct trend trend_begin(uint64_t peak_live)
{
    return (struct trend){.next_look = TREND_FIRST,
                          .peak_live = peak_live,
                          .enough_bytes = ENOUGH_BYTES,
                          .enough_frees = TREND_ENOUGH_FREES,
                          .enough_cycles = TREND_ENOUGH_CYCLES};
}

/* Of the stretch that ended `back` looks ago. */
static uint64_t stretch_growth(const struct trend *trend, unsigned back)
{
    const uint64_t *last = &trend->held[trend->looks - 1 - back];
    return last[0] > last[-1] ? last[0] - last[-1] : 0;
}

/* Whether the last stretch grew at such a part of the rate of the one `back` before. */
static bool keeps_rate(const struct trend *trend, unsigned back, unsigned percent)
{
    return stretch_growth(trend, 0) >= (stretch_growth(trend, back) << back) / 100 * percent;
}

static bool is_even(const struct trend *trend, unsigned percent)
{
    if (trend->looks < STRETCHES_COMPARED + 2 || stretch_growth(trend, 0) == 0)
        return false;
    for (unsigned back = 1; back <= STRETCHES_COMPARED; back++)
        if (!keeps_rate(trend, back, percent))
            return false;
    return true;
}

uint64_t trend_growth(const struct trend *trend)
{
    if (trend->looks == 0)
        return 0;
    uint64_t first = trend->held[0], last = trend->held[trend->looks - 1];
    return last > first ? last - first : 0;
}

bool trend_is_noticeable(const struct trend *trend)
{
    return trend_growth(trend) >= NOTICEABLE_BYTES + 2 * trend->peak_live;
}

/* The last of the looks was at half of next_look, and the one before at a quarter. */
bool trend_may_be_noticed(const struct trend *trend, uint64_t most)
{
    uint64_t done = trend->next_look / 2, stretch = trend->next_look / 4;
    if (trend->looks < 2)
        return true;
    uint64_t left = most > done ? most - done : 0;
    uint64_t further = 2 * stretch_growth(trend, 0) * left / stretch;
    return trend_growth(trend) + further >= NOTICEABLE_BYTES + 2 * trend->peak_live;
}

bool trend_is_suspicious(const struct trend *trend)
{
    return trend_is_noticeable(trend) && is_even(trend, SUSPICIOUS_PERCENT);
}

static bool has_ended(const struct trend *trend, uint64_t frees)
{
    if (trend->looks < 2)
        return false;
    return (stretch_growth(trend, 0) == 0 && frees >= trend->least_frees) ||
           (trend->looks > STRETCHES_TO_WARM_UP && !keeps_rate(trend, 1, ENDED_PERCENT));
}

bool trend_is_past_quarantines(struct trend_freed freed, uint64_t enough_frees)
{
    uint64_t least = freed.blocks * TREND_LEAST_BLOCK;
    return freed.blocks >= enough_frees &&
           (freed.bytes >= TREND_ENOUGH_FREED || least >= TREND_ENOUGH_FREED);
}

enum trend_state trend_look(struct trend *trend, struct trend_freed freed, uint64_t held)
{
    if (trend->looks == TREND_LOOKS_MAX)
        return TREND_ENDED; /* nobody makes 2^40 cycles */
    bool is_past_queues = trend->next_look >= trend->enough_cycles &&
                          trend_is_past_quarantines(freed, trend->enough_frees);
    trend->held[trend->looks++] = held;
    trend->next_look *= 2;
    if (has_ended(trend, freed.blocks))
        return TREND_ENDED;
    bool is_past_plateaus =
        is_past_queues || trend_growth(trend) >= trend->enough_bytes + 4 * trend->peak_live;
    return is_past_plateaus && trend_is_noticeable(trend) && is_even(trend, LINEAR_PERCENT)
               ? TREND_GROWS
               : TREND_OPEN;
}
