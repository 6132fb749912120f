/* SPDX-License-Identifier: MIT */
/*
 * Mutants: anvil with one function at a time replaced by a broken one, each to be failed by the
 * clauses that it names. They are all in one shared object; MALLET_MUTANT=name chooses, and without
 * it the object is a correct allocator.
 *
 * A mutant is registered where it is written, in functions/<family>.c:
 *
 *     static void *forget_alignment(size_t alignment, size_t size) { return base_malloc(size); }
 *     MUTANT(aligned_alloc_forgets, "C23-7.24.3.1-p2-a", .aligned_alloc = forget_alignment)
 */
#ifndef MUTANTS_CONFORMANCE_MUTANT_H
#define MUTANTS_CONFORMANCE_MUTANT_H

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MUTANT_CALLS(CALL)                                                       \
    CALL(malloc, void *, (size_t size))                                          \
    CALL(free, void, (void *block))                                              \
    CALL(calloc, void *, (size_t count, size_t size))                            \
    CALL(realloc, void *, (void *block, size_t size))                            \
    CALL(reallocarray, void *, (void *block, size_t count, size_t size))         \
    CALL(aligned_alloc, void *, (size_t alignment, size_t size))                 \
    CALL(posix_memalign, int, (void **block, size_t alignment, size_t size))     \
    CALL(memalign, void *, (size_t alignment, size_t size))                      \
    CALL(valloc, void *, (size_t size))                                          \
    CALL(pvalloc, void *, (size_t size))                                         \
    CALL(free_sized, void, (void *block, size_t size))                           \
    CALL(free_aligned_sized, void, (void *block, size_t alignment, size_t size)) \
    CALL(malloc_usable_size, size_t, (void *block))                              \
    CALL(malloc_trim, int, (size_t keep))                                        \
    CALL(mallopt, int, (int parameter, int value))                               \
    CALL(mallinfo, struct mallinfo, (void))                                      \
    CALL(mallinfo2, struct mallinfo2, (void))                                    \
    CALL(malloc_stats, void, (void))                                             \
    CALL(malloc_info, int, (int options, FILE *file))

struct mutant_calls {
#define CALL(name, result, parameters) result(*name) parameters;
    MUTANT_CALLS(CALL)
#undef CALL
    size_t (*memalignment)(const void *block); /* which anvil does not have */
};

/* anvil's functions, under a prefix. */
#define CALL(name, result, parameters) result base_##name parameters;
MUTANT_CALLS(CALL)
#undef CALL

struct mutant {
    const char *name;
    const char *clauses;       /* all that must fail, separated by blanks */
    struct mutant_calls calls; /* NULL: anvil's */
};

#define MUTANT(name, clauses, ...)                                              \
    static const struct mutant mutant_##name = {#name, clauses, {__VA_ARGS__}}; \
    static const struct mutant *const mutant_entry_##name                       \
        __attribute__((section("mutants"), used)) = &mutant_##name;

/* What the shared object exports for the test: mutant i, NULL beyond the last. */
const struct mutant *mutant_at(size_t i);

#endif
