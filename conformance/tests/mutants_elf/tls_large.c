/* SPDX-License-Identifier: MIT */
/* A cache for each thread, in static storage for which a library that is opened late finds no
 * room. */
#include "conformance/tests/mutants_elf/planted.h"

#include "allocator/src/override.c"

static __thread unsigned char planted_cache[8192] __attribute__((tls_model("initial-exec")));
EXPORT unsigned char planted_look(size_t i);

unsigned char planted_look(size_t i)
{
    return planted_cache[i]++;
}

PLANTED("GLIBC-replace-7")
