/* SPDX-License-Identifier: MIT */
/*
 * The registry: every requirement of C, POSIX and glibc on the malloc family as a numbered clause.
 * It is the file clauses.tsv, embedded; the probes, the gate, the matrix and the documents all read
 * this one list. Constant after clauses_load; any thread may read it then.
 */
#ifndef CONFORMANCE_CLAUSES_H
#define CONFORMANCE_CLAUSES_H

#include <stdbool.h>
#include <stddef.h>

#define PROFILES(PROFILE)             \
    PROFILE(C17, "c17")               \
    PROFILE(C23, "c23")               \
    PROFILE(POSIX_2017, "posix-2017") \
    PROFILE(POSIX_2024, "posix-2024") \
    PROFILE(GLIBC, "glibc")           \
    PROFILE(HARDENING, "hardening")

enum profile {
#define PROFILE(id, name) PROFILE_##id,
    PROFILES(PROFILE)
#undef PROFILE
        PROFILE_COUNT
};

/* What a divergence means. Only the first three fail the gate. */
#define STRENGTHS(STRENGTH)                                                                    \
    STRENGTH(MUST, "MUST", "a divergence fails the gate")                                      \
    STRENGTH(GLIBC_EXT, "GLIBC-EXT", "what glibc's documents promise: fails in profile glibc") \
    STRENGTH(ABI, "ABI", "what the platform asks of a replacement: fails in profile glibc")    \
    STRENGTH(IMPL_DEFINED, "IMPL-DEFINED",                                                     \
             "the choice is recorded; only one outside the permitted set fails")               \
    STRENGTH(MAY, "MAY", "recorded")                                                           \
    STRENGTH(SHOULD, "SHOULD", "a divergence is a weakness, no failure")                       \
    STRENGTH(UB, "UB", "undefined: nothing is asserted")                                       \
    STRENGTH(HARDENING, "HARDENING", "a score beside the gate: detected, detected late or silent")

enum strength {
#define STRENGTH(id, name, meaning) STRENGTH_##id,
    STRENGTHS(STRENGTH)
#undef STRENGTH
        STRENGTH_COUNT
};

/* One row of the registry. Texts that a row leaves out are "". */
struct clause {
    const char *id;
    unsigned profiles; /* bit i: enum profile */
    enum strength strength;
    const char *functions;
    const char *requirement;
    const char *test;       /* how the probe goes about it */
    const char *needs;      /* of the environment */
    unsigned strict;        /* profiles in which a weak reading fails */
    const char *why;        /* what goes wrong in programs when it does not hold */
    const char *known;      /* allocators known to diverge, with the source */
    const char *untestable; /* why there is no probe */
};

/* Parses the embedded registry; aborts with a sentence if it is malformed, which a test rules out.
 * May be called again. */
void clauses_load(void);
size_t clauses_count(void);
const struct clause *clauses_at(size_t i);
/* NULL: no such clause. */
const struct clause *clauses_find(const char *id);

enum {
    PROFILES_OF_C = 1 << PROFILE_C17 | 1 << PROFILE_C23,
    PROFILES_OF_POSIX = 1 << PROFILE_POSIX_2017 | 1 << PROFILE_POSIX_2024
};

/* Whether what these profiles require counts where none was selected: all of C's editions must be
 * among them, or all of POSIX's. */
static inline bool profiles_count_by_default(unsigned profiles)
{
    return (profiles & PROFILES_OF_C) == PROFILES_OF_C ||
           (profiles & PROFILES_OF_POSIX) == PROFILES_OF_POSIX;
}

/* NULL beyond the last. */
const char *profile_name(unsigned profile);
/* PROFILE_COUNT: no such profile. */
enum profile profile_find(const char *name);
/* Writes "c17,c23"; returns ret_text. */
enum { PROFILES_TEXT_MAX = 64 };
const char *profiles_text(unsigned profiles, char ret_text[PROFILES_TEXT_MAX]);
const char *strength_name(enum strength strength);
const char *strength_meaning(enum strength strength);

#endif
