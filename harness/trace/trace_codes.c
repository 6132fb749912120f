/* SPDX-License-Identifier: MIT */
/*
 * Codes of the 16-bit operand. A random operand should often be an interesting size, seldom a huge
 * one that could be had (those cost a fuzzer its speed), and every landmark should be one mutation
 * from its neighbours. Several codes may mean the same; the canonical one is that of the family
 * that stands first. d is a signed delta.
 *
 *   op takes only a size (16 bits)                             share
 *     0000  exact 0..8191                                      12 %
 *     2000  8192 + 16 n, up to 139248                          12 %   both sides of the usual mmap
 *           threshold
 *     4000  requested size of slot 0..255, d -16..15           12 %   same bin, one class on,
 *           realloc to the same
 *     6000  usable size of slot 0..255, d -16..15              12 %
 *     8000  16, 20, 24, 28, 32, 40 … 917504, d -32..31          6 %   four steps a doubling: where
 *           size classes lie
 *     9000  1..64 pages, d -32..31                              6 %
 *     A000  2^0..2^63, d -8..7                                1.6 %
 *     A400  SIZE_MAX - (2^0..2^63 + d), d -8..7               1.6 %   rounding up wraps; below 2^63
 *           and above
 *     A800  SIZE_MAX - 511..0                                 0.8 %
 *     AA00  PTRDIFF_MAX - 256..255                            0.8 %
 *     AC00  exact, modulo 1024                            33 %
 *
 *   op takes a count and a size: bit 15 clear: count code (5 bits), size code (10 bits)
 *     count   0..23, 32, 64, 100, 128, 256, 1000, 1024, 4096
 *     size    000  exact 0..511               200  2^4..2^19, d -4..3      280  2^0..2^63, d -1..0
 *             300  requested size of slot 0..127
 *             380  usable size of slot 0..63  3C0  SIZE_MAX - 31..0        3E0  PTRDIFF_MAX -
 *                  16..15
 *   bit 15 set: a product near a power of two: variant (2 bits), swap (1 bit), k (6 bits), e (6
 *   bits, 0 means 32); size is 2^e
 *     0  count 2^(64-e) + k      product wraps to k 2^e         1  count 2^(63-e) + k      2^63 + k
 *        2^e: no wrap, above PTRDIFF_MAX
 *     2  count 2^(64-e) - 1 - k  just below the wrap            3  count 2^(63-e) - 1 - k  just
 *        below 2^63
 *
 *   op takes an alignment a and a size: alignment code (6 bits), size code (10 bits)
 *     alignment  2^0..2^47, then ODD_ALIGNMENTS below
 *     size    as above, but 300  a/2, a, 3a/2, 2a, 5a/2, 3a, 4a, 8a, d -8..7      380  requested
 *             size of slot 0..31      3A0  usable size of those
 *
 *   op takes a number: the operand is the number. Other ops: 0.
 */
#include "harness/trace/trace_codes.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum {
    DELTA_BITS = 5,
    SIZE_BITS = 10,
    SIZE_MASK = (1 << SIZE_BITS) - 1,
    PRODUCT_BIT = 0x8000,
    SMALL_CODES = 0xAC00,
    SMALL_SIZES = 1024
};

enum family_form {
    FORM_LINEAR,    /* start + step · high + d, step a power of two */
    FORM_SLOT,      /* size_base, slot high, d */
    FORM_QUARTER,   /* (4 + high mod 4) · 2^(start - 2 + high / 4) + d */
    FORM_POWER,     /* 2^(start + high) + d */
    FORM_BELOW_MAX, /* SIZE_MAX - 2^high - d */
    FORM_RELATIVE   /* HALVES[high] · a/2 + d */
};

/* A code counts from first: high bits, then delta_bits of delta. The form is the only thing that a
 * random code makes the processor guess. */
struct family {
    uint32_t first;
    uint8_t form;
    uint8_t delta_bits;
    uint8_t size_base;
    uint64_t start;
    uint64_t step;
};

/* Families in the order of their codes. Codes from `end` on mean small exact sizes and are never
 * written. */
struct code_table {
    uint32_t end;
    uint32_t count;
    const struct family *families;
};

static const struct family SIZE_FAMILIES[] = {
    {0x0000, FORM_LINEAR, 0, SIZE_EXACT, 0, 1},
    {0x2000, FORM_LINEAR, 0, SIZE_EXACT, 8192, 16},
    {0x4000, FORM_SLOT, 5, SIZE_REQUESTED, 0, 0},
    {0x6000, FORM_SLOT, 5, SIZE_USABLE, 0, 0},
    {0x8000, FORM_QUARTER, 6, SIZE_EXACT, 4, 0},
    {0x9000, FORM_LINEAR, 6, SIZE_EXACT, 4096, 4096},
    {0xA000, FORM_POWER, 4, SIZE_EXACT, 0, 0},
    {0xA400, FORM_BELOW_MAX, 4, SIZE_EXACT, 0, 0},
    {0xA800, FORM_LINEAR, 0, SIZE_EXACT, SIZE_MAX - 511, 1},
    {0xAA00, FORM_LINEAR, 0, SIZE_EXACT, PTRDIFF_MAX - 256, 1},
};

