/* SPDX-License-Identifier: MIT */
/*
 * The op mutator in AFL++ 4: built as a shared object, named by AFL_CUSTOM_MUTATOR_LIBRARY, best
 * with AFL_CUSTOM_MUTATOR_ONLY=1. The prototypes are those of AFL++'s documentation on custom
 * mutators, with void * for its state, so that its private headers are not needed.
 *
 * Trimming deletes stretches of ops, from half of the trace down to single ops. What stays is
 * unchanged, so a step never makes the trace longer; where the canonical form itself would be
 * longer than what AFL++ has, nothing is trimmed.
 */
#include "fuzz/mutator.h"
#include "harness/base/random.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 1 << 20 }; /* AFL++'s own limit for an input */

struct afl_mutator {
    struct random random;
    uint8_t output[BYTES_MAX];
    uint8_t kept[BYTES_MAX]; /* what is being trimmed */
    size_t kept_length;
    size_t output_length;
    size_t position; /* first op of the next stretch to delete */
    size_t stretch;
};

void *afl_custom_init(void *afl, unsigned int seed);
size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t length, uint8_t **ret_bytes,
                       uint8_t *other, size_t other_length, size_t max_size);
int32_t afl_custom_init_trim(void *data, uint8_t *bytes, size_t length);
size_t afl_custom_trim(void *data, uint8_t **ret_bytes);
int32_t afl_custom_post_trim(void *data, unsigned char is_success);
void afl_custom_deinit(void *data);

void *afl_custom_init(void *afl, unsigned int seed)
{
    (void)afl;
    struct afl_mutator *mutator = calloc(1, sizeof *mutator);
    if (mutator)
        mutator->random.state = seed;
    return mutator;
}

void afl_custom_deinit(void *data)
{
    free(data);
}

/* One in eight is a cross with the splice partner. */
size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t length, uint8_t **ret_bytes,
                       uint8_t *other, size_t other_length, size_t max_size)
{
    struct afl_mutator *mutator = data;
    size_t capacity = max_size < BYTES_MAX ? max_size : BYTES_MAX;
    uint64_t seed = random_next(&mutator->random);
    *ret_bytes = mutator->output;
    if (other && other_length > 0 && random_once_in(&mutator->random, 8))
        return mutator_cross(bytes, length, other, other_length, mutator->output, capacity, seed);
    length = length < capacity ? length : capacity;
    memcpy(mutator->output, bytes, length);
    return mutator_mutate(mutator->output, length, capacity, seed);
}

/* AFL++ goes on while the step that post_trim returns is below the number that this returns; both
 * serve only its display. */
int32_t afl_custom_init_trim(void *data, uint8_t *bytes, size_t length)
{
    struct afl_mutator *mutator = data;
    if (length > BYTES_MAX)
        return 0;
    mutator->kept_length = mutator_delete_ops(bytes, length, 0, 0, mutator->kept, length);
    size_t ops = mutator_count_ops(bytes, length);
    mutator->position = 0;
    mutator->stretch = ops / 2;
    return mutator->kept_length <= length && ops > 1 ? 1 : 0;
}

size_t afl_custom_trim(void *data, uint8_t **ret_bytes)
{
    struct afl_mutator *mutator = data;
    *ret_bytes = mutator->output;
    mutator->output_length =
        mutator_delete_ops(mutator->kept, mutator->kept_length, mutator->position, mutator->stretch,
                           mutator->output, BYTES_MAX);
    return mutator->output_length;
}

int32_t afl_custom_post_trim(void *data, unsigned char is_success)
{
    struct afl_mutator *mutator = data;
    if (is_success) {
        memcpy(mutator->kept, mutator->output, mutator->output_length);
        mutator->kept_length = mutator->output_length;
    } else {
        mutator->position += mutator->stretch;
    }
    size_t ops = mutator_count_ops(mutator->kept, mutator->kept_length);
    if (mutator->position >= ops) {
        mutator->position = 0;
        mutator->stretch /= 2;
    }
    return mutator->stretch > 0 && ops > 1 ? 0 : 1;
}
