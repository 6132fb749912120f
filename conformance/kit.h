/* SPDX-License-Identifier: MIT */
/*
 * Small tools that probes share; like the probes, text that is cut into programs (see probe.h for the rules). Sizes are in bytes.
 */
#ifndef CONFORMANCE_KIT_H
#define CONFORMANCE_KIT_H

#include "conformance/probe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The errno before every call: no libc uses it. Set it immediately before, look at it immediately after. */
#define UNTOUCHED 7777

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define KIB ((size_t)1 << 10)

#define MIB ((size_t)1 << 20)

#define GIB ((size_t)1 << 30)

/* Fills a block with bytes that depend on their position and on `seed`; finds the first byte that is not so (size: none). */
void fill(void *block, size_t size, unsigned seed);
size_t find_change(const void *block, size_t size, unsigned seed);

/* The first byte that is not zero (size: none). */
size_t find_nonzero(const void *block, size_t size);

bool is_aligned(const void *block, size_t alignment);

/* Sizes to try: 0 to 1024, and 2^k, 2^k ± 1 up to 64 MiB. Walk them by `for (size_t n = 0; n <= SIZE_LAST; n = next_size(n))`. */
#define SIZE_LAST (64 * MIB + 1)
size_t next_size(size_t size);

/* Sizes that no allocator can satisfy: PTRDIFF_MAX + 1, SIZE_MAX / 2 + 1, and the last 4097 before the end of the address space. Walk them by
 * `for (size_t i = 0; i < HUGE_COUNT; i++)`. */
#define HUGE_COUNT 4099
size_t huge_size(size_t i);

/* A repeatable stream of numbers. */
uint32_t next_random(uint32_t *state);

/* "NULL" or "a block", for sentences. */
const char *null_or_block(const void *block);

/* Lowers RLIMIT_AS to what is mapped now and `room` more; false if the system refuses. */
bool limit_memory(size_t room);

/* Bytes of address space and of resident memory that this process has now, from /proc/self/statm; 0 if that is not there. */
size_t mapped_bytes(void);
size_t resident_bytes(void);

/* Runs a function in a forked child with an alarm after `seconds`; returns the wait status. */
int run_in_child(int (*function)(void), unsigned seconds);

/* After a misuse that returned: uses the heap for a while, in which the damage may still be noticed, then gives up: silent. */
enum probe_outcome survived(void);

#endif
