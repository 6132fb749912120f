/* SPDX-License-Identifier: MIT */
/*
 * The scenarios, registered here and nowhere else: name, its function's name, milliseconds of one
 * process of it, the microseconds between interruptions (0: it varies from process to process),
 * what it NEEDS, the files of its program beyond the testlib, what it does. In this order, the long
 * ones last, they run.
 */
#ifndef TORTURE_SCENARIOS_H
#define TORTURE_SCENARIOS_H

#define SCENARIOS(SCENARIO)                                                                        \
    SCENARIO("handoff", handoff, 1000, 0, 0, "handoff",                                            \
             "blocks made by one thread are checked, resized and freed by others")                 \
    SCENARIO("fork", fork, 1000, 0, 0, "fork handoff",                                             \
             "one thread forks while the others allocate; the child checks what it inherits, "     \
             "allocates, frees and exits")                                                         \
    SCENARIO("opposite-reallocs", opposite_reallocs, 1000, 0, NEEDS(realloc), "opposite_reallocs", \
             "pairs of threads resize blocks that the other one made, to and fro")                 \
    SCENARIO("first-call", first_call, 40, 0, 0, "first_call",                                     \
             "threads make their first calls, and the process's, all at once")                     \
    SCENARIO("start-up", start_up, 2000, 0, 0, "start_up",                                         \
             "the first call of a process, by each function, from constructors, handlers, "        \
             "destructors, threads and forks")                                                     \
    SCENARIO("tls-destructors", tls_destructors, 1000, 0, 0, "tls_destructors",                    \
             "destructors of thread-specific data allocate and free, round after round, while "    \
             "their thread ends")                                                                  \
    SCENARIO("atexit", atexit, 60, 0, 0, "atexit handoff",                                         \
             "atexit handlers allocate and free while threads are still at it, until the process " \
             "is gone")                                                                            \
    SCENARIO("signals", signals, 1000, 20, 0, "signals handoff",                                   \
             "calls are interrupted at random instants, many times more often than elsewhere")     \
    SCENARIO("trim", trim, 1000, 0, NEEDS(malloc_usable_size), "trim handoff",                     \
             "malloc_trim and malloc_usable_size are called while others allocate")                \
    SCENARIO("churn", churn, 2500, 0, 0, "churn",                                                  \
             "threads start, leave live blocks to others, and end; the blocks are freed after "    \
             "their maker is gone")                                                                \
    SCENARIO("free-only", free_only, 2500, 0, 0, "free_only",                                      \
             "one thread does nothing but free what the others make")                              \
    SCENARIO("mix", mix, 1500, 0, 0, "mix fork tls_destructors trim handoff", "all of it at once") \
    SCENARIO(                                                                                      \
        "fork-stdio", fork_stdio, 1000, 0, NEEDS(whole_process), "fork_stdio fork handoff",        \
        "one thread forks while others flush all streams, and those allocate as they are written")

#define SCENARIO(name, function, milliseconds, pace_us, needs, files, text) \
    void scenario_##function(void);
SCENARIOS(SCENARIO)
#undef SCENARIO

#endif
