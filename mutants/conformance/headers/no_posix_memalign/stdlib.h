/* SPDX-License-Identifier: MIT */
/* must fail: POSIX17-stdlib-1 */
#define posix_memalign system_posix_memalign
#include_next <stdlib.h>
#undef posix_memalign
