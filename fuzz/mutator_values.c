/* SPDX-License-Identifier: MIT */
/*
 * The distributions that the mutator draws from. Two aims conflict: bugs sit at landmarks, and
 * speed needs small blocks. So most of the weight is on landmarks that cost nothing:
 *   - 0, and impossible sizes: short of SIZE_MAX by what rounding up may add, near PTRDIFF_MAX,
 *     small in the low 32 bits;
 *   - small sizes and the limits of small classes, where blocks meet as neighbours and successors;
 *   - large alignments: even a small block then needs a mapping of its own, or a padding that free
 *     and realloc must find again.
 * Expensive sizes are rare: a page and more is one in forty, 32 KiB and more one in a hundred and
 * twenty. Motifs (mutator_motifs.c) draw one size for all their ops: three large blocks in one
 * trace meet each other, one in each of three traces do not, and cost more. Very expensive sizes
 * (32 MiB to 2^46) are not drawn, the engine's byte mutations reach them: but for a few of 4 GiB
 * and more, which are mapped and never touched whole.
 *
 * The size of what an allocator adds (header, guard, rounding) is not known, so every magnitude of
 * the distance from a landmark is equally likely.
 */
#include "fuzz/mutator_parts.h"

#define BEYOND_32_BITS  ((uint64_t)1 << 32)
#define BEYOND_MAX      ((uint64_t)1 << 16) /* bytes above that */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* a count above that is a factor of a product that shall wrap */
enum { PAGE = 4096, SLOTS_DRAWN = 64, FACTOR_MIN = 4096 };

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

/* Below 2^k for a drawn k: every magnitude as often as the next. */
static uint64_t any_magnitude(struct random *random, unsigned high)
{
    return random_below(random, power_draw(random, 0, high));
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
    return shake((4 + random_below(random, 4)) *
                     (power_draw(random, 4, random_once_in(random, 16) ? 13 : 10) / 4),
                 17, random);
}

/* About whole pages; half of them a header short: there, the sizes of the block and of the mapping
 * are easily confused. */
static uint64_t shake_pages(uint64_t size, struct random *random)
{
    return random_once_in(random, 2) ? size - any_magnitude(random, 6) : shake(size, 32, random);
}

uint64_t paged_size_draw(struct random *random, uint64_t low, uint64_t high)
{
    return shake_pages(random_between(random, low, high) * PAGE, random);
}

static uint64_t page_size(struct random *random)
{
    return paged_size_draw(random, 1, random_once_in(random, 32) ? 16 : 3);
}

static uint64_t medium_size(struct random *random)
{
    return 16 * random_below(random, 8192);
}

static uint64_t threshold_size(struct random *random)
{
    uint64_t size = power_draw(random, 16, 18) + random_below(random, 2) * PAGE;
    return shake_pages(size - random_below(random, 2) * PAGE, random);
}

static uint64_t large_size(struct random *random)
{
    return random_once_in(random, 2) ? shake_pages(power_draw(random, 18, 20), random)
                                     : paged_size_draw(random, 32, 256);
}

static uint64_t huge_size(struct random *random)
{
    return shake_pages(power_draw(random, 21, (unsigned)random_between(random, 21, 25)), random);
}

/* Rounding up adds a header, an alignment, a page or a region, and wraps only this near to the
 * limit. A size truncated to 32 bits is noticed if a request of the rest can succeed. */
static uint64_t impossible_size(struct random *random)
{
    switch (random_below(random, 8)) {
    case 0:
    case 1:
    case 2:
        return SIZE_MAX - any_magnitude(random, 22);
    case 3:
    case 4:
        return PTRDIFF_MAX - any_magnitude(random, 13);
    case 5:
        return (uint64_t)PTRDIFF_MAX + 1 + any_magnitude(random, 13);
    case 6:
        return power_draw(random, 47, 63) + random_below(random, 1025);
    default:
        return SIZE_MAX - shake(power_draw(random, 4, 63), 8, random);
    }
}

