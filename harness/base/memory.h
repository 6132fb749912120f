/* SPDX-License-Identifier: MIT */
#ifndef HARNESS_MEMORY_H
#define HARNESS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of address space, and resident bytes, of this process; 0 if the system does not tell.
 * Allocate nothing: the subject may be the process's own malloc. */
size_t memory_mapped(void);

size_t memory_resident(void);

/* Whether it is that of the allocator alone: a sanitizer's own grows with each thread that ends. */
bool memory_is_the_allocators(void);

/* Processor time, in ms, that a sound allocator may take to copy or clear so many bytes: four times
 * what a realloc took that copied 4 GiB. 0 for what no machine has. */
static inline uint32_t memory_touch_ms(uint64_t bytes)
{
    return bytes > UINT64_C(16) << 30 ? 0 : (uint32_t)(bytes >> 20) * 4;
}

/* Mappings of this process, and how many it may have; 0 if the system does not tell. */
size_t memory_mappings(void);

size_t memory_mappings_max(void);

#endif
