/* SPDX-License-Identifier: MIT */
/*
 * Whether what a process holds goes on growing while it does the same work again and again. This is
 * the one rule for growth: every command that speaks of a leak asks it.
 *
 *     struct trend trend = trend_begin(peak_live);
 *     enum trend_state state = TREND_OPEN;
 *     for (uint64_t done = 0; state == TREND_OPEN && trend.next_look <= affordable;) {
 *         for (; done < trend.next_look; done++)
 *             add(cycle(), &freed);
 *         state = trend_look(&trend, freed, memory_resident());
 *     }
 *
 * The number of cycles doubles from look to look. Caches, arenas and quarantines fill, and then
 * growth ends; so it counts only when it is linear over a factor of eight in work, and has gone on
 * past every plateau: past what a quarantine defers, be it bounded by blocks or by bytes, or past
 * more growth than caches hold. What is still open when the caller can afford no more is no
 * verdict.
 */
#ifndef HARNESS_TREND_H
#define HARNESS_TREND_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TREND_FIRST = 8,
    TREND_LOOKS_MAX = 40,
    TREND_ENOUGH_FREES =
        1 << 16, /* past every plateau: quarantines that count defer a few thousand */
    /* likewise, of cycles: each size may have a queue, to which a cycle adds a single block */
    TREND_ENOUGH_CYCLES = 1 << 12,
    TREND_LEAST_BLOCK = 32, /* bytes: what a block of any size counts in a quarantine at least */
    TREND_LEAST_FREES = 512 /* for least_frees: a small block lost by each fills a few pages */
};

/* Past every plateau together with TREND_ENOUGH_FREES: quarantines that allocators have by default
 * hold up to 32 MiB. */
#define TREND_ENOUGH_FREED ((uint64_t)48 << 20)

/* What all cycles so far have freed. */
struct trend_freed {
    uint64_t blocks, bytes; /* bytes as they were asked for */
};

enum trend_state {
    TREND_OPEN,  /* go on until trend.next_look cycles are done, and look again */
    TREND_ENDED, /* what grew has filled up */
    TREND_GROWS  /* linear, well past every plateau */
};

struct trend {
    uint64_t next_look;    /* look after so many cycles in all; TREND_FIRST at first */
    uint64_t peak_live;    /* most bytes that the work has live at once */
    uint64_t enough_bytes; /* growth by so much is past every plateau; a caller may lower it */
    /* so many frees in so many cycles are, too; TREND_ENOUGH_…, unless a caller sets them */
    uint64_t enough_frees, enough_cycles;
    /* a stretch without growth is the end only after so many frees; 0, unless a caller raises it */
    uint64_t least_frees;
    unsigned looks;
    uint64_t held[TREND_LOOKS_MAX]; /* at each look */
};

struct trend trend_begin(uint64_t peak_live);
/* held: bytes now. */
enum trend_state trend_look(struct trend *trend, struct trend_freed freed, uint64_t held);
/* Whether more was freed than a bounded quarantine defers. */
bool trend_is_past_quarantines(struct trend_freed freed, uint64_t enough_frees);
/* By how much it has grown since the first look. */
uint64_t trend_growth(const struct trend *trend);
/* Whether it has grown by more than what is live at once and a cache explain. */
bool trend_is_noticeable(const struct trend *trend);
/* Whether twice the rate of its last stretch would make its growth noticeable by `most` cycles in
 * all: if not, they can raise no suspicion. True before there is a stretch. */
bool trend_may_be_noticed(const struct trend *trend, uint64_t most);
/* Whether it has grown noticeably, and evenly as far as was looked: a suspicion for those who
 * confirm it with more cycles, and not a verdict. */
bool trend_is_suspicious(const struct trend *trend);

#endif
