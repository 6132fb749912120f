/* SPDX-License-Identifier: MIT */
/*
 * The op mutator in libFuzzer: link this and the mutator to a target. One mutation in ten is the
 * engine's own, on the bytes: it reaches operands that the mutator never draws. Children that
 * showed new behaviour (children.h) come first, as they are.
 */
#include "fuzz/children.h"
#include "fuzz/mutator.h"
#include "harness/base/random.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *ret_data, size_t max_size, unsigned seed);
/* The engine's; other engines that take libFuzzer's targets may have none. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct random random = {seed};
    children_start(max_size);
    size_t length = children_take(data, max_size);
    if (length > 0)
        return length;
    if (LLVMFuzzerMutate != NULL && random_once_in(&random, 10))
        return LLVMFuzzerMutate(data, size, max_size);
    return mutator_mutate(data, size, max_size, random_next(&random));
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *ret_data, size_t max_size, unsigned seed)
{
    return mutator_cross(a, a_size, b, b_size, ret_data, max_size, seed);
}
