/* SPDX-License-Identifier: MIT */
/*
 * What the threads of a scenario do, in calls that check each result: no block overlaps another,
 * none loses its bytes, the allocator's own walker reports nothing, and in the end all memory can
 * be allocated again. The thread that finds a fault ends the execution.
 *
 * It runs with the token and without instrumentation, so that it adds no steps; its writes to
 * blocks are reported to the race detector.
 */
#ifndef INTERLEAVE_STORY_H
#define INTERLEAVE_STORY_H

#include "interleave.h"
#include "schedule.h"

enum { STORY_BODIES_MAX = 4, STORY_SIZES_MAX = 3 };

struct scenario {
    const char *name, *summary;
    bool needs_realloc;
    bool is_uniform; /* all blocks have the same size: the memory of all of them must come back */
    void (*set_up)(void);
    void (*bodies[STORY_BODIES_MAX])(void); /* up to the first NULL */
    unsigned bound;                         /* pre-emptions, unless the request says otherwise */
};
extern const struct scenario scenarios[];
extern const size_t scenario_count;
/* NULL: there is none of that name. */
const struct scenario *scenario_find(const char *name);

/* Plays it in this process, to its end. */
void story_play(const struct scenario *scenario, const struct interleave_subject *subject,
                size_t size);

/* For scenarios: a block of the size that is played with, or of that many times it. */
char *story_malloc(unsigned times);
char *story_realloc(char *block, unsigned times);
void story_free(char *block);
/* Hands a block over to another thread, in order; receive waits for it. */
void story_send(unsigned box, char *block);
char *story_receive(unsigned box);
/* fork; the child looks at every block, then does that. */
void story_fork(void (*body)(void));

#endif
