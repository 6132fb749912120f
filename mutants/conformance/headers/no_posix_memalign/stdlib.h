/* SPDX-License-Identifier: MIT */
#define posix_memalign system_posix_memalign
#include_next <stdlib.h>
#undef posix_memalign
