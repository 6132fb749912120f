/* SPDX-License-Identifier: MIT */
/*
 * The child program, mallet-child: the process that a subject lives in. Its arguments say what it
 * is to be:
 *
 *   zygote HOW WHAT                       forks workers that run traces (executor/protocol.h)
 *   job HOW WHAT KIND NAME [ARGUMENT…]    runs one job; its memory is descriptor CHILD_MEMORY
 *
 * HOW and WHAT are what child_bind takes. It is built for glibc, where it binds foreign subjects
 * and has nothing of anvil in it, whose fork handlers would stand beside theirs; with anvil under
 * its prefix (-anvil); and for other libcs, whose malloc is then the subject (-musl, -32). Limits
 * are set by who starts it (process.h).
 */
#ifndef HARNESS_CHILD_H
#define HARNESS_CHILD_H

enum {
    CHILD_MEMORY = 3,
    CHILD_EXIT_USAGE = 78 /* no such job, its memory or a thread cannot be had */
};
#define CHILD_JOB "job"

/* Does what the arguments say and ends the process; returns if they say nothing of the above. */
void child_main(int argc, char **argv);

#endif
