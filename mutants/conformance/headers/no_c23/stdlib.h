/* SPDX-License-Identifier: MIT */
/* Says that it is of C23, and lacks the functions that C23 added. */
#define free_sized         system_free_sized
#define free_aligned_sized system_free_aligned_sized
#include_next <stdlib.h>
#undef free_sized
#undef free_aligned_sized
#undef __STDC_VERSION_STDLIB_H__
#define __STDC_VERSION_STDLIB_H__ 202311L
