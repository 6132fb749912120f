/* SPDX-License-Identifier: MIT */
#define free system_free
#include_next <stdlib.h>
#undef free
int free(void *block);
