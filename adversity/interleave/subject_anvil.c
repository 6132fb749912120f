/* SPDX-License-Identifier: MIT */
/* Anvil's default heap, built for the scheduler. The only file here that knows anvil. */
#include "interleave.h"

#include "anvil.h"

static int check(char *sentence, size_t capacity)
{
    return anvil_heap_check(NULL, sentence, capacity);
}

extern const struct interleave_subject interleave_anvil;
const struct interleave_subject interleave_anvil = {.name = "anvil",
                                                    .malloc = anvil_malloc,
                                                    .free = anvil_free,
                                                    .realloc = anvil_realloc,
                                                    .check = check};
