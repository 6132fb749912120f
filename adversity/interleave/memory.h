/* SPDX-License-Identifier: MIT */
/* What the code under test has mapped. */
#ifndef INTERLEAVE_MEMORY_H
#define INTERLEAVE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that it has from the system now. */
size_t memory_mapped(void);
/* All of it changes hands: as a write, but for pages that nobody touched. */
void memory_is_written(const void *start, size_t size, uintptr_t code);

#endif
