/* SPDX-License-Identifier: MIT */
/*
 * Bytes and ops: decoding is total, encoding canonical, every code of the operand tables comes
 * back, and normalising does what it says. The text form has trace_text_test.c.
 */
#include "harness/trace/trace.h"
#include "harness/trace/trace_codes.h"
#include "harness/trace/trace_slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { OPS_MAX = 256, BYTES_MAX = OPS_MAX * TRACE_OP_BYTES_MAX, ROUNDS = 4000 };

static struct trace_op ops[OPS_MAX];
static struct trace_op again_ops[OPS_MAX];
static uint8_t bytes[BYTES_MAX];

/* Knuth's linear congruential generator, its better half. */
static uint32_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(*state >> 32);
}

static struct trace decode(const uint8_t *from, size_t length)
{
    struct trace trace = {.ops = ops, .capacity = OPS_MAX};
    trace_decode(from, length, &trace);
    return trace;
}

static void assert_well_formed(const struct trace *trace)
{
    static struct slot_set set;
    slot_set_init(&set);
    for (size_t i = 0; i < trace->count; i++)
        assert_null(slot_set_apply(&set, &trace->ops[i]));
}

static void assert_survives_encoding(const struct trace *trace)
{
    struct trace again = {.ops = again_ops, .capacity = OPS_MAX};
    size_t length = trace_encode(trace, bytes, sizeof bytes);
    assert_true(length <= sizeof bytes);
    trace_decode(bytes, length, &again);
    assert_int_equal(again.count, trace->count);
    assert_memory_equal(again.ops, trace->ops, trace->count * sizeof *trace->ops);
}

/* Encodes `op` behind a malloc of slots 0 and size_slot, so that it is well-formed, and returns the
 * length of its own records. */
static size_t op_length(struct trace_op op)
{
    struct trace_op list[3] = {{.kind = OP_MALLOC, .slot = 0}};
    size_t count = 1;
    if (op.size_slot)
        list[count++] = (struct trace_op){.kind = OP_MALLOC, .slot = op.size_slot};
    struct trace before = {.ops = list, .count = count};
    size_t length = trace_encode(&before, bytes, sizeof bytes);
    list[count++] = op;
    struct trace trace = {.ops = list, .count = count, .capacity = count};
    assert_well_formed(&trace);
    assert_survives_encoding(&trace);
    return trace_encode(&trace, bytes, sizeof bytes) - length;
}

static void random_bytes_decode_to_a_well_formed_trace_that_survives_encoding(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t input[512];
        size_t length = draw(&state) % (sizeof input + 1);
        for (size_t i = 0; i < length; i++)
            input[i] = (uint8_t)draw(&state);
        struct trace trace = decode(input, length);
        assert_true(trace.count <= length / TRACE_RECORD_SIZE);
        assert_well_formed(&trace);
        assert_survives_encoding(&trace);
    }
}

static void a_trailing_partial_record_is_ignored(void **unused)
{
    (void)unused;
    const uint8_t input[] = {OP_MALLOC, 3, 48, 0, OP_MALLOC, 4, 50};
    for (size_t length = 0; length <= sizeof input; length++)
        assert_int_equal(decode(input, length).count, length / TRACE_RECORD_SIZE);
}

static void ops_beyond_capacity_are_left_out(void **unused)
{
    (void)unused;
    const uint8_t input[] = {OP_SWEEP, 0, 0, 0, OP_FORK, 0, 0, 0, OP_SWEEP, 0, 0, 0};
    struct trace trace = {.ops = ops, .capacity = 2};
    trace_decode(input, sizeof input, &trace);
    assert_int_equal(trace.count, 2);
    assert_int_equal(trace.ops[1].kind, OP_FORK);
}

static void every_opcode_below_the_prefixes_is_an_op(void **unused)
{
    (void)unused;
    for (unsigned opcode = 0; opcode < 0xF0; opcode++) {
        const uint8_t input[] = {OP_MALLOC, 0, 1, 0, (uint8_t)opcode, 7, 5, 0};
        struct trace trace = decode(input, sizeof input);
        assert_int_equal(trace.count, 2);
        assert_int_equal(ops[1].kind, opcode % OP_KINDS);
    }
}

static void every_operand_of_every_kind_survives_encoding(void **unused)
{
    (void)unused;
    for (unsigned kind = 0; kind < OP_KINDS; kind++)
        for (unsigned operand = 0; operand <= 0xFFFF; operand++) {
            uint8_t input[] = {
                OP_MALLOC, 0, 1, 0, (uint8_t)kind, 7, (uint8_t)operand, (uint8_t)(operand >> 8)};
            struct trace trace = decode(input, sizeof input);
            assert_survives_encoding(&trace);
        }
}