static const struct family COUNTED_FAMILIES[] = {
    {0x000, FORM_LINEAR, 0, SIZE_EXACT, 0, 1},
    {0x200, FORM_POWER, 3, SIZE_EXACT, 4, 0},
    {0x280, FORM_POWER, 1, SIZE_EXACT, 0, 0},
    {0x300, FORM_SLOT, 0, SIZE_REQUESTED, 0, 0},
    {0x380, FORM_SLOT, 0, SIZE_USABLE, 0, 0},
    {0x3C0, FORM_LINEAR, 0, SIZE_EXACT, SIZE_MAX - 31, 1},
    {0x3E0, FORM_LINEAR, 0, SIZE_EXACT, PTRDIFF_MAX - 16, 1},
};

static const struct family ALIGNED_FAMILIES[] = {
    {0x000, FORM_LINEAR, 0, SIZE_EXACT, 0, 1},
    {0x200, FORM_POWER, 3, SIZE_EXACT, 4, 0},
    {0x280, FORM_POWER, 1, SIZE_EXACT, 0, 0},
    {0x300, FORM_RELATIVE, 4, SIZE_EXACT, 0, 0},
    {0x380, FORM_SLOT, 0, SIZE_REQUESTED, 0, 0},
    {0x3A0, FORM_SLOT, 0, SIZE_USABLE, 0, 0},
    {0x3C0, FORM_LINEAR, 0, SIZE_EXACT, SIZE_MAX - 31, 1},
    {0x3E0, FORM_LINEAR, 0, SIZE_EXACT, PTRDIFF_MAX - 16, 1},
};

static const struct code_table SIZE_CODES = {SMALL_CODES, COUNT_OF(SIZE_FAMILIES), SIZE_FAMILIES};
static const struct code_table COUNTED_CODES = {1 << SIZE_BITS, COUNT_OF(COUNTED_FAMILIES),
                                                COUNTED_FAMILIES};
static const struct code_table ALIGNED_CODES = {1 << SIZE_BITS, COUNT_OF(ALIGNED_FAMILIES),
                                                ALIGNED_FAMILIES};

static const uint64_t HALVES[] = {1, 2, 3, 4, 5, 6, 8, 16};

enum { EXACT_COUNTS = 24, POWER_ALIGNMENTS = 48 };
static const uint64_t LARGE_COUNTS[] = {32, 64, 100, 128, 256, 1000, 1024, 4096};
static const uint64_t ODD_ALIGNMENTS[] = {0,
                                          3,
                                          5,
                                          7,
                                          12,
                                          24,
                                          48,
                                          100,
                                          4095,
                                          4097,
                                          (1ULL << 32) + 16,
                                          1ULL << 56,
                                          1ULL << 62,
                                          1ULL << 63,
                                          (1ULL << 63) + 1,
                                          SIZE_MAX};
_Static_assert(EXACT_COUNTS + COUNT_OF(LARGE_COUNTS) == 1 << (15 - SIZE_BITS),
               "every count code means something");
_Static_assert(POWER_ALIGNMENTS + COUNT_OF(ODD_ALIGNMENTS) == 1 << (16 - SIZE_BITS),
               "every alignment code means something");

static uint64_t power(uint64_t exponent)
{
    return (uint64_t)1 << (exponent % 64);
}

/* Of a value above 0. */
static unsigned log2_floor(uint64_t value)
{
    return 63U - (unsigned)__builtin_clzll(value);
}

static uint64_t half_range(const struct family *family)
{
    return family->delta_bits ? power(family->delta_bits - 1) : 0;
}

/* Reading: code to size. Deltas are two's complement in uint64_t. */

static void family_read(const struct family *family, uint64_t index, struct trace_op *op)
{
    uint64_t high = index >> family->delta_bits;
    uint64_t delta = (index & (power(family->delta_bits) - 1)) - half_range(family);
    op->size = family->start + family->step * high + delta;
    op->size_base = family->size_base;
    op->size_slot = family->size_base ? (uint32_t)high : 0;
    switch (family->form) {
    case FORM_QUARTER:
        op->size = ((4 + high % 4) << (family->start - 2 + high / 4)) + delta;
        break;
    case FORM_POWER:
        op->size = power(family->start + high) + delta;
        break;
    case FORM_BELOW_MAX:
        op->size = SIZE_MAX - power(high) - delta;
        break;
    case FORM_RELATIVE:
        op->size = HALVES[high % COUNT_OF(HALVES)] * (op->extra / 2) + delta;
        break;
    default:
        break;
    }
}

