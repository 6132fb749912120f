/* SPDX-License-Identifier: MIT */
/*
 * Mutants: anvil with one function at a time replaced by a broken one, each to be failed by the
 * clauses that it names. They are all in one shared object; MALLET_MUTANT=name chooses, and without
 * it the object is a correct allocator.
 *
 * A mutant is registered where it is written, in mutants/<family>.c:
 *
 *     static void *forget_alignment(size_t alignment, size_t size) { return base_malloc(size); }
 *     MUTANT(aligned_alloc_forgets, "C23-7.24.3.1-p2-a", .aligned_alloc = forget_alignment)
 */
#ifndef CONFORMANCE_TESTS_MUTANT_H
#define CONFORMANCE_TESTS_MUTANT_H

#define PROBE_NO_NAMES
#include "conformance/probe.h"

struct mutant {
    const char *name;
    const char *clauses;      /* all that must fail, separated by blanks */
    struct probe_calls calls; /* NULL: anvil's */
};

#define MUTANT(name, clauses, ...)                                              \
    static const struct mutant mutant_##name = {#name, clauses, {__VA_ARGS__}}; \
    static const struct mutant *const mutant_entry_##name                       \
        __attribute__((section("mutants"), used)) = &mutant_##name;

/* What the shared object exports for the test: mutant i, NULL beyond the last. */
const struct mutant *mutant_at(size_t i);

/* anvil's functions, under a prefix. */
#define CALL(name, result, parameters) result base_##name parameters;
SUBJECT_CALLS(CALL)
CALL(mallopt, int, (int parameter, int value))
CALL(mallinfo, struct mallinfo, (void))
CALL(mallinfo2, struct mallinfo2, (void))
CALL(malloc_stats, void, (void))
CALL(malloc_info, int, (int options, FILE *file))
#undef CALL

#endif