static void prefixes_are_not_needed_for_what_a_narrow_code_says(void **unused)
{
    (void)unused;
    static const uint8_t KINDS[] = {OP_MALLOC, OP_CALLOC, OP_MEMALIGN};
    for (size_t i = 0; i < sizeof KINDS; i++)
        for (unsigned operand = 0; operand <= 0xFFFF; operand++) {
            struct trace_op op = {.kind = KINDS[i]};
            codes_read(&op, (uint16_t)operand, 0);
            uint16_t canonical, fixed;
            struct trace_op back = {.kind = KINDS[i]};
            assert_int_equal(codes_write(&op, &canonical), 0);
            codes_read(&back, canonical, 0);
            assert_memory_equal(&op, &back, sizeof op);
            codes_write(&back, &fixed);
            assert_int_equal(fixed, canonical);
        }
}

static void landmark_sizes_take_one_record(void **unused)
{
    (void)unused;
    static const uint64_t SIZES[] = {0,
                                     1,
                                     8191,
                                     8192,
                                     (64 << 10) - 1,
                                     64 << 10,
                                     (64 << 10) + 1,
                                     (128 << 10) - 16,
                                     128 << 10,
                                     1 << 20,
                                     (1 << 20) + 1,
                                     2 << 20,
                                     16 << 20,
                                     32 << 20,
                                     3 << 18,
                                     20480 + 31,
                                     40960 - 32,
                                     SIZE_MAX,
                                     SIZE_MAX - 4096,
                                     SIZE_MAX - 511,
                                     PTRDIFF_MAX,
                                     (uint64_t)PTRDIFF_MAX + 1,
                                     PTRDIFF_MAX - 256,
                                     (1ULL << 32) + 7,
                                     (1ULL << 63) - 8};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
        assert_int_equal(
            op_length((struct trace_op){.kind = OP_MALLOC, .slot = 9, .size = SIZES[i]}),
            TRACE_RECORD_SIZE);
}

static void sizes_relative_to_a_slot_take_one_record(void **unused)
{
    (void)unused;
    for (unsigned base = SIZE_REQUESTED; base <= SIZE_USABLE; base++)
        for (int delta = -16; delta <= 15; delta++) {
            struct trace_op op = {.kind = OP_MALLOC,
                                  .slot = 9,
                                  .size_base = (uint8_t)base,
                                  .size_slot = 255,
                                  .size = (uint64_t)(int64_t)delta};
            assert_int_equal(op_length(op), TRACE_RECORD_SIZE);
            op.size_slot = 256;
            assert_int_equal(op_length(op), 2 * TRACE_RECORD_SIZE);
        }
}

static void products_that_wrap_take_one_record(void **unused)
{
    (void)unused;
    for (unsigned exponent = 1; exponent < 64; exponent++) {
        struct trace_op op = {.kind = OP_CALLOC,
                              .slot = 9,
                              .extra = (1ULL << (64 - exponent)) + 3,
                              .size = 1ULL << exponent};
        assert_int_equal(op_length(op), TRACE_RECORD_SIZE);
        struct trace_op swapped = {
            .kind = OP_CALLOC, .slot = 9, .extra = op.size, .size = op.extra};
        assert_int_equal(op_length(swapped), TRACE_RECORD_SIZE);
        op.extra = (1ULL << (63 - exponent)) + 3;
        assert_int_equal(op_length(op), TRACE_RECORD_SIZE);
    }
}

static void alignments_and_sizes_beside_them_take_one_record(void **unused)
{
    (void)unused;
    for (unsigned exponent = 1; exponent < 48; exponent++) {
        uint64_t alignment = 1ULL << exponent;
        const uint64_t sizes[] = {alignment / 2, alignment - 1, alignment,
                                  alignment + 1, 2 * alignment, 3 * alignment};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            assert_int_equal(
                op_length((struct trace_op){
                    .kind = OP_ALIGNED_ALLOC, .slot = 9, .extra = alignment, .size = sizes[i]}),
                TRACE_RECORD_SIZE);
    }
    static const uint64_t INVALID[] = {0, 3, 24, 4097, 1ULL << 56, 1ULL << 63, SIZE_MAX};
    for (size_t i = 0; i < sizeof INVALID / sizeof *INVALID; i++)
        assert_int_equal(
            op_length((struct trace_op){
                .kind = OP_POSIX_MEMALIGN, .slot = 9, .extra = INVALID[i], .size = 64}),
            TRACE_RECORD_SIZE);
}

