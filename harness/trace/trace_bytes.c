/* SPDX-License-Identifier: MIT */
/*
 * Bytes to ops and back. A record is {opcode, slot, operand low, operand high}; the operand's codes
 * are in trace_codes.c.
 *
 *   opcode  00..EF   an op of kind opcode mod OP_KINDS                       canonical: the kind
 *           F0..FF   a prefix of the next op                                 canonical: F0
 *
 *   a prefix widens one field: the slot byte mod 5 picks it, the 16-bit value is shifted in at its
 *   low end, so that the most significant comes first. Its presence makes the field exact and
 *   replaces the narrow code of that field alone:
 *     0  slot             one value
 *     1  size             1 to 4 values; size_base is then SIZE_EXACT, unless a prefix 3 or 4 is
 *        there too
 *     2  extra            1 to 4 values (a number takes the low 16 bits)
 *     3  requested slot   one value: size_base is SIZE_REQUESTED, size_slot this; the delta is the
 *        operand's low five bits
 *     4  usable slot      likewise with SIZE_USABLE; wins over 3
 *   A field that the op does not take is ignored, so are prefixes at the end.
 *
 * Total: whatever the bytes, slots move to the next that fit (slot_set_fit) and ops that fit
 * nowhere disappear. Canonical form: the narrow code wherever it says the op, else the fewest
 * prefixes in the order of their fields; unused bytes are 0.
 */
#include "harness/trace/trace.h"

#include "harness/trace/trace_codes.h"
#include "harness/trace/trace_slots.h"

enum { PREFIX_OPCODE = 0xF0, PREFIX_BITS = 16 };

enum prefix_field {
    PREFIX_SLOT,
    PREFIX_SIZE,
    PREFIX_EXTRA,
    PREFIX_REQUESTED,
    PREFIX_USABLE,
    PREFIX_FIELDS
};
_Static_assert(1 + 4 + 4 + 1 <= TRACE_OP_BYTES_MAX / TRACE_RECORD_SIZE,
               "slot, size and extra in full, and the op");

/* Prefixes read so far; a value counts only if its bit in `present` is set. */
struct prefixes {
    uint64_t value[PREFIX_FIELDS];
    unsigned present;
};

static bool has_prefix(const struct prefixes *prefixes, enum prefix_field field)
{
    return (prefixes->present >> field & 1) != 0;
}

static uint16_t record_operand(const uint8_t *record)
{
    return (uint16_t)(record[2] | record[3] << 8);
}

static void prefixes_add(struct prefixes *prefixes, const uint8_t *record)
{
    enum prefix_field field = record[1] % PREFIX_FIELDS;
    uint64_t before = has_prefix(prefixes, field) ? prefixes->value[field] : 0;
    prefixes->value[field] = before << PREFIX_BITS | record_operand(record);
    prefixes->present |= 1U << field;
}

/* Puts what the prefixes say into op and returns the fields that codes_read is to leave alone. */
static unsigned prefixes_apply(const struct prefixes *prefixes, unsigned traits,
                               struct trace_op *op)
{
    unsigned exact = 0;
    if (has_prefix(prefixes, PREFIX_EXTRA) && traits & OP_TAKES_EXTRA) {
        op->extra = prefixes->value[PREFIX_EXTRA] & (traits & OP_HAS_NUMBER ? 0xFFFF : UINT64_MAX);
        exact |= EXACT_EXTRA;
    }
    if (!(traits & OP_HAS_SIZE))
        return exact;
    bool is_usable = has_prefix(prefixes, PREFIX_USABLE);
    if (is_usable || has_prefix(prefixes, PREFIX_REQUESTED)) {
        op->size_base = is_usable ? SIZE_USABLE : SIZE_REQUESTED;
        op->size_slot =
            (uint32_t)(prefixes->value[is_usable ? PREFIX_USABLE : PREFIX_REQUESTED] % TRACE_SLOTS);
        exact |= EXACT_SIZE | EXACT_BASE;
    } else if (has_prefix(prefixes, PREFIX_SIZE)) {
        op->size = prefixes->value[PREFIX_SIZE];
        exact |= EXACT_SIZE;
    }
    return exact;
}