static const struct {
    unsigned weight;
    uint64_t (*draw)(struct random *random);
} SIZE_FAMILIES[] = {
    {170, zero_size}, {380, tiny_size},       {200, small_size},   {90, class_size},
    {19, page_size},  {1, medium_size},       {7, threshold_size}, {2, large_size},
    {1, huge_size},   {130, impossible_size},
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
    uint64_t ticket = random_below(random, 128);
    if (ticket < 73)
        return 1 + tiny_size(random);
    if (ticket < 111)
        return 1 + small_size(random);
    if (ticket < 121)
        return class_size(random);
    if (ticket < 123)
        return page_size(random);
    return ticket < 124 ? paged_size_draw(random, 4, 32) : paged_size_draw(random, 16, 48);
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

/* The request can succeed, but at great cost: the mutator does not make it on purpose. */
static bool is_dear(const struct trace_op *op)
{
    bool is_mapped = op->size - BEYOND_32_BITS <= BEYOND_MAX &&
                     (trace_op_traits(op->kind) & (OP_HAS_COUNT | OP_ZEROES)) == 0;
    return op->size_base == SIZE_EXACT && op->size > ((uint64_t)1 << 25) + PAGE &&
           op->size < (uint64_t)1 << 46 && !is_mapped;
}

static bool is_product(const struct trace_op *op)
{
    return trace_op_traits(op->kind) & OP_HAS_COUNT && op->extra > FACTOR_MIN;
}

/* Multiplied by a count that was drawn for another size, it may be expensive. A chain of such calls
 * on one block grows by their product. */
static void count_fit(struct trace_op *op)
{
    bool is_large = op->size_base != SIZE_EXACT || op->size > 1024;
    if (trace_op_traits(op->kind) & OP_HAS_COUNT && op->extra > 2 && is_large)
        op->extra = 1;
}

/* What is cut to 32 bits shows by its addresses alone. */
static uint64_t above_32_bits(struct random *random)
{
    return BEYOND_32_BITS + any_magnitude(random, 16);
}

void size_draw(struct trace_op *op, struct random *random)
{
    if (is_product(op)) /* and this is the other factor, until now */
        op->extra = 1;
    op->size_base = SIZE_EXACT;
    op->size_slot = 0;
    if (random_once_in(random, 10))
        relative_size_draw(op, random);
    else if (trace_op_traits(op->kind) & OP_HAS_ALIGNMENT &&
             random_once_in(random, op->extra <= 1024 ? 3 : 32))
        op->size = aligned_size_draw(op->extra, random);
    else
        op->size = exact_size_draw(random);
    if (op->size_base == SIZE_EXACT && random_once_in(random, 1024))
        op->size = above_32_bits(random);
    if (is_dear(op)) /* beside a large alignment, or a factor */
        op->size = tiny_size(random);
    count_fit(op);
}

void size_keep(struct trace_op *op, const struct trace_op *other)
{
    if (is_product(op) || is_dear(other))
        return;
    op->size = other->size;
    op->size_base = other->size_base;
    op->size_slot = other->size_slot;
    count_fit(op);
}

/* Alignments, counts, numbers. */

/* Below a page, around pages, and as regions, huge pages and arenas are aligned: each has code of
 * its own. */
static uint64_t alignment_draw(struct random *random)
{
    static const uint64_t BAD[] = {
        0, 3, 7, 12, 24, 48, 100, PAGE - 1, PAGE + 1, (uint64_t)1 << 63, SIZE_MAX};
    uint64_t ticket = random_below(random, 100);
    if (ticket < 40)
        return power_draw(random, 0, 9);
    if (ticket < 60)
        return power_draw(random, 10, 16);
    if (ticket < 88)
        return power_draw(random, 16, 25);
    return ticket < 95 ? power_draw(random, 26, 63) : BAD[random_below(random, COUNT_OF(BAD))];
}

/* Beside a size that is large already, two are enough. */
static uint64_t count_draw(const struct trace_op *op, struct random *random)
{
    static const uint64_t LARGE[] = {32, 64, 100, 128, 256, 1000};
    if (op->size_base != SIZE_EXACT || op->size > 1024)
        return random_below(random, 3);
    if (op->size > 128)
        return random_below(random, 9);
    return random_once_in(random, 32) ? LARGE[random_below(random, COUNT_OF(LARGE))]
                                      : random_below(random, 17);
}

/* Two factors near 2^64 or 2^63, either way round; the wrapped product must be small, or nobody
 * would notice. */
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
    if (kind == OP_SBRK)
        return random_once_in(random, 2) ? PAGE : 16 + 16 * random_below(random, 64);
    return kind == OP_FAIL_OS ? random_between(random, 1, 6) : random_below(random, 4);
}

void extra_draw(struct trace_op *op, struct random *random)
{
    unsigned traits = trace_op_traits(op->kind);
    if (is_dear(op)) /* a factor, until now */
        op->size = tiny_size(random);
    if (traits & OP_HAS_ALIGNMENT)
        op->extra = alignment_draw(random);
    else if (traits & OP_HAS_COUNT && random_once_in(random, 6))
        product_draw(op, random);
    else if (traits & OP_HAS_COUNT)
        op->extra = count_draw(op, random);
    else if (traits & OP_HAS_NUMBER)
        op->extra = number_draw(op->kind, random);
}

void values_draw(struct trace_op *op, struct random *random)
{
    unsigned traits = trace_op_traits(op->kind);
    if (traits & OP_HAS_ALIGNMENT)
        extra_draw(op, random); /* first: sizes are drawn beside it */
    if (traits & OP_HAS_SIZE)
        size_draw(op, random);
    if (!(traits & OP_HAS_ALIGNMENT))
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

/* Each call of the family is frequent enough to meet the others; ops on the whole process are
 * expensive and therefore rare. */
static const uint16_t KIND_WEIGHTS[OP_KINDS] = {
    [OP_MALLOC] = 200,
    [OP_FREE] = 190,
    [OP_REALLOC] = 150,
    [OP_CALLOC] = 90,
    [OP_REALLOCARRAY] = 40,
    [OP_ALIGNED_ALLOC] = 45,
    [OP_POSIX_MEMALIGN] = 55,
    [OP_MEMALIGN] = 45,
    [OP_VALLOC] = 12,
    [OP_PVALLOC] = 12,
    [OP_FREE_SIZED] = 15,
    [OP_USABLE_SIZE] = 25,
    [OP_FREE_ALIGNED_SIZED] = 15,
    [OP_REALLOC_NULL] = 60,
    [OP_REALLOCARRAY_NULL] = 35,
    [OP_FREE_NULL] = 8,
    [OP_TRIM] = 15,
    [OP_SWEEP] = 8,
    [OP_THREAD] = 6,
    [OP_THREAD_EXIT] = 2,
    [OP_FAIL_OS] = 10,
    [OP_FORK] = 1,
    [OP_SBRK] = 1,
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