static void what_no_narrow_code_says_takes_the_fewest_prefixes(void **unused)
{
    (void)unused;
    static const struct {
        struct trace_op op;
        size_t records;
    } CASES[] = {
        {{.kind = OP_MALLOC, .slot = 9, .size = 8777}, 2},
        {{.kind = OP_MALLOC, .slot = 9, .size = 0x123456}, 3},
        {{.kind = OP_MALLOC, .slot = 0xFFFF, .size = 0x123456789ABCDEF0}, 6},
        {{.kind = OP_CALLOC, .slot = 9, .extra = 77, .size = 100}, 2},
        {{.kind = OP_CALLOC, .slot = 9, .extra = 4, .size = 54321}, 2},
        {{.kind = OP_CALLOC, .slot = 256, .extra = 0x1234567812345678, .size = 0x1234567812345678},
         10},
        {{.kind = OP_MEMALIGN,
          .slot = 9,
          .extra = 64,
          .size_base = SIZE_USABLE,
          .size_slot = 200,
          .size = 3},
         2},
        {{.kind = OP_FREE, .slot = 0}, 1},
        {{.kind = OP_THREAD, .extra = 0xFFFF}, 1},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_int_equal(op_length(CASES[i].op), CASES[i].records * TRACE_RECORD_SIZE);
}

static void prefixes_widen_the_next_op_only(void **unused)
{
    (void)unused;
    const uint8_t input[] = {0xF0,      0, 0x34, 0x12, 0xF7,      6, 1,  0, 0xFF, 1, 2, 0,
                             OP_MALLOC, 9, 99,   0,    OP_MALLOC, 9, 99, 0, 0xF0, 1, 5, 5};
    struct trace trace = decode(input, sizeof input);
    assert_int_equal(trace.count, 2);
    assert_int_equal(ops[0].slot, 0x1234);
    assert_int_equal(ops[0].size, 0x10002);
    assert_int_equal(ops[1].slot, 9);
    assert_int_equal(ops[1].size, 99);
}

static void a_prefix_for_a_field_that_the_op_lacks_is_ignored(void **unused)
{
    (void)unused;
    const uint8_t input[] = {0xF0, 2, 9, 9, 0xF0, 3, 9, 9, 0xF0, 0, 9, 9, OP_SWEEP, 1, 1, 1};
    const struct trace_op sweep = {.kind = OP_SWEEP};
    assert_int_equal(decode(input, sizeof input).count, 1);
    assert_memory_equal(&ops[0], &sweep, sizeof sweep);
}

static void encode_writes_nothing_when_it_does_not_fit(void **unused)
{
    (void)unused;
    struct trace_op list[] = {{.kind = OP_MALLOC, .size = 1}, {.kind = OP_FREE}};
    struct trace trace = {.ops = list, .count = 2, .capacity = 2};
    uint8_t small[8];
    memset(small, 0xAA, sizeof small);
    assert_int_equal(trace_encode(&trace, small, 7), 8);
    for (size_t i = 0; i < sizeof small; i++)
        assert_int_equal(small[i], 0xAA);
    assert_int_equal(trace_encode(&trace, small, 8), 8);
    assert_int_equal(small[2], 1);
}

static void retargeting_moves_to_the_next_slot_that_fits_and_drops_the_rest(void **unused)
{
    (void)unused;
    struct trace_op list[] = {
        /* nothing live: dropped */
        {.kind = OP_FREE, .slot = 5},
        /* nothing live: exact */
        {.kind = OP_MALLOC, .slot = 5, .size_base = SIZE_USABLE, .size_slot = 9, .size = 3},
        /* to 6, by 5, by 15 */
        {.kind = OP_MALLOC, .slot = 5, .size_base = SIZE_REQUESTED, .size_slot = 70000, .size = 99},
        /* cyclic: 5 */
        {.kind = OP_FREE, .slot = 7},
        /* no op: dropped */
        {.kind = OP_KINDS},
    };
    struct trace trace = {.ops = list, .count = 5, .capacity = 5};
    trace_normalize(&trace, NORMALIZE_RETARGET);
    assert_well_formed(&trace);
    assert_int_equal(trace.count, 3);
    assert_true(list[0].slot == 5 && list[0].size_base == SIZE_EXACT && list[0].size == 3);
    assert_true(list[1].slot == 6 && list[1].size_slot == 5 && list[1].size == 15);
    assert_true(list[2].kind == OP_FREE && list[2].slot == 5);
}

static void dropping_removes_what_is_badly_slotted_and_changes_no_slot(void **unused)
{
    (void)unused;
    struct trace_op list[] = {
        {.kind = OP_MALLOC, .slot = 5, .extra = 9},
        {.kind = OP_MALLOC, .slot = 5, .size = 2},
        {.kind = OP_FREE, .slot = 6, .size = 1},
        {.kind = OP_MALLOC, .slot = 70000},
        {.kind = OP_REALLOC, .slot = 5, .size_base = SIZE_USABLE, .size_slot = 6},
        {.kind = OP_FREE, .slot = 5, .extra = 4},
    };
    struct trace trace = {.ops = list, .count = 6, .capacity = 6};
    trace_normalize(&trace, NORMALIZE_DROP);
    assert_well_formed(&trace);
    assert_int_equal(trace.count, 2);
    assert_true(list[0].kind == OP_MALLOC && list[0].slot == 5 && list[0].extra == 0);
    assert_true(list[1].kind == OP_FREE && list[1].slot == 5 && list[1].extra == 0);
}

static void apply_refuses_what_is_not_well_formed_and_says_why(void **unused)
{
    (void)unused;
    static const struct {
        struct trace_op op;
        const char *sentence;
    } CASES[] = {
        {{.kind = OP_KINDS}, "unknown op"},
        {{.kind = OP_MALLOC, .slot = TRACE_SLOTS}, "slot out of range"},
        {{.kind = OP_MALLOC}, "slot is already live"},
        {{.kind = OP_FREE, .slot = 1}, "slot is not live"},
        {{.kind = OP_MALLOC, .slot = 1, .size_base = SIZE_USABLE, .size_slot = 2},
         "slot of a relative size is not live"},
        {{.kind = OP_MALLOC, .slot = 1, .size_base = SIZE_USABLE, .size = 16},
         "delta of a relative size out of range"},
        {{.kind = OP_THREAD, .extra = 0x10000}, "number out of range"},
        {{.kind = OP_FREE, .size = 1}, "a field that the op does not use is not 0"},
        {{.kind = OP_MALLOC, .slot = 1, .extra = 1}, "a field that the op does not use is not 0"},
        {{.kind = OP_FREE, .reserved = 1}, "a reserved field is not 0"},
    };
    static struct slot_set set;
    assert_null(slot_set_apply(&set, &(struct trace_op){.kind = OP_MALLOC}));
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_string_equal(slot_set_apply(&set, &CASES[i].op), CASES[i].sentence);
    assert_int_equal(set.count, 1);
}

static void the_slot_set_agrees_with_a_plain_array(void **unused)
{
    (void)unused;
    static struct slot_set set;
    static bool is_live[TRACE_SLOTS];
    uint64_t state = 2;
    memset(&set, 0xFF, sizeof set);
    slot_set_init(&set);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t slot = draw(&state) % (draw(&state) % 2 ? 128 : TRACE_SLOTS);
        is_live[slot] = draw(&state) % 3 > 0;
        (is_live[slot] ? slot_set_add : slot_set_remove)(&set, slot);
        uint32_t from = draw(&state) % TRACE_SLOTS, live = from, dead = from;
        while (set.count > 0 && !is_live[live])
            live = (live + 1) % TRACE_SLOTS;
        while (is_live[dead])
            dead = (dead + 1) % TRACE_SLOTS;
        assert_int_equal(slot_set_has(&set, from), is_live[from]);
        assert_true(set.count == 0 || slot_set_next_live(&set, from) == live);
        assert_int_equal(slot_set_next_dead(&set, from), dead);
    }
}

