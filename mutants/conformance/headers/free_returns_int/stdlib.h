/* SPDX-License-Identifier: MIT */
/* Declares free with another type than the standard's. */
#define free system_free
#include_next <stdlib.h>
#undef free
int free(void *block);