/* Finds the family without a branch on the code: a random one would often be guessed wrong. */
static void size_read(const struct code_table *table, unsigned code, struct trace_op *op)
{
    unsigned known = code < table->end ? code : (code - table->end) % SMALL_SIZES;
    uint32_t last = 0;
    for (uint32_t i = 1; i < table->count; i++)
        last += (uint32_t)(table->families[i].first <= known);
    family_read(&table->families[last], known - table->families[last].first, op);
}

static uint64_t count_read(unsigned code)
{
    return code < EXACT_COUNTS ? code : LARGE_COUNTS[code - EXACT_COUNTS];
}

static uint64_t alignment_read(unsigned code)
{
    return code < POWER_ALIGNMENTS ? power(code) : ODD_ALIGNMENTS[code - POWER_ALIGNMENTS];
}

struct product {
    unsigned variant, swap, k, e;
};

static void product_read(unsigned code, uint64_t *ret_count, uint64_t *ret_size)
{
    struct product product = {code >> 13 & 3, code >> 12 & 1, code >> 6 & 63, code & 63};
    uint64_t exponent = product.e ? product.e : 32;
    uint64_t many = power((product.variant & 1 ? 63 : 64) - exponent);
    many = product.variant & 2 ? many - 1 - product.k : many + product.k;
    *ret_count = product.swap ? power(exponent) : many;
    *ret_size = product.swap ? many : power(exponent);
}

static uint64_t delta_read(unsigned operand)
{
    uint64_t low = operand & (power(DELTA_BITS) - 1);
    return (low ^ power(DELTA_BITS - 1)) - power(DELTA_BITS - 1);
}

static void pair_read(struct trace_op *op, uint16_t operand, unsigned exact, bool is_counted)
{
    uint64_t count;
    if (is_counted && operand & PRODUCT_BIT) {
        uint64_t size;
        product_read(operand, &count, &size);
        op->extra = exact & EXACT_EXTRA ? op->extra : count;
        op->size = exact & EXACT_SIZE ? op->size : size;
        return;
    }
    if (!(exact & EXACT_EXTRA))
        op->extra =
            is_counted ? count_read(operand >> SIZE_BITS) : alignment_read(operand >> SIZE_BITS);
    if (!(exact & (EXACT_SIZE | EXACT_BASE)))
        size_read(is_counted ? &COUNTED_CODES : &ALIGNED_CODES, operand & SIZE_MASK, op);
}

void codes_read(struct trace_op *op, uint16_t operand, unsigned exact)
{
    unsigned traits = trace_op_traits(op->kind);
    if (!(traits & (OP_HAS_SIZE | OP_HAS_NUMBER)))
        return;
    if (traits & (OP_HAS_COUNT | OP_HAS_ALIGNMENT))
        pair_read(op, operand, exact, traits & OP_HAS_COUNT);
    else if (traits & OP_HAS_SIZE && !(exact & (EXACT_SIZE | EXACT_BASE)))
        size_read(&SIZE_CODES, operand, op);
    else if (traits & OP_HAS_NUMBER && !(exact & EXACT_EXTRA))
        op->extra = operand;
    if (traits & OP_HAS_SIZE && exact & EXACT_BASE)
        op->size = delta_read(operand);
}

/* Writing: each family proposes the only index that could mean op's size; reading it back
 * decides. */

static uint64_t power_index(const struct family *family, uint64_t value)
{
    /* the base is the last that is not above this, unless the sum wrapped */
    uint64_t above = value + half_range(family);
    unsigned exponent = above ? log2_floor(above) : 0;
    return (exponent - family->start) << family->delta_bits | (above - power(exponent));
}

static uint64_t quarter_index(const struct family *family, uint64_t value)
{
    uint64_t above = value + half_range(family);
    unsigned exponent = log2_floor(above | 4);
    uint64_t step = above >> (exponent - 2);
    return (4 * (exponent - family->start) + step % 4) << family->delta_bits |
           (above - (step << (exponent - 2)));
}

static uint64_t linear_index(const struct family *family, uint64_t value)
{
    uint64_t above = value - family->start + half_range(family);
    return above >> __builtin_ctzll(family->step) << family->delta_bits |
           (above & (family->step - 1));
}

static uint64_t relative_index(const struct family *family, const struct trace_op *op)
{
    for (uint64_t high = 0; high < COUNT_OF(HALVES); high++) {
        uint64_t above = op->size - HALVES[high] * (op->extra / 2) + half_range(family);
        if (above >> family->delta_bits == 0)
            return high << family->delta_bits | above;
    }
    return UINT64_MAX;
}