static void a_full_slot_set_takes_no_more(void **unused)
{
    (void)unused;
    static struct slot_set set;
    for (uint32_t slot = 0; slot < TRACE_SLOTS; slot++)
        slot_set_add(&set, slot);
    struct trace_op birth = {.kind = OP_MALLOC, .slot = 3};
    struct trace_op death = {.kind = OP_FREE, .slot = 65535};
    assert_false(slot_set_fit(&set, &birth));
    assert_true(slot_set_fit(&set, &death));
    assert_true(slot_set_fit(&set, &birth));
    assert_int_equal(birth.slot, 65535);
}

/* As the standard pairs them: a sized free takes only what its own kind of function made. */
static void each_free_takes_the_blocks_that_it_may(void **state)
{
    (void)state;
    static const enum op_kind sized[] = {OP_MALLOC,       OP_CALLOC,       OP_REALLOC,
                                         OP_REALLOCARRAY, OP_REALLOC_NULL, OP_REALLOCARRAY_NULL};
    unsigned may_size = 0;
    for (size_t i = 0; i < sizeof sized / sizeof sized[0]; i++)
        may_size |= 1u << sized[i];
    for (unsigned maker = 0; maker < OP_KINDS; maker++) {
        if (!(trace_op_traits(maker) & OP_HAS_SIZE))
            continue;
        assert_true(trace_op_may_free(OP_FREE, maker));
        assert_int_equal(trace_op_may_free(OP_FREE_SIZED, maker), may_size >> maker & 1);
        assert_int_equal(trace_op_may_free(OP_FREE_ALIGNED_SIZED, maker),
                         maker == OP_ALIGNED_ALLOC);
    }
}

