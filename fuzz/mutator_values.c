/* SPDX-License-Identifier: MIT */
/*
 * What the mutator draws, and how often. Two interests pull apart: bugs sit at landmarks and impossible sizes, speed wants small blocks. So
 * three in four sizes are at most 1 KiB, about one in twenty is above 16 KiB and can be had, one in five hundred is 2 to 32 MiB, and what
 * could be had only at great cost (32 MiB to 2^47) is not drawn at all: the engine's own byte mutations find their way there.
 */
#include "fuzz/mutator_parts.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { PAGE = 4096, SLOTS_DRAWN = 64 };

/* Adds a delta from -magnitude to magnitude, 0 more often than the others. */
static uint64_t shake(uint64_t value, uint64_t magnitude, struct random *random)
{
    if (random_once_in(random, 4))
        return value;
    return value - magnitude + random_below(random, 2 * magnitude + 1);
}

static uint64_t power_draw(struct random *random, unsigned low, unsigned high)
{
    return (uint64_t)1 << random_between(random, low, high);
}

/* Sizes: one function a family, one row a family below. */

static uint64_t zero_size(struct random *random)
{
    (void)random;
    return 0;
}

static uint64_t tiny_size(struct random *random)
{
    return random_below(random, 129);
}

static uint64_t small_size(struct random *random)
{
    return random_below(random, 1025);
}

static uint64_t class_size(struct random *random)
{
    return shake((4 + random_below(random, 4)) * (power_draw(random, 4, random_once_in(random, 8) ? 15 : 11) / 4), 17, random);
}

static uint64_t page_size(struct random *random)
{
    return shake(random_between(random, 1, random_once_in(random, 8) ? 32 : 4) * PAGE, 32, random);
}

static uint64_t medium_size(struct random *random)
{
    return 16 * random_below(random, 8192);
}

static uint64_t threshold_size(struct random *random)
{
    uint64_t size = power_draw(random, 16, 17) + random_below(random, 2) * PAGE;
    return shake(size - random_below(random, 2) * PAGE, 32, random);
}

static uint64_t large_size(struct random *random)
{
    return shake(power_draw(random, 18, 20), 32, random);
}

static uint64_t huge_size(struct random *random)
{
    return shake(power_draw(random, 21, 25), 32, random);
}

static uint64_t impossible_size(struct random *random)
{
    switch (random_below(random, 4)) {
    case 0:
        return SIZE_MAX - random_below(random, 64);
    case 1:
        return shake(PTRDIFF_MAX, 32, random);
    case 2:
        return shake(power_draw(random, 47, 63), 1, random);
    default:
        return SIZE_MAX - shake(power_draw(random, 4, 32), 8, random);
    }
}

static const struct {
    unsigned weight;
    uint64_t (*draw)(struct random *random);
} SIZE_FAMILIES[] = {
    {30, zero_size},   {440, tiny_size},     {270, small_size}, {110, class_size}, {40, page_size},
    {20, medium_size}, {16, threshold_size}, {12, large_size},  {2, huge_size},    {60, impossible_size},
};

static uint64_t exact_size_draw(struct random *random)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < COUNT_OF(SIZE_FAMILIES); i++)
        sum += SIZE_FAMILIES[i].weight;
    uint64_t ticket = random_below(random, sum);
    size_t i = 0;
    for (; ticket >= SIZE_FAMILIES[i].weight; i++)
        ticket -= SIZE_FAMILIES[i].weight;
    return SIZE_FAMILIES[i].draw(random);
}

uint64_t story_size_draw(struct random *random)
{
    uint64_t ticket = random_below(random, 32);
    if (ticket < 14)
        return 1 + tiny_size(random);
    if (ticket < 25)
        return 1 + small_size(random);
    if (ticket < 30)
        return class_size(random);
    if (ticket < 31)
        return page_size(random);
    return random_once_in(random, 2) ? threshold_size(random) : medium_size(random);
}

static void relative_size_draw(struct trace_op *op, struct random *random)
{
    op->size_base = random_once_in(random, 2) ? SIZE_REQUESTED : SIZE_USABLE;
    op->size_slot = (uint32_t)random_below(random, SLOTS_DRAWN);
    op->size = random_once_in(random, 2) ? shake(0, 1, random) : random_below(random, 32) - 16;
}

/* a/2, a, 3a/2, 2a, 3a, and beside them. */
static uint64_t aligned_size_draw(uint64_t alignment, struct random *random)
{
    return shake(alignment / 2 * random_between(random, 1, 6), 1, random);
}

void size_draw(struct trace_op *op, struct random *random)
{
    op->size_base = SIZE_EXACT;
    op->size_slot = 0;
    if (random_once_in(random, 10))
        relative_size_draw(op, random);
    else if (trace_op_shape(op->kind) & OP_HAS_ALIGNMENT && random_once_in(random, 3))
        op->size = aligned_size_draw(op->extra, random);
    else
        op->size = exact_size_draw(random);
}

/* Alignments, counts, numbers. */

