/* SPDX-License-Identifier: MIT */
/*
 * The mutants that growth finds: each name is a switch of base.c or chunks.c, and a library; with the check that
 * must catch it, the shapes in which that check must (one of those named is run by the test), and
 * what is wrong. CMake and the test read this list.
 */
#ifndef MUTANTS_GROWTH_LIST_H
#define MUTANTS_GROWTH_LIST_H

#define GROWTH_MUTANTS(MUTANT)                                                                \
    MUTANT(leaks_one_in_n, footprint, cycles, "every 100th block that is freed is forgotten") \
    MUTANT(never_coalesces, footprint, comb, "neighbours that are both free stay two")        \
    MUTANT(leaks_aligned_gap, footprint, aligned_mixed,                                       \
           "the room before an aligned block is never given back")                            \
    MUTANT(shrink_keeps_all, footprint, realloc_shrink,                                       \
           "a shrunk block keeps the room that it had")                                       \
    MUTANT(large_exact_fit, footprint, growing_size,                                          \
           "a freed mapping is kept, and serves only requests of its very size")              \
    MUTANT(large_calloc_leaks, footprint, calloc_large,                                       \
           "a large block of calloc is never unmapped")                                       \
    MUTANT(remote_frees_lost, footprint, producer_consumer,                                   \
           "a block that another thread frees is forgotten")                                  \
    MUTANT(thread_heap_lost, footprint, thread_churn,                                         \
           "what a thread took for itself stays taken when it ends")                          \
    MUTANT(realloc_move_leaks, footprint, realloc_append,                                     \
           "a block that realloc moves is not freed, one time in 8")                          \
    MUTANT(linear_free_list, scaling, fill_shuffled,                                          \
           "free puts holes in order of address by walking all of them")                      \
    MUTANT(linear_best_fit, scaling, fragments, "malloc walks all holes for the best one")    \
    MUTANT(realloc_quadratic_copy, scaling, grow_in_steps, "realloc always copies")           \
    MUTANT(usable_walks, scaling, usable,                                                     \
           "malloc_usable_size looks for the block from the start of its region")             \
    MUTANT(free_walks_region, scaling, fill_fifo,                                             \
           "free looks for the chunk before its own from the start of the region")            \
    MUTANT(mmap_every_small, scaling, fill_lifo, "every block is a mapping of its own")       \
    MUTANT(trim_thrash, scaling, boundary, "an empty region goes back to the system at once")

#endif
