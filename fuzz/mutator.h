/* SPDX-License-Identifier: MIT */
/*
 * Mutation of traces in their byte form, for any engine: knows no engine's symbols. Two adapters,
 * mutator_libfuzzer.c and mutator_afl.c, serve the engines.
 *
 * The output is always canonical and well-formed, never longer than capacity, and depends only on
 * the arguments. The input may be any bytes; ops beyond MUTATOR_OPS_MAX are ignored. Scratch memory
 * is static: one thread at a time.
 */
#ifndef FUZZ_MUTATOR_H
#define FUZZ_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

enum { MUTATOR_OPS_MAX = 1 << 14 }; /* 64 KiB of records */

/* Mutates bytes in place; returns the new length, 0 only if capacity is too small for an op. */
size_t mutator_mutate(uint8_t *bytes, size_t length, size_t capacity, uint64_t seed);
/* A trace made of parts of a and of b. ret_bytes may not overlap them. */
size_t mutator_cross(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length,
                     uint8_t *ret_bytes, size_t capacity, uint64_t seed);

/* Trimming, by op. How many ops the bytes hold. */
size_t mutator_count_ops(const uint8_t *bytes, size_t length);
/* The trace without ops first..first+count-1, and without those that need them: every op that stays
 * is unchanged. ret_bytes may be bytes. Returns the new length; if that exceeds capacity, nothing
 * is written. */
size_t mutator_delete_ops(const uint8_t *bytes, size_t length, size_t first, size_t count,
                          uint8_t *ret_bytes, size_t capacity);

#endif
