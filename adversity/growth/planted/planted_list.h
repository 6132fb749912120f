/* SPDX-License-Identifier: MIT */
/*
 * The planted bugs: each name is a switch of base.c or chunks.c, and a library; with the check that
 * must catch it, the shapes in which that check must (one of those named is run by the test), and
 * what is wrong. CMake and the test read this list.
 */
#ifndef GROWTH_PLANTED_LIST_H
#define GROWTH_PLANTED_LIST_H

#define PLANTED_BUGS(BUG)                                                                         \
    BUG(leaks_one_in_n, footprint, cycles, "every 100th block that is freed is forgotten")        \
    BUG(never_coalesces, footprint, comb, "neighbours that are both free stay two")               \
    BUG(leaks_aligned_gap, footprint, aligned_mixed,                                              \
        "the room before an aligned block is never given back")                                   \
    BUG(shrink_keeps_all, footprint, realloc_shrink, "a shrunk block keeps the room that it had") \
    BUG(large_exact_fit, footprint, growing_size,                                                 \
        "a freed mapping is kept, and serves only requests of its very size")                     \
    BUG(large_calloc_leaks, footprint, calloc_large, "a large block of calloc is never unmapped") \
    BUG(remote_frees_lost, footprint, producer_consumer,                                          \
        "a block that another thread frees is forgotten")                                         \
    BUG(thread_heap_lost, footprint, thread_churn,                                                \
        "what a thread took for itself stays taken when it ends")                                 \
    BUG(realloc_move_leaks, footprint, realloc_append,                                            \
        "a block that realloc moves is not freed, one time in 8")                                 \
    BUG(linear_free_list, scaling, fill_shuffled,                                                 \
        "free puts holes in order of address by walking all of them")                             \
    BUG(linear_best_fit, scaling, fragments, "malloc walks all holes for the best one")           \
    BUG(realloc_quadratic_copy, scaling, grow_in_steps, "realloc always copies")                  \
    BUG(usable_walks, scaling, usable,                                                            \
        "malloc_usable_size looks for the block from the start of its region")                    \
    BUG(free_walks_region, scaling, fill_fifo,                                                    \
        "free looks for the chunk before its own from the start of the region")                   \
    BUG(mmap_every_small, scaling, fill_lifo, "every block is a mapping of its own")              \
    BUG(trim_thrash, scaling, boundary, "an empty region goes back to the system at once")

#endif
