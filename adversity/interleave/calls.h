/* SPDX-License-Identifier: MIT */
/*
 * Given to the compiler with -include, before any header, when code is built for the scheduler: the
 * calls through which a thread may wait, or memory may come, go and be copied in bulk, get other
 * names, and lead to entry_*.c instead of the system. Declarations that follow in system headers
 * are renamed with them. What is read and written otherwise is seen through -fsanitize=thread.
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
