/* SPDX-License-Identifier: MIT */
/*
 * Racy mutants: each is the correct allocator of threaded.c with one thing wrong, as a shared
 * object of its own, and must be found by one of the checks named, in the scenario named.
 *
 * Registered here and nowhere else, one a line: name, scenario, checks, what is broken and what it
 * is modelled on. C reads the list as a macro, CMake by its lines.
 */
#ifndef MUTANTS_THREADED_LIST_H
#define MUTANTS_THREADED_LIST_H

/* clang-format off */
#define THREADED_MUTANTS(MUTANT) \
    MUTANT(cache_without_lock, "handoff", "overlap content crash zeroed progress", "a free by another thread pushes to the owner's list without its lock; the allocators without any lock, as device-os#826") \
    MUTANT(remote_free_lost, "churn", "footprint", "what is freed to a cache whose thread has ended is lost; after mimalloc#1117") \
    MUTANT(returned_twice, "handoff", "overlap content zeroed crash", "two threads take the same block out of a one-slot cache; after jemalloc 2.0's race in creating runs") \
    MUTANT(fork_child_locked, "fork", "progress", "the locks of the other threads stay taken in the child of a fork; after snmalloc#630 and dlmalloc-rs PR#22") \
    MUTANT(fork_lock_order, "fork-stdio", "progress", "fork takes the heap's locks before stdio's list of streams, which a thread that flushes holds while it allocates; after glibc BZ#19431") \
    MUTANT(lock_order, "opposite-reallocs", "progress", "realloc locks its own cache and then the block's: two opposite ones wait for each other") \
    MUTANT(errno_by_free, "handoff", "errno", "free that finds a lock taken leaves EBUSY in errno") \
    MUTANT(calloc_racy_zero, "handoff", "zeroed", "calloc clears the block on top of its list before it has the lock, and then takes whatever is on top") \
    MUTANT(exit_frees_live, "churn", "crash content overlap zeroed", "the end of a thread unmaps its chunk though others hold blocks of it; after glibc BZ#17730") \
    MUTANT(tls_use_after, "tls-destructors", "crash", "the cache is unmapped in the thread's destructor and used by later ones; after jemalloc 5.0.1's fix for late frees") \
    MUTANT(first_call_race, "first-call", "crash null", "the first call of a size says that its table is ready before it is; after rpmalloc#396") \
    MUTANT(usable_racy, "trim", "usable", "malloc_usable_size passes its answer through a static variable") \
    MUTANT(free_only_hoards, "free-only", "footprint", "blocks go to the cache of the thread that frees, which never gives any back; after mimalloc#1364") \
    MUTANT(exit_tears_down, "atexit", "crash", "the library's destructor unmaps its lists while threads still run; after oneTBB#2186") \
    MUTANT(trim_live, "trim", "content overlap crash zeroed", "trim gives pages back that it looked at before it had the lock; after mimalloc#669")
/* clang-format on */

#endif