static uint64_t alignment_draw(struct random *random)
{
    static const uint64_t BAD[] = {0, 3, 7, 12, 24, 48, 100, PAGE - 1, PAGE + 1, (uint64_t)1 << 63, SIZE_MAX};
    uint64_t ticket = random_below(random, 100);
    if (ticket < 76)
        return power_draw(random, 0, 9);
    if (ticket < 86)
        return power_draw(random, 10, 13);
    if (ticket < 89)
        return power_draw(random, 14, 16);
    if (ticket < 95)
        return power_draw(random, 17, 24);
    return ticket < 97 ? power_draw(random, 47, 63) : BAD[random_below(random, COUNT_OF(BAD))];
}

static uint64_t count_draw(struct random *random)
{
    static const uint64_t LARGE[] = {32, 64, 100, 128, 256, 1000};
    return random_once_in(random, 16) ? LARGE[random_below(random, COUNT_OF(LARGE))] : random_below(random, 17);
}

/* Two factors near 2^64 or 2^63, either way round; what wraps shall wrap to something small, or it would not be noticed. */
static void product_draw(struct trace_op *op, struct random *random)
{
    bool is_half = random_once_in(random, 3);
    uint64_t exponent = random_between(random, 1, is_half ? 62 : 63);
    uint64_t many = (uint64_t)1 << ((is_half ? 63 : 64) - exponent);
    if (exponent < 16 || random_once_in(random, 4))
        many += random_below(random, 8);
    bool is_swapped = random_once_in(random, 2);
    op->extra = is_swapped ? (uint64_t)1 << exponent : many;
    op->size = is_swapped ? many : (uint64_t)1 << exponent;
    op->size_base = SIZE_EXACT;
    op->size_slot = 0;
}

static uint64_t number_draw(enum op_kind kind, struct random *random)
{
    if (kind == OP_TRIM)
        return random_once_in(random, 2) ? 0 : random_below(random, 0x10000);
    return kind == OP_THREAD ? random_below(random, 4) : random_between(random, 1, 6);
}

void extra_draw(struct trace_op *op, struct random *random)
{
    unsigned shape = trace_op_shape(op->kind);
    if (shape & OP_HAS_ALIGNMENT)
        op->extra = alignment_draw(random);
    else if (shape & OP_HAS_COUNT && random_once_in(random, 10))
        product_draw(op, random);
    else if (shape & OP_HAS_COUNT)
        op->extra = count_draw(random);
    else if (shape & OP_HAS_NUMBER)
        op->extra = number_draw(op->kind, random);
}

void values_draw(struct trace_op *op, struct random *random)
{
    if (trace_op_shape(op->kind) & OP_HAS_SIZE)
        size_draw(op, random);
    extra_draw(op, random); /* last: a product replaces the size too */
}

/* The neighbourhood of the size classes and pages on either side, or a fixed step. */
void size_nudge(struct trace_op *op, struct random *random)
{
    if (op->size_base != SIZE_EXACT) {
        op->size = random_once_in(random, 2) ? op->size + 1 : op->size - 1;
        return;
    }
    uint64_t step = (uint64_t)1 << random_below(random, 7);
    uint64_t landmark = op->size & ~(power_draw(random, 4, 12) - 1);
    switch (random_below(random, 6)) {
    case 0:
        op->size += step;
        break;
    case 1:
        op->size -= step < op->size ? step : op->size;
        break;
    case 2:
        op->size = shake(landmark, 1, random);
        break;
    case 3:
        op->size *= 2;
        break;
    case 4:
        op->size /= 2;
        break;
    default:
        op->size += random_once_in(random, 2) ? 1 : UINT64_MAX;
        break;
    }
}

static const uint16_t KIND_WEIGHTS[OP_KINDS] = {
    [OP_MALLOC] = 280,
    [OP_FREE] = 250,
    [OP_REALLOC] = 120,
    [OP_CALLOC] = 80,
    [OP_REALLOCARRAY] = 25,
    [OP_ALIGNED_ALLOC] = 30,
    [OP_POSIX_MEMALIGN] = 35,
    [OP_MEMALIGN] = 25,
    [OP_VALLOC] = 8,
    [OP_PVALLOC] = 8,
    [OP_FREE_SIZED] = 12,
    [OP_USABLE_SIZE] = 25,
    [OP_FREE_ALIGNED_SIZED] = 12,
    [OP_REALLOC_NULL] = 15,
    [OP_REALLOCARRAY_NULL] = 15,
    [OP_FREE_NULL] = 8,
    [OP_TRIM] = 15,
    [OP_SWEEP] = 10,
    [OP_THREAD] = 4,
    [OP_FAIL_OS] = 16,
    [OP_FORK] = 5,
};

struct trace_op op_draw(struct random *random)
{
    struct trace_op op = {.kind = 0};
    uint64_t sum = 0;
    for (size_t i = 0; i < OP_KINDS; i++)
        sum += KIND_WEIGHTS[i];
    uint64_t ticket = random_below(random, sum);
    for (; ticket >= KIND_WEIGHTS[op.kind]; op.kind++)
        ticket -= KIND_WEIGHTS[op.kind];
    op.slot = (uint32_t)random_below(random, SLOTS_DRAWN);
    values_draw(&op, random);
    return op;
}
