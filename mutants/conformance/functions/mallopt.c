/* SPDX-License-Identifier: MIT */
/* Broken mallopt, and allocators that take a parameter of it badly. */
#include "mutants/conformance/mutant.h"

#include <pthread.h>

static int answer_with_errno(int parameter, int value)
{
    int result = base_mallopt(parameter, value);
    if (result == 0)
        errno = EINVAL;
    return result;
}
MUTANT(mallopt_sets_errno, .mallopt = answer_with_errno)

static int limit_by_bytes(int parameter, int value)
{
    return parameter == M_MXFAST ? value >= 0 && value <= 80 : base_mallopt(parameter, value);
}
MUTANT(mallopt_forgets_the_word_size, .mallopt = limit_by_bytes)

static int refuse_unknown(int parameter, int value)
{
    return parameter > M_MXFAST ? -1 : base_mallopt(parameter, value);
}
MUTANT(mallopt_refuses_what_it_does_not_know, .mallopt = refuse_unknown)

static unsigned char new_byte;

static int set_perturb(int parameter, int value)
{
    if (parameter == M_PERTURB)
        new_byte = (unsigned char)~value;
    return base_mallopt(parameter, value);
}

static void *fill_new(size_t size)
{
    void *block = base_malloc(size);
    return block != NULL && new_byte != 0 ? memset(block, new_byte, size) : block;
}

static void *fill_zeroed(size_t count, size_t size)
{
    void *block = base_calloc(count, size);
    return block != NULL && new_byte != 0 ? memset(block, new_byte, count * size) : block;
}
MUTANT(perturb_reaches_calloc, .mallopt = set_perturb, .malloc = fill_new, .calloc = fill_zeroed)

static void *fill_zeroed_by_environment(size_t count, size_t size)
{
    void *block = base_calloc(count, size);
    return block != NULL && getenv("MALLOC_PERTURB_") != NULL ? memset(block, 0xa5, count * size)
                                                              : block;
}
MUTANT(perturb_of_the_environment_reaches_calloc, .calloc = fill_zeroed_by_environment)

static struct mallinfo2 never_count_down(void)
{
    static size_t most;
    struct mallinfo2 info = base_mallinfo2();
    most = info.hblks > most ? info.hblks : most;
    info.hblks = most;
    return info;
}
MUTANT(mapped_blocks_are_never_counted_down, .mallinfo2 = never_count_down)

static bool refuses_large;

static int set_mapped_most(int parameter, int value)
{
    if (parameter == M_MMAP_MAX)
        refuses_large = value == 0;
    return base_mallopt(parameter, value);
}

static void *refuse_large(size_t size)
{
    return refuses_large && size >= (size_t)4 << 20 ? NULL : base_malloc(size);
}
MUTANT(no_mappings_no_large_blocks, .mallopt = set_mapped_most, .malloc = refuse_large)

static pthread_t arena_owner;
static bool has_owner;

static int set_arena_most(int parameter, int value)
{
    if (parameter == M_ARENA_MAX)
        arena_owner = pthread_self(), has_owner = value == 1;
    return base_mallopt(parameter, value);
}

static void *refuse_other_threads(size_t size)
{
    return has_owner && !pthread_equal(arena_owner, pthread_self()) ? NULL : base_malloc(size);
}
MUTANT(one_arena_for_one_thread, .mallopt = set_arena_most, .malloc = refuse_other_threads)

static bool is_unchecked;
static void *last_freed;

static int set_check_action(int parameter, int value)
{
    if (parameter == M_CHECK_ACTION)
        is_unchecked = value == 0;
    return base_mallopt(parameter, value);
}

static void ignore_second_free(void *block)
{
    if (!is_unchecked || block == NULL || block != last_freed)
        base_free(block);
    last_freed = block;
}
MUTANT(check_action_hides_double_free, .mallopt = set_check_action, .free = ignore_second_free)

static size_t top_pad;

static int set_top_pad(int parameter, int value)
{
    if (parameter == M_TOP_PAD)
        top_pad = (size_t)value;
    return base_mallopt(parameter, value);
}

static void *pad_top(size_t size)
{
    return size > 4096 && size + top_pad < size ? NULL : base_malloc(size);
}
MUTANT(top_pad_wraps, .mallopt = set_top_pad, .malloc = pad_top)
