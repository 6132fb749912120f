/* SPDX-License-Identifier: MIT */
/* The tables of size_class.h, made from its list by the compiler. */
#include "size_class.h"

/* What the exactness of the reciprocal rests on, and the room for a class in its types. */
#define PROVE(bytes, before, first, later)                                                       \
    _Static_assert(                                                                              \
        (UINT64_C(1) << 32) >= (uint64_t)(later) * PAGE_BYTES * (bytes) && (first) <= (later) && \
            (later) * PAGE_BYTES <= SIZE_CLASS_REMAINDER &&                                      \
            (UINT64_C(1) << 32) / (bytes) >= SIZE_CLASS_REMAINDER &&                             \
            (first) * PAGE_BYTES >= (bytes) && (bytes) % SIZE_CLASS_STEP == 0 &&                 \
            ((bytes) - (before)) * 8 <= (bytes) + 128,                                           \
        "a slab is too long for its reciprocal, or a class too far from the one before");
SIZE_CLASS_LIST(PROVE)

#define ROW(size, before, first, later)                                     \
    {.reciprocal = (uint32_t)(((UINT64_C(1) << 32) + (size) - 1) / (size)), \
     .bytes = (size),                                                       \
     .pages_first = (first),                                                \
     .pages = (later)},
const struct size_class size_classes[SIZE_CLASS_COUNT] = {SIZE_CLASS_LIST(ROW)
                                                              ROW(BLOCK_ALIGNMENT, 0, 1, 1)};

#define RANGE(bytes, before, first, later) \
    [(before) / SIZE_CLASS_STEP + 1 ...(bytes) / SIZE_CLASS_STEP] = SIZE_CLASS_##bytes,
const uint8_t size_class_table[] = {[0] = SIZE_CLASS_NOTHING, SIZE_CLASS_LIST(RANGE)};
