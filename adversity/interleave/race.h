/* SPDX-License-Identifier: MIT */
/*
 * The race detector: it keeps for every byte the last write and the reads since, and compares them
 * with what the accessing thread knows. Exact to the byte and complete for what an execution does;
 * it does not depend on the machine's own memory order.
 */
#ifndef INTERLEAVE_RACE_H
#define INTERLEAVE_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum access { ACCESS_READ = 0, ACCESS_WRITE = 1, ACCESS_ATOMIC = 2 };

/* Once, before any execution. Returns 0 or ENOMEM. */
int race_init(void);
/* Records an access of the running thread; ends the execution if another thread's is not ordered
 * with it. */
void race_access(const volatile void *start, size_t size, unsigned access, uintptr_t code);
/* The same, but for pages that nobody has touched. */
void race_access_touched(const void *start, size_t size, unsigned access, uintptr_t code);
/* The memory is new: whatever was done there before is over. */
void race_forget(const void *start, size_t size);

#endif
