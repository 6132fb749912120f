/* SPDX-License-Identifier: MIT */
/* Lacks the declaration of posix_memalign. */
#define posix_memalign system_posix_memalign
#include_next <stdlib.h>
#undef posix_memalign
