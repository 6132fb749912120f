/* SPDX-License-Identifier: MIT */
/* Heaps that touch what is not theirs, or end too early. */
#include "mutants/conformance/mutant.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

/* A block of another thread goes through a call that fails at times. */
static void forget_errno_of_others(void *block)
{
    base_free(block);
    if (syscall(SYS_gettid) != getpid())
        errno = EAGAIN;
}
MUTANT(free_in_another_thread_sets_errno, .free = forget_errno_of_others)

static void *leave_a_file_open(size_t size)
{
    static int file = -1;
    if (size > 16384 && file < 0)
        file = open("/proc/self/statm", O_RDONLY);
    return base_malloc(size);
}
MUTANT(malloc_leaves_a_file_open, .malloc = leave_a_file_open)

static void *set_a_handler(size_t size)
{
    if (size > 16384)
        signal(SIGSEGV, SIG_IGN);
    return base_malloc(size);
}
MUTANT(malloc_sets_a_handler, .malloc = set_a_handler)

static bool is_over;

static void end_heap(void)
{
    is_over = true;
}

static void *take_until_exit(size_t size)
{
    static atomic_flag is_registered = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&is_registered))
        atexit(end_heap);
    return is_over ? NULL : base_malloc(size);
}
MUTANT(heap_ends_before_destructors, .malloc = take_until_exit)
