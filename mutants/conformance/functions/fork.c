/* SPDX-License-Identifier: MIT */
/* Heaps that do not come through a fork. */
#include "mutants/conformance/mutant.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>

/* Registers handlers once; registration may allocate. */
static void register_once(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    static atomic_flag is_registered = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&is_registered))
        pthread_atfork(prepare, parent, child);
}

/* The heap belongs to the process that made it. */
static bool is_orphan;

static void become_orphan(void)
{
    is_orphan = true;
}

static void *want_own_process(size_t size)
{
    register_once(NULL, NULL, become_orphan);
    return is_orphan ? NULL : base_malloc(size);
}
MUTANT(child_gets_nothing, .malloc = want_own_process)

static pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;

static void lock_heap(void)
{
    pthread_mutex_lock(&heap_lock);
}

static void unlock_heap(void)
{
    pthread_mutex_unlock(&heap_lock);
}

/* Fork takes no notice of the lock. */
static void *take_under_lock(size_t size)
{
    lock_heap();
    void *block = base_malloc(size);
    unlock_heap();
    return block;
}

static void release_under_lock(void *block)
{
    lock_heap();
    base_free(block);
    unlock_heap();
}
MUTANT(fork_ignores_the_lock, .malloc = take_under_lock, .free = release_under_lock)

/* Fork takes the lock, also in the thread that has it already. */
static void *take_under_lock_that_fork_takes(size_t size)
{
    register_once(lock_heap, unlock_heap, unlock_heap);
    return take_under_lock(size);
}
MUTANT(fork_waits_for_its_own_thread, .malloc = take_under_lock_that_fork_takes,
       .free = release_under_lock)

/* The child waits until no thread of its parent uses the heap. */
static void wait_for_heap(void)
{
    lock_heap();
    unlock_heap();
}

static void *take_under_lock_that_child_takes(size_t size)
{
    register_once(NULL, NULL, wait_for_heap);
    return take_under_lock(size);
}
MUTANT(child_waits_for_the_lock, .malloc = take_under_lock_that_child_takes,
       .free = release_under_lock)

/* Wrappers around fork and _Fork that lock the heap while the handlers of others run, or run them
 * at all. */
static bool wraps_fork, wraps_plain_fork;

pid_t fork(void)
{
    static pid_t (*real)(void);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "fork");
    if (wraps_fork)
        lock_heap();
    pid_t child = real();
    if (wraps_fork)
        unlock_heap();
    return child;
}

pid_t _Fork(void)
{
    static pid_t (*real)(void);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "_Fork");
    return wraps_plain_fork || real == NULL ? fork() : real();
}

static void *take_and_wrap_fork(size_t size)
{
    wraps_fork = true;
    return take_under_lock(size);
}
MUTANT(fork_handlers_run_under_the_lock, .malloc = take_and_wrap_fork, .free = release_under_lock)

static void *take_and_wrap_plain_fork(size_t size)
{
    wraps_plain_fork = true;
    return base_malloc(size);
}
MUTANT(plain_fork_runs_handlers, .malloc = take_and_wrap_plain_fork)

/* Blocks lie in memory that parent and child go on sharing. */
enum { SHARED_SIZE = 1 << 22 };

static char *shared;

static void *take_shared(size_t size)
{
    static size_t used;
    if (shared == NULL)
        shared = mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    size_t at =
        __atomic_fetch_add(&used, size < 4096 ? (size + 31) / 16 * 16 : 0, __ATOMIC_RELAXED);
    if (size >= 4096 || at > SHARED_SIZE - 8192)
        return base_malloc(size);
    memcpy(shared + at, &size, sizeof size);
    return shared + at + 16;
}

static bool is_shared(const void *block)
{
    return shared != NULL && (const char *)block > shared &&
           (const char *)block < shared + SHARED_SIZE;
}

static void release_unshared(void *block)
{
    if (!is_shared(block))
        base_free(block);
}

static void *resize_shared(void *block, size_t size)
{
    if (!is_shared(block))
        return base_realloc(block, size);
    size_t old;
    memcpy(&old, (char *)block - 16, sizeof old);
    void *moved = base_malloc(size);
    return moved == NULL ? NULL : memcpy(moved, block, old < size ? old : size);
}
MUTANT(memory_is_shared_with_the_child, .malloc = take_shared, .free = release_unshared,
       .realloc = resize_shared)
