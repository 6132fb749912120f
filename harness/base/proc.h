/* SPDX-License-Identifier: MIT */
/* What /proc tells about processes and their threads. Allocates nothing. */
#ifndef HARNESS_PROC_H
#define HARNESS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
    char state; /* 'R', 'S', 'D', 'Z', … as in proc(5) */
    pid_t group, session;
};
/* Returns false if there is no such process. */
bool proc_read_stat(pid_t pid, struct proc_stat *ret_stat);

/* All threads of all processes of a process group. */
struct proc_group {
    /* processor time used, and how many times a thread was given the processor */
    uint64_t cpu_us, turns;
    unsigned threads, blocked; /* blocked: neither running nor ready to run */
    unsigned ended, locked;    /* of those blocked; locked: as proc_group_is_locked */
    uint64_t members;          /* a hash of their ids: another value, other threads */
};
struct proc_group proc_read_group(pid_t group);

/* Whether every thread that has not ended waits, with no time limit, for another one of its
 * process: on a private futex, or to join it. Only a signal can end that, so it is believed once it
 * has lasted for PROC_LOCKED_MS. false: cannot be told. */
enum { PROC_LOCKED_MS = 500 };
bool proc_group_is_locked(const struct proc_group *group);
/* The same of one process. */
bool proc_is_locked(pid_t process);

/* This process's program, and the folder that it is in; "" and false: not to be had. */
bool proc_own_program(char *ret_path, size_t capacity);
bool proc_own_folder(char *ret_path, size_t capacity);

/* Sends SIGKILL to each process of a session. Returns how many it found alive. */
unsigned proc_kill_session(pid_t session);
/* Kills every process, but this one, that was started with an environment in which `mark` stands,
 * and every fork of one. Returns how many there were, zombies not counted. */
unsigned proc_kill_marked(const char *mark);

#endif
