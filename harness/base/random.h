/* SPDX-License-Identifier: MIT */
/*
 * Randomness from a seed alone: the same seed gives the same numbers on every machine. The
 * generator is splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
 * 2014): one word of state, every seed as good as any other.
 */
#ifndef HARNESS_RANDOM_H
#define HARNESS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* A word that depends on all bits of another. */
static inline uint64_t random_mix(uint64_t word)
{
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9;
    word = (word ^ word >> 27) * 0x94D049BB133111EB;
    return word ^ word >> 31;
}

static inline uint64_t random_next(struct random *random)
{
    random->state += 0x9E3779B97F4A7C15;
    return random_mix(random->state);
}

/* 0..bound-1; 0 if bound is 0. The bias of the modulo is too small for fuzzing to notice. */
static inline uint64_t random_below(struct random *random, uint64_t bound)
{
    return bound ? random_next(random) % bound : 0;
}

/* low..high, both included. */
static inline uint64_t random_between(struct random *random, uint64_t low, uint64_t high)
{
    return low + random_below(random, high - low + 1);
}

/* True once in `odds` times. */
static inline bool random_once_in(struct random *random, uint64_t odds)
{
    return random_below(random, odds) == 0;
}

#endif
