/* SPDX-License-Identifier: MIT */
/* The implementation-defined choices of the malloc family: seen once, reported, then held. */
#ifndef HARNESS_POLICY_H
#define HARNESS_POLICY_H

#include <stdint.h>

#define POLICIES(POLICY)                                            \
    POLICY(MALLOC_ZERO, "malloc(0)")                                \
    POLICY(CALLOC_ZERO, "calloc of zero bytes")                     \
    POLICY(REALLOC_ZERO, "realloc(p, 0)")                           \
    POLICY(REALLOC_NULL_ZERO, "realloc(NULL, 0)")                   \
    POLICY(ALIGNED_ZERO, "aligned_alloc(a, 0)")                     \
    POLICY(POSIX_MEMALIGN_ZERO, "posix_memalign of zero bytes")     \
    POLICY(ALIGNED_UNEVEN, "aligned_alloc(a, not a multiple of a)") \
    POLICY(ALIGNED_INVALID, "aligned_alloc with an invalid alignment")

enum policy_id {
#define POLICY(id, text) POLICY_##id,
    POLICIES(POLICY)
#undef POLICY
        POLICY_COUNT
};

enum policy_choice { POLICY_UNKNOWN, POLICY_NULL, POLICY_BLOCK };

struct policy {
    uint8_t choice[POLICY_COUNT]; /* enum policy_choice */
};

const char *policy_text(enum policy_id id);

#endif