/* Fills in place: a copy through the stack would wait for its own stores. */
static void op_read(const uint8_t *record, const struct prefixes *prefixes, struct trace_op *ret_op)
{
    *ret_op = (struct trace_op){.kind = record[0] % OP_KINDS};
    unsigned traits = trace_op_traits(ret_op->kind);
    unsigned exact = prefixes->present ? prefixes_apply(prefixes, traits, ret_op) : 0;
    codes_read(ret_op, record_operand(record), exact);
    if (traits & OP_TAKES_SLOT)
        ret_op->slot = has_prefix(prefixes, PREFIX_SLOT)
                           ? (uint32_t)(prefixes->value[PREFIX_SLOT] % TRACE_SLOTS)
                           : record[1];
}

void trace_decode(const uint8_t *bytes, size_t length, struct trace *ret_trace)
{
    struct slot_set set;
    slot_set_init(&set);
    struct prefixes prefixes = {.present = 0};
    size_t count = 0;
    for (size_t at = 0; length - at >= TRACE_RECORD_SIZE && count < ret_trace->capacity;
         at += TRACE_RECORD_SIZE) {
        if (bytes[at] >= PREFIX_OPCODE) {
            prefixes_add(&prefixes, bytes + at);
            continue;
        }
        op_read(bytes + at, &prefixes, &ret_trace->ops[count]);
        count += slot_set_fit(&set, &ret_trace->ops[count]);
        prefixes.present = 0;
    }
    ret_trace->count = count;
}

static uint8_t *record_write(uint8_t *at, unsigned opcode, unsigned slot, unsigned operand)
{
    at[0] = (uint8_t)opcode;
    at[1] = (uint8_t)slot;
    at[2] = (uint8_t)operand;
    at[3] = (uint8_t)(operand >> 8);
    return at + TRACE_RECORD_SIZE;
}

static uint8_t *prefix_write(uint8_t *at, enum prefix_field field, uint64_t value)
{
    unsigned shift = 3 * PREFIX_BITS;
    while (shift > 0 && value >> shift == 0)
        shift -= PREFIX_BITS;
    for (;; shift -= PREFIX_BITS) {
        at = record_write(at, PREFIX_OPCODE, field, (unsigned)(value >> shift & 0xFFFF));
        if (shift == 0)
            return at;
    }
}

/* Returns the length of the op's records, and touches no byte behind them. */
static size_t op_write(const struct trace_op *op, uint8_t *ret_bytes)
{
    uint16_t operand;
    unsigned exact = codes_write(op, &operand);
    uint8_t *at = ret_bytes;
    if (op->slot >= TRACE_NARROW_SLOTS)
        at = prefix_write(at, PREFIX_SLOT, op->slot);
    if (exact & EXACT_SIZE)
        at = prefix_write(at, PREFIX_SIZE, op->size);
    if (exact & EXACT_EXTRA)
        at = prefix_write(at, PREFIX_EXTRA, op->extra);
    if (exact & EXACT_BASE)
        at = prefix_write(at, op->size_base == SIZE_REQUESTED ? PREFIX_REQUESTED : PREFIX_USABLE,
                          op->size_slot);
    at = record_write(at, op->kind, op->slot < TRACE_NARROW_SLOTS ? op->slot : 0, operand);
    return (size_t)(at - ret_bytes);
}

static size_t encoded_length(const struct trace *trace)
{
    uint8_t records[TRACE_OP_BYTES_MAX];
    size_t length = 0;
    for (size_t i = 0; i < trace->count; i++)
        length += op_write(&trace->ops[i], records);
    return length;
}

/* The exact length matters only where the worst case would not fit. */
size_t trace_encode(const struct trace *trace, uint8_t *ret_bytes, size_t capacity)
{
    if (trace->count > capacity / TRACE_OP_BYTES_MAX) {
        size_t needed = encoded_length(trace);
        if (needed > capacity)
            return needed;
    }
    size_t length = 0;
    for (size_t i = 0; i < trace->count; i++)
        length += op_write(&trace->ops[i], ret_bytes + length);
    return length;
}
