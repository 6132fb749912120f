/* SPDX-License-Identifier: MIT */
/*
 * Whether what a process holds goes on growing while it does the same work again and again. This is
 * the one rule for growth: every command that speaks of a leak asks it.
 *
 *     struct trend trend = trend_begin(peak_live);
 *     enum trend_state state = TREND_OPEN;
 *     for (uint64_t done = 0; state == TREND_OPEN && trend.next_look <= affordable;) {
 *         for (; done < trend.next_look; done++)
 *             frees += cycle();
 *         state = trend_look(&trend, frees, memory_resident());
 *     }
 *
 * The number of cycles doubles from look to look. Caches, arenas and quarantines fill, and then
 * growth ends; so it counts only when it is linear over a factor of eight in work, and has gone on
 * past every plateau: past more frees than a bounded quarantine defers, or more bytes than caches
 * hold. What is still open when the caller can afford no more is no verdict.
 */
#ifndef HARNESS_TREND_H
#define HARNESS_TREND_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TREND_FIRST = 8,
    TREND_LOOKS_MAX = 40,
    TREND_ENOUGH_FREES =
        1 << 16,            /* past every plateau: quarantines that count defer a few thousand */
    TREND_LEAST_FREES = 512 /* for least_frees: a small block lost by each fills a few pages */
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
    uint64_t enough_frees; /* so many frees are, too; TREND_ENOUGH_FREES, unless a caller sets it */
    /* a stretch without growth is the end only after so many frees; 0, unless a caller raises it */
    uint64_t least_frees;
    unsigned looks;
    uint64_t held[TREND_LOOKS_MAX]; /* at each look */
};

struct trend trend_begin(uint64_t peak_live);
/* frees: blocks that all cycles so far have freed; held: bytes now. */
enum trend_state trend_look(struct trend *trend, uint64_t frees, uint64_t held);
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
