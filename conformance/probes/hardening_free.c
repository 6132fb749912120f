/* SPDX-License-Identifier: MIT */
/* Undefined use of free, and what becomes of it. */
#include "conformance/kit.h"

PROBE(double_free_of_a_small_block, "HARD-double-free-1")
{
    void *block = malloc(32);
    free(block);
    MISUSE(free(block));
    return survived();
}
