/* SPDX-License-Identifier: MIT */
/* The C library's header, with what C23 and POSIX.1-2024 add to it where it is older: what a sound
 * one declares. */
#include_next <stdlib.h>
#undef __STDC_VERSION_STDLIB_H__
#define __STDC_VERSION_STDLIB_H__ 202311L
void free_sized(void *block, size_t size);
void free_aligned_sized(void *block, size_t alignment, size_t size);
void *reallocarray(void *block, size_t count, size_t size);
