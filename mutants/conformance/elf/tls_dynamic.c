/* SPDX-License-Identifier: MIT */
/* A counter for each thread, in storage that the loader may allocate by malloc. */
#include "allocator/src/override.c"

EXPORT __thread unsigned mutant_count __attribute__((tls_model("global-dynamic")));
EXPORT unsigned mutant_next(void);

unsigned mutant_next(void)
{
    return ++mutant_count;
}
