/* SPDX-License-Identifier: MIT */
/* A cache for each thread, in static storage for which a library that is opened late finds no
 * room. */
#include "allocator/src/override.c"

static __thread unsigned char mutant_cache[8192] __attribute__((tls_model("initial-exec")));
EXPORT unsigned char mutant_look(size_t i);

unsigned char mutant_look(size_t i)
{
    return mutant_cache[i]++;
}
