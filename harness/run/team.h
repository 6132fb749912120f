/* SPDX-License-Identifier: MIT */
/*
 * The threads of a trace. One of them has the token at any time: the caller hands a piece of work
 * to a member and waits for it, so that a trace with threads runs in one order, always the same,
 * while the subject sees different threads call.
 *
 * Member 0 is the caller's own thread; the others start when they are first needed. Their stacks
 * are mapped here, and nothing here allocates; but a C library may, when a thread starts. While
 * one of them lives, the caller's thread and they may run on one processor only.
 */
#ifndef HARNESS_TEAM_H
#define HARNESS_TEAM_H

enum { TEAM_SIZE = 8 };

struct team;

/* Returns 0 or ENOMEM. */
int team_init(struct team **ret_team);
/* Runs work(context) in a member below TEAM_SIZE and waits until it is done. Returns 0, or a
 * positive errno if that thread could not be started: the work was then not done. */
int team_do(struct team *team, unsigned member, void (*work)(void *context), void *context);
/* Lets a member's thread return, with whatever that makes the C library and the subject do, and
 * waits for its end. It starts anew when it is next needed. Member 0 stays. */
void team_dismiss(struct team *team, unsigned member);
/* All members but 0. */
void team_dismiss_all(struct team *team);
/* In the child of a fork only the caller's thread is left: forgets the others without a word to
 * them. */
void team_forget(struct team *team);

#endif
