/* SPDX-License-Identifier: MIT */
/* Broken mallinfo and mallinfo2. */
#include "mutants/conformance/mutant.h"

#include <sys/syscall.h>

static struct mallinfo2 never_drop(void)
{
    static size_t most;
    struct mallinfo2 info = base_mallinfo2();
    most = info.uordblks > most ? info.uordblks : most;
    info.uordblks = most;
    info.fordblks = info.arena - most;
    return info;
}
MUTANT(bytes_in_use_never_drop, .mallinfo2 = never_drop)

static struct mallinfo2 forget_small_free_blocks(void)
{
    struct mallinfo2 info = base_mallinfo2();
    info.fordblks -= info.fsmblks;
    return info;
}
MUTANT(free_bytes_leave_out_small_blocks, .mallinfo2 = forget_small_free_blocks)

static struct mallinfo2 truncate_all(void)
{
    struct mallinfo2 info = base_mallinfo2();
    info.hblkhd = (unsigned)info.hblkhd;
    info.uordblks = (unsigned)info.uordblks;
    return info;
}
MUTANT(mallinfo2_counts_in_int, .mallinfo2 = truncate_all)

static struct mallinfo give_nothing(void)
{
    return (struct mallinfo){0};
}
MUTANT(mallinfo_is_empty_beside_mallinfo2, .mallinfo = give_nothing)

static struct mallinfo2 walk_the_main_heap_only(void)
{
    if (syscall(SYS_gettid) != getpid())
        *(volatile int *)16 = 0;
    return base_mallinfo2();
}
MUTANT(mallinfo2_knows_one_thread, .mallinfo2 = walk_the_main_heap_only)
