/* SPDX-License-Identifier: MIT */
/*
 * Included with -include, before any header, in code that is built for the scheduler: renames the
 * calls in which a thread may wait, and those that map, unmap or copy memory in bulk, so that they
 * reach entry_*.c instead of the system. Declarations in system headers that follow are renamed
 * with them. All other reads and writes are seen through -fsanitize=thread.
 */
#ifndef INTERLEAVE_CALLS_H
#define INTERLEAVE_CALLS_H

#define pthread_mutex_init     interleave_mutex_init
#define pthread_mutex_destroy  interleave_mutex_destroy
#define pthread_mutex_lock     interleave_mutex_lock
#define pthread_mutex_trylock  interleave_mutex_trylock
#define pthread_mutex_unlock   interleave_mutex_unlock
#define pthread_spin_lock      interleave_spin_lock
#define pthread_spin_trylock   interleave_spin_trylock
#define pthread_spin_unlock    interleave_spin_unlock
#define pthread_cond_wait      interleave_cond_wait
#define pthread_cond_timedwait interleave_cond_timedwait
#define pthread_cond_signal    interleave_cond_signal
#define pthread_cond_broadcast interleave_cond_broadcast
#define pthread_once           interleave_once
#define sched_yield            interleave_yield
#define nanosleep              interleave_nanosleep
#define usleep                 interleave_usleep
#define syscall                interleave_syscall

#define mmap     interleave_mmap
#define munmap   interleave_munmap
#define mremap   interleave_mremap
#define madvise  interleave_madvise
#define mprotect interleave_mprotect
#define brk      interleave_brk
#define sbrk     interleave_sbrk

#define memcpy  interleave_memcpy
#define memmove interleave_memmove
#define memset  interleave_memset
#define memcmp  interleave_memcmp

#endif