static uint64_t family_index(const struct family *family, const struct trace_op *op)
{
    switch (family->form) {
    case FORM_SLOT:
        return (uint64_t)op->size_slot << family->delta_bits | (op->size + half_range(family));
    case FORM_QUARTER:
        return quarter_index(family, op->size);
    case FORM_POWER:
        return power_index(family, op->size);
    case FORM_BELOW_MAX:
        return power_index(family, SIZE_MAX - op->size);
    case FORM_RELATIVE:
        return relative_index(family, op);
    default:
        return linear_index(family, op->size);
    }
}

static bool size_write(const struct code_table *table, const struct trace_op *op,
                       unsigned *ret_code)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct family *family = &table->families[i];
        if (family->size_base != op->size_base)
            continue;
        uint64_t index = family_index(family, op);
        if (index >= (i + 1 < table->count ? family[1].first : table->end) - family->first)
            continue;
        struct trace_op again = {.extra = op->extra};
        family_read(family, index, &again);
        if (again.size == op->size && again.size_slot == op->size_slot) {
            *ret_code = family->first + (unsigned)index;
            return true;
        }
    }
    return false;
}

static bool find(const uint64_t *values, size_t count, uint64_t value, unsigned *ret_index)
{
    for (unsigned i = 0; i < count; i++)
        if (values[i] == value) {
            *ret_index = i;
            return true;
        }
    return false;
}

static bool count_write(uint64_t count, unsigned *ret_code)
{
    unsigned index = (unsigned)count;
    if (count >= EXACT_COUNTS) {
        if (!find(LARGE_COUNTS, COUNT_OF(LARGE_COUNTS), count, &index))
            return false;
        index += EXACT_COUNTS;
    }
    *ret_code = index;
    return true;
}

static bool alignment_write(uint64_t alignment, unsigned *ret_code)
{
    unsigned index;
    if (alignment && (alignment & (alignment - 1)) == 0 &&
        log2_floor(alignment) < POWER_ALIGNMENTS) {
        *ret_code = log2_floor(alignment);
        return true;
    }
    if (!find(ODD_ALIGNMENTS, COUNT_OF(ODD_ALIGNMENTS), alignment, &index))
        return false;
    *ret_code = POWER_ALIGNMENTS + index;
    return true;
}

static bool product_write(const struct trace_op *op, uint16_t *ret_operand)
{
    for (unsigned form = 0; form < 8; form++) {
        struct product product = {.variant = form >> 1, .swap = form & 1};
        uint64_t one = product.swap ? op->extra : op->size;
        uint64_t many = product.swap ? op->size : op->extra;
        if (one < 2)
            continue;
        product.e = log2_floor(one);
        uint64_t start = power((product.variant & 1 ? 63U : 64U) - product.e);
        product.k = (product.variant & 2 ? start - 1 - many : many - start) & 63;
        unsigned code =
            PRODUCT_BIT | product.variant << 13 | product.swap << 12 | product.k << 6 | product.e;
        uint64_t count, size;
        product_read(code, &count, &size);
        if (count == op->extra && size == op->size) {
            *ret_operand = (uint16_t)code;
            return true;
        }
    }
    return false;
}

static unsigned inexact_size(const struct trace_op *op)
{
    return op->size_base == SIZE_EXACT ? EXACT_SIZE : EXACT_BASE;
}

static unsigned delta_write(const struct trace_op *op)
{
    return op->size_base == SIZE_EXACT ? 0 : (unsigned)op->size & ((1 << DELTA_BITS) - 1);
}

static unsigned pair_write(const struct trace_op *op, bool is_counted, uint16_t *ret_operand)
{
    unsigned extra_code = 0;
    unsigned size_code;
    unsigned exact = 0;
    if (!(is_counted ? count_write(op->extra, &extra_code)
                     : alignment_write(op->extra, &extra_code)))
        exact |= EXACT_EXTRA;
    if (!size_write(is_counted ? &COUNTED_CODES : &ALIGNED_CODES, op, &size_code)) {
        exact |= inexact_size(op);
        size_code = delta_write(op);
    }
    if (exact && is_counted && op->size_base == SIZE_EXACT && product_write(op, ret_operand))
        return 0;
    *ret_operand = (uint16_t)(extra_code << SIZE_BITS | size_code);
    return exact;
}

unsigned codes_write(const struct trace_op *op, uint16_t *ret_operand)
{
    unsigned traits = trace_op_traits(op->kind);
    if (traits & (OP_HAS_COUNT | OP_HAS_ALIGNMENT))
        return pair_write(op, traits & OP_HAS_COUNT, ret_operand);
    unsigned code = 0;
    unsigned exact = 0;
    if (traits & OP_HAS_SIZE && !size_write(&SIZE_CODES, op, &code)) {
        exact = inexact_size(op);
        code = delta_write(op);
    }
    *ret_operand = (uint16_t)(traits & OP_HAS_NUMBER ? op->extra : code);
    return exact;
}