static void time_to_touch_is_that_of_the_largest_possible_block(void **state)
{
    (void)state;
    struct trace_op asked[] = {{.kind = OP_MALLOC, .size = 64 << 20},
                               {.kind = OP_CALLOC, .extra = 3, .size = (UINT64_MAX / 3) + 1},
                               {.kind = OP_MALLOC, .size = UINT64_C(1) << 47},
                               {.kind = OP_CALLOC, .extra = 1 << 20, .size = 1 << 12}};
    const struct trace trace = {asked, 4, 4};
    assert_int_equal(trace_touch_ms(&trace, 0), 0);
    assert_int_equal(trace_touch_ms(&trace, 3), 64 * 4);
    assert_int_equal(trace_touch_ms(&trace, 4), 4096 * 4);
}

static void totals_and_alignments_are_those_of_the_function(void **state)
{
    (void)state;
    struct trace_op op = {.kind = OP_CALLOC, .extra = 3, .size = 5};
    assert_true(trace_op_total(&op) == 15);
    op.extra = UINT64_MAX / 2;
    assert_true(trace_op_total(&op) == UINT64_MAX);
    op = (struct trace_op){.kind = OP_MALLOC, .size = 4, .size_base = SIZE_REQUESTED};
    assert_true(trace_op_total(&op) == UINT64_MAX);
    assert_true(trace_op_is_alignment_valid(&op));
    op = (struct trace_op){.kind = OP_MEMALIGN, .extra = 4};
    assert_true(trace_op_is_alignment_valid(&op));
    op.kind = OP_POSIX_MEMALIGN;
    assert_false(trace_op_is_alignment_valid(&op));
    op.extra = 24;
    assert_false(trace_op_is_alignment_valid(&op));
    op.extra = 0;
    assert_false(trace_op_is_alignment_valid(&op));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bytes_decode_to_a_well_formed_trace_that_survives_encoding),
        cmocka_unit_test(a_trailing_partial_record_is_ignored),
        cmocka_unit_test(ops_beyond_capacity_are_left_out),
        cmocka_unit_test(every_opcode_below_the_prefixes_is_an_op),
        cmocka_unit_test(every_operand_of_every_kind_survives_encoding),
        cmocka_unit_test(prefixes_are_not_needed_for_what_a_narrow_code_says),
        cmocka_unit_test(landmark_sizes_take_one_record),
        cmocka_unit_test(sizes_relative_to_a_slot_take_one_record),
        cmocka_unit_test(products_that_wrap_take_one_record),
        cmocka_unit_test(alignments_and_sizes_beside_them_take_one_record),
        cmocka_unit_test(what_no_narrow_code_says_takes_the_fewest_prefixes),
        cmocka_unit_test(prefixes_widen_the_next_op_only),
        cmocka_unit_test(a_prefix_for_a_field_that_the_op_lacks_is_ignored),
        cmocka_unit_test(encode_writes_nothing_when_it_does_not_fit),
        cmocka_unit_test(retargeting_moves_to_the_next_slot_that_fits_and_drops_the_rest),
        cmocka_unit_test(dropping_removes_what_is_badly_slotted_and_changes_no_slot),
        cmocka_unit_test(apply_refuses_what_is_not_well_formed_and_says_why),
        cmocka_unit_test(the_slot_set_agrees_with_a_plain_array),
        cmocka_unit_test(a_full_slot_set_takes_no_more),
        cmocka_unit_test(each_free_takes_the_blocks_that_it_may),
        cmocka_unit_test(time_to_touch_is_that_of_the_largest_possible_block),
        cmocka_unit_test(totals_and_alignments_are_those_of_the_function),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
