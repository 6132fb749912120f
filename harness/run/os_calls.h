/* SPDX-License-Identifier: MIT */
/*
 * The requests for memory that a subject makes of the system, counted and failed on demand: mmap,
 * munmap, mremap, madvise, mprotect, brk (and sbrk with it). It works below every libc, for raw
 * system calls too: a seccomp filter turns these calls into SIGSYS, whose handler counts them, and
 * either makes the call itself, through an instruction that the filter lets pass, or answers as a
 * system without memory would.
 *
 * Once watched, a process stays so, and so do its forks; it must not execute another program. It
 * cannot block SIGSYS by its mask, only within handlers. Costs about a microsecond a call. The
 * counters are the process's, of all threads; arming and counting
 * is for one thread at a time.
 */
#ifndef HARNESS_OS_CALLS_H
#define HARNESS_OS_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#define OS_CALLS(CALL) CALL(mmap) CALL(munmap) CALL(mremap) CALL(madvise) CALL(mprotect) CALL(brk)

enum os_call {
#define CALL(name) OS_CALL_##name,
    OS_CALLS(CALL)
#undef CALL
        OS_CALL_COUNT
};
const char *os_call_name(enum os_call call);

/* Installs filter and handler; later calls do nothing. Returns 0, or a positive errno: ENOTSUP on
 * machines it was not written for and under a sanitizer, whose own mappings it would refuse, or
 * what the system says of the filter. */
int os_calls_watch(void);
bool os_calls_are_watched(void);

/* Between enter and leave the subject runs; outside of it calls are the harness's own and pass. */
void os_calls_enter(void);
void os_calls_leave(void);

/* Fails the nth-next call of the subject (1: the next); 0 cancels. A second one may fail with it:
 * the `gap`th after it, 0: none. */
void os_calls_fail(unsigned nth, unsigned gap);
/* As os_calls_fail(nth, 0); but while one is pending, the nth after that one fails as well, unless
 * nth is 0. */
void os_calls_add(unsigned nth);
/* Told of each failure at once: in shared memory, for whoever looks there after the subject died of
 * it. */
struct os_call_failures {
    volatile uint32_t last; /* 1 + enum os_call; 0: none */
    volatile uint32_t calls[OS_CALL_COUNT];
};
/* NULL: nobody. */
void os_calls_tell(struct os_call_failures *failures);

/* Of the subject, since the process began. */
struct os_call_counts {
    uint32_t calls[OS_CALL_COUNT];
    uint32_t all;
    uint32_t failed_calls[OS_CALL_COUNT]; /* on demand */
    uint32_t failed;
};
struct os_call_counts os_calls_count(void);
uint32_t os_calls_of(enum os_call call); /* how many of one kind */
uint32_t os_calls_all(void);             /* as in the struct, without the rest */
uint32_t os_calls_all_failed(void);      /* likewise */

#endif
