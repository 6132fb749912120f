/* SPDX-License-Identifier: MIT */
/* The one file that an author writes for the scheduler. */
#include "adversity/interleave/interleave.h"
#include "mine.h"

const struct interleave_subject interleave_own = {
    .name = "mine", .malloc = mine_malloc, .free = mine_free};
