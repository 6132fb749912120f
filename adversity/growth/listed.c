/* SPDX-License-Identifier: MIT */
/* For programs that only list the shapes: what these call when they run. */
#include "adversity/growth/shape.h"

struct subject_calls calls;

uint64_t kit_held(void)
{
    return 0;
}

void kit_begin(void) {}

void kit_end(size_t operations)
{
    (void)operations;
}
