/* SPDX-License-Identifier: MIT */
/* must fail: C23-7.24.3.3-p3-a */
#define free system_free
#include_next <stdlib.h>
#undef free
int free(void *block);
