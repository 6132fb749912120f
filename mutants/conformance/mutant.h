/* SPDX-License-Identifier: MIT */
/*
 * The conformance mutants: anvil with one function at a time replaced by a broken one. They are all
 * in one shared object; MALLET_MUTANT=<id> chooses, and without it the object is a correct
 * allocator. The registry names the clauses that must fail; the calls are in functions/<family>.c:
 *
 *     static void *forget_alignment(size_t alignment, size_t size) { return base_malloc(size); }
 *     MUTANT(aligned_alloc_forgets, .aligned_alloc = forget_alignment)
 */
#ifndef MUTANTS_CONFORMANCE_MUTANT_H
#define MUTANTS_CONFORMANCE_MUTANT_H

#include "mutants/registry.h"

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

/* What functions/ defines, for each mutant of the registry. NULL: anvil's function. */
#define MUTANT(id, ...) \
    extern const struct mutant_calls mutant_##id __attribute__((visibility("hidden")));
MUTANTS_conformance(MUTANT)
#undef MUTANT
#define MUTANT(id, ...)                                                  \
    _Static_assert(MUTANT_##id != MUTANT_none, "it is in the registry"); \
    const struct mutant_calls mutant_##id = {__VA_ARGS__};

#endif
