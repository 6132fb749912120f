/* SPDX-License-Identifier: MIT */
/* A counter for each thread, in storage that the loader may allocate by malloc. */
#include "conformance/tests/mutants_elf/planted.h"

#include "allocator/src/override.c"

EXPORT __thread unsigned planted_count __attribute__((tls_model("global-dynamic")));
EXPORT unsigned planted_next(void);

unsigned planted_next(void)
{
    return ++planted_count;
}

PLANTED("GLIBC-replace-6")
