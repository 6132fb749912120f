/* SPDX-License-Identifier: MIT */
/*
 * The scenarios. Each has few calls, because every step multiplies the schedules, and aims where
 * multi-threaded allocators are known to fail. The bodies are threads 1, 2, …; thread 0 frees what
 * they leave.
 */
#include "story.h"

#include <string.h>

static void warm_up(void)
{
    story_free(story_malloc(1));
}

static void take_and_free(void)
{
    story_free(story_malloc(1));
}

/* ---- remote_free_vs_malloc ---- */

static void give_away_then_take(void)
{
    story_send(0, story_malloc(1));
    (void)story_malloc(1);
    (void)story_malloc(1);
}

static void free_what_comes_then_take(void)
{
    story_free(story_receive(0));
    (void)story_malloc(1);
}

/* ---- thread_exit_with_live_blocks ---- */

static void give_away_and_end(void)
{
    char *kept = story_malloc(1);
    story_send(0, story_malloc(1));
    story_free(kept);
}

static void free_what_comes(void)
{
    story_free(story_receive(0));
}

/* ---- opposite_reallocs ---- */

static void grow(void)
{
    (void)story_realloc(story_malloc(1), 4);
}

static void shrink(void)
{
    (void)story_realloc(story_malloc(4), 1);
}

/* ---- concurrent_first_call ---- */

static void first_call(void)
{
    (void)story_malloc(1);
}

/* ---- fork_during_allocation ---- */

static void fork_and_take(void)
{
    story_fork(take_and_free);
    (void)story_malloc(1);
}

static void take_two(void)
{
    char *block = story_malloc(1);
    (void)story_malloc(1);
    story_free(block);
}

/* ---- free_list_reuse ---- */

static void free_two(void)
{
    char *blocks[] = {story_malloc(1), story_malloc(1)};
    story_free(blocks[0]);
    story_free(blocks[1]);
}

static void keep_two(void)
{
    (void)story_malloc(1);
    (void)story_malloc(1);
}

/* ---- two_remote_frees ---- */

static void give_two_away_then_take(void)
{
    story_send(0, story_malloc(1));
    story_send(1, story_malloc(1));
    (void)story_malloc(1);
}

static void free_first(void)
{
    story_free(story_receive(0));
}

static void free_second(void)
{
    story_free(story_receive(1));
}

/* ---- contended_lock ---- */

static void take_free_twice(void)
{
    take_and_free();
    take_and_free();
}

const struct scenario scenarios[] = {
    {"remote_free_vs_malloc",
     "a thread frees another's block while that allocates",
     false,
     true,
     warm_up,
     {give_away_then_take, free_what_comes_then_take},
     3},
    {"two_remote_frees",
     "two threads free blocks of a third, which allocates",
     false,
     true,
     warm_up,
     {give_two_away_then_take, free_first, free_second},
     2},
    {"thread_exit_with_live_blocks",
     "a thread ends while another frees a block of its",
     false,
     true,
     warm_up,
     {give_away_and_end, free_what_comes},
     3},
    {"opposite_reallocs",
     "one thread grows a small block, the other shrinks a large one",
     true,
     false,
     warm_up,
     {grow, shrink},
     3},
    {"concurrent_first_call",
     "the first calls of all are made at once",
     false,
     true,
     NULL,
     {first_call, first_call},
     3},
    {"fork_during_allocation",
     "a thread forks while another allocates; the child allocates too",
     false,
     true,
     warm_up,
     {take_two, fork_and_take},
     3},
    {"free_list_reuse",
     "blocks leave the free list and come back while another thread takes from it",
     false,
     true,
     free_two,
     {keep_two, take_two},
     3},
    {"contended_lock",
     "three threads allocate and free",
     false,
     true,
     warm_up,
     {take_free_twice, take_and_free, take_and_free},
     2},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];

const struct scenario *scenario_find(const char *name)
{
    for (size_t i = 0; i < scenario_count; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
}
