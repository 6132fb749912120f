/* SPDX-License-Identifier: MIT */
/*
 * The one way to start a child process, to watch it, to limit it, and to end it with all that it
 * started.
 *
 *   plan ─ process_spawn ─→ process ─ process_poll, process_has_ended … ─→ its ending
 *                                                                            └ process_release
 *
 * A child leads a session of its own, so that neither a Ctrl-C nor its own kill(0, …) passes the
 * border; it is killed with its process group when its leader ends, and with its whole session when
 * this process ends in whatever way (guard.h). It starts with no signal blocked or ignored, without
 * core dumps, and with no other open descriptors than the plan names, as far as the rest of the
 * program opens its files with O_CLOEXEC.
 *
 * All waits are bounded or end with the child; interrupted system calls are repeated. Not
 * thread-safe. Times are milliseconds unless the name says otherwise.
 */
#ifndef HARNESS_PROCESS_H
#define HARNESS_PROCESS_H

#include "harness/process/stall.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes of static TLS that a child keeps free for libraries that it opens. */
#define PROCESS_STATIC_TLS 65536

enum { PROCESS_MEMORY_MAX = 2, PROCESS_LINE_MAX = 256 };

/* Standard output and error of a child, unless its descriptors name others. */
enum process_output {
    PROCESS_OUTPUT_DROPPED,  /* /dev/null */
    PROCESS_OUTPUT_LINE,     /* the first line is kept; the child never blocks on the rest */
    PROCESS_OUTPUT_STREAM,   /* the caller takes it by process_read; the child waits for that */
    PROCESS_OUTPUT_INHERITED /* the caller's, standard input too */
};

struct process_descriptor {
    int number; /* in the child */
    int ours;   /* stays open here */
};

/* Zeroed memory that both sides share: a memfd, which the child finds at `number`. */
struct process_memory {
    int number;
    size_t size; /* 0: none */
};

struct process;

struct process_plan {
    /* A path, or a name that is looked up on PATH. NULL: `body` runs in a fork of this process,
     * which exits with 0 when it returns. */
    const char *program;
    const char *const *arguments; /* the program's name first, NULL last */
    void (*body)(void *context);
    void *context;

    /* The caller's environment, LD_PRELOAD and GLIBC_TUNABLES included. By default both are
     * dropped, since they change the child's malloc, and there is room for libraries with static
     * thread-local storage. */
    bool keeps_environment;
    const char *preload;          /* LD_PRELOAD; NULL or "": none of ours */
    const char *const *variables; /* "NAME=value", NULL last; replace the caller's; "" is skipped */

    const struct process_descriptor *descriptors; /* standard input is /dev/null by default */
    size_t descriptor_count;
    struct process_memory memory[PROCESS_MEMORY_MAX];
    enum process_output output;

    /* It stays in the caller's session and group, and keeps the signals that are ignored: a program
     * that a person started by way of this one. */
    bool is_in_foreground;

    /* Limits. 0: none. Processor time is the child's own limit (SIGXCPU). */
    unsigned cpu_limit_s, wall_limit_ms;
    /* A number that changes as long as the child makes progress; NULL: stalls are not looked for.
     * Work without progress counts as a stall only where there is no cpu_limit_s. */
    uint64_t (*read_position)(const struct process *process);
    /* Asked while it runs: whether to end it early. NULL: never. */
    bool (*is_cancelled)(void);
};

struct process {
    pid_t pid;  /* 0: there is none */
    int output; /* our end of its output; 0: none */
    int end;    /* readable when it has ended; 0: none, or this kernel has no such thing */
    void *memory[PROCESS_MEMORY_MAX];
    size_t memory_size[PROCESS_MEMORY_MAX];
    uint64_t started_ms;
    bool is_alone;               /* leads a group of its own */
    char line[PROCESS_LINE_MAX]; /* as text_keep_line */

    /* Its ending. */
    int status;        /* as waitpid tells; valid once it has ended */
    bool is_timed_out; /* killed: the wall limit */
    bool is_stuck;     /* killed: a stall, which `stall` describes */
    bool was_cancelled;
    struct stall stall;

    bool keeps_line;
    unsigned wall_limit_ms;
    bool has_cpu_limit;
    uint64_t looked_ms;
    uint64_t (*read_position)(const struct process *process);
    bool (*is_cancelled)(void);
};

/* Starts a child. Returns 0, or a positive errno: then there is no process, and nothing to
 * release. ENOENT and its like also tell why the program cannot be executed. */
int process_spawn(const struct process_plan *plan, struct process *ret_process);

/* Takes its output and applies its limits; returns true once it has ended, and with it all of its
 * process group. Never waits. */
bool process_has_ended(struct process *process);
/* Sleeps until there may be news of one of the processes, at most so long. NULLs are skipped. */
void process_poll(struct process *const processes[], size_t count, unsigned wait_ms);
/* Waits for its end, which the plan's limits bound. */
void process_wait(struct process *process);
/* Waits at most so long; returns whether it has ended. */
bool process_wait_for(struct process *process, unsigned limit_ms);

/* Signals the child, not its group. */
void process_signal(const struct process *process, int signal);
/* Kills it and its group, and waits for the end. */
void process_kill(struct process *process);
/* Asks it to end, and kills it if it has not ended after so long. */
void process_stop(struct process *process, int signal, unsigned grace_ms);
/* Kills it if it runs, unmaps its memory and closes its output; its ending stays to be read.
 * Harmless when repeated, and on a zeroed struct. */
void process_release(struct process *process);

/* Spawns, waits, releases: for a child of which only the ending is wanted. Returns as
 * process_spawn. */
int process_run(const struct process_plan *plan, struct process *ret_process);

/* The next bytes of its stream of output, as read: 0 if there are none now, or no more. */
size_t process_read(struct process *process, void *ret_bytes, size_t size);
/* Copies the kept line, and starts to keep the next one. */
void process_take_line(struct process *process, char *ret_line, size_t capacity);

#endif
