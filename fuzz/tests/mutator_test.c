/* SPDX-License-Identifier: MIT */
/*
 * The mutator: whatever goes in, what comes out is canonical, well-formed and within capacity; the
 * seed alone decides; every mutation and every motif does something. Engines are not needed here.
 */
#include "fuzz/mutator.h"

#include "fuzz/mutator_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES_MAX = 4096, OPS_MAX = 2048, ROUNDS = 3000 };

static struct trace_op ops[OPS_MAX];
static struct trace_op before_ops[OPS_MAX];

static size_t random_bytes(struct random *random, uint8_t *ret_bytes, size_t most)
{
    size_t length = random_below(random, most + 1);
    for (size_t i = 0; i < length; i++)
        ret_bytes[i] = (uint8_t)random_next(random);
    return length;
}

static struct trace decode(struct trace_op *storage, const uint8_t *bytes, size_t length)
{
    struct trace trace = {.ops = storage, .capacity = OPS_MAX};
    trace_decode(bytes, length, &trace);
    return trace;
}

static void assert_well_formed(const struct trace *trace)
{
    static struct slot_set set;
    memset(&set, 0, sizeof set);
    for (size_t i = 0; i < trace->count; i++)
        assert_null(slot_set_apply(&set, &trace->ops[i]));
}

static void assert_canonical(const uint8_t *bytes, size_t length)
{
    uint8_t canonical[BYTES_MAX];
    struct trace trace = decode(ops, bytes, length);
    assert_well_formed(&trace);
    assert_int_equal(trace_encode(&trace, canonical, sizeof canonical), length);
    assert_memory_equal(canonical, bytes, length);
}

static void mutating_any_bytes_gives_canonical_bytes_within_capacity(void **unused)
{
    (void)unused;
    struct random random = {1};
    uint8_t bytes[BYTES_MAX + 1];
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t capacity = TRACE_RECORD_SIZE + random_below(&random, round % 2 ? 64 : 2048);
        size_t length = random_bytes(&random, bytes, capacity);
        bytes[capacity] = 0xA5;
        length = mutator_mutate(bytes, length, capacity, random_next(&random));
        assert_in_range(length, TRACE_RECORD_SIZE, capacity);
        assert_int_equal(bytes[capacity], 0xA5);
        assert_canonical(bytes, length);
    }
}

static void a_long_chain_of_mutations_stays_canonical_and_finds_every_op(void **unused)
{
    (void)unused;
    uint8_t bytes[BYTES_MAX];
    size_t length = 0;
    uint64_t seen = 0;
    for (uint64_t seed = 0; seed < (uint64_t)2 * ROUNDS; seed++) {
        length = mutator_mutate(bytes, length, seed % 500 == 499 ? 64 : 1024, seed);
        struct trace trace = decode(ops, bytes, length);
        for (size_t i = 0; i < trace.count; i++)
            seen |= 1ULL << trace.ops[i].kind;
        assert_canonical(bytes, length);
    }
    assert_int_equal(seen, (1ULL << OP_KINDS) - 1);
}

static void no_room_for_an_op_gives_nothing(void **unused)
{
    (void)unused;
    uint8_t bytes[TRACE_RECORD_SIZE] = {0};
    for (size_t capacity = 0; capacity < TRACE_RECORD_SIZE; capacity++)
        assert_int_equal(mutator_mutate(bytes, 0, capacity, 7), 0);
}

static void the_seed_alone_decides(void **unused)
{
    (void)unused;
    struct random random = {3};
    unsigned differences = 0;
    for (unsigned round = 0; round < 300; round++) {
        uint8_t input[256], a[1024], b[1024], other[1024];
        size_t length = random_bytes(&random, input, sizeof input);
        memcpy(a, input, length);
        memcpy(b, input, length);
        memcpy(other, input, length);
        size_t a_length = mutator_mutate(a, length, sizeof a, round);
        size_t other_length = mutator_mutate(other, length, sizeof other, round + 1000);
        assert_int_equal(mutator_mutate(b, length, sizeof b, round), a_length);
        assert_memory_equal(a, b, a_length);
        differences += other_length != a_length || memcmp(a, other, a_length) != 0;
    }
    assert_true(differences > 290);
}

/* A trace in which every mutation finds something. */
static struct trace rich_trace(struct trace_op *storage)
{
    static const uint8_t KINDS[] = {OP_MALLOC,  OP_CALLOC,         OP_MEMALIGN, OP_MALLOC,
                                    OP_REALLOC, OP_REALLOCARRAY,   OP_FREE,     OP_FAIL_OS,
                                    OP_MALLOC,  OP_POSIX_MEMALIGN, OP_FREE,     OP_THREAD};
    struct trace trace = {.ops = storage, .capacity = OPS_MAX};
    for (uint32_t i = 0; i < 24; i++) {
        struct trace_op op = {
            .kind = KINDS[i % sizeof KINDS], .slot = i, .size = 100 + i, .extra = 4};
        storage[trace.count++] = op;
    }
    trace_normalize(&trace, NORMALIZE_RETARGET);
    return trace;
}

static bool is_same(const struct trace *a, const struct trace *b)
{
    return a->count == b->count && memcmp(a->ops, b->ops, a->count * sizeof *a->ops) == 0;
}

static void every_mutation_changes_something(void **unused)
{
    (void)unused;
    for (unsigned mutation = 0; mutation < MUTATION_COUNT; mutation++) {
        unsigned changes = 0;
        for (uint64_t seed = 0; seed < 100; seed++) {
            struct random random = {seed};
            struct trace before = rich_trace(before_ops);
            struct trace trace = rich_trace(ops);
            bool is_applied = mutation_apply((enum mutation)mutation, &trace, &random);
            trace_normalize(&trace, NORMALIZE_RETARGET);
            assert_well_formed(&trace);
            changes += !is_same(&before, &trace);
            assert_true(is_applied || is_same(&before, &trace));
        }
        if (changes < 50)
            fail_msg("%s changed something in %u of 100 tries",
                     mutation_name((enum mutation)mutation), changes);
    }
}

static void every_mutation_is_picked(void **unused)
{
    (void)unused;
    struct random random = {5};
    unsigned picks[MUTATION_COUNT] = {0};
    for (unsigned i = 0; i < 10000; i++)
        picks[mutation_pick(&random)]++;
    for (unsigned mutation = 0; mutation < MUTATION_COUNT; mutation++)
        assert_true(picks[mutation] > 50);
}

static void mutations_of_an_empty_or_full_trace_leave_it_intact(void **unused)
{
    (void)unused;
    for (unsigned mutation = 0; mutation < MUTATION_COUNT; mutation++)
        for (uint64_t seed = 0; seed < 50; seed++) {
            struct random random = {seed};
            struct trace empty = {.ops = ops, .capacity = 0};
            assert_false(mutation_apply((enum mutation)mutation, &empty, &random));
            assert_int_equal(empty.count, 0);
            struct trace full = rich_trace(ops);
            full.capacity = full.count;
            mutation_apply((enum mutation)mutation, &full, &random);
            assert_true(full.count <= full.capacity);
        }
}

static void every_motif_is_well_formed_as_it_stands(void **unused)
{
    (void)unused;
    struct random random = {6};
    uint32_t slots[STORY_SLOTS];
    for (uint32_t i = 0; i < STORY_SLOTS; i++)
        slots[i] = i;
    for (size_t index = 0; index < motif_count(); index++) {
        struct trace trace = {.ops = ops, .capacity = STORY_OPS_MAX};
        trace.count = motif_write_index(index, 100, slots, ops, &random);
        assert_in_range(trace.count, 2, STORY_OPS_MAX);
        assert_well_formed(&trace);
    }
    for (unsigned i = 0; i < 100; i++) {
        struct trace trace = {.ops = ops, .capacity = STORY_OPS_MAX};
        trace.count = comb_write(ops, slots, &random);
        assert_in_range(trace.count, 8, STORY_OPS_MAX);
        assert_well_formed(&trace);
    }
}

/* From there on a block is mapped, and not touched whole. */
#define MAPPED_MIN (1ULL << 32)

static void drawn_sizes_are_mostly_small_and_seldom_costly(void **unused)
{
    (void)unused;
    struct random random = {7};
    unsigned zero = 0, small = 0, paged = 0, large = 0, costly = 0, beyond = 0, dear = 0,
             impossible = 0;
    for (unsigned i = 0; i < 20000; i++) {
        struct trace_op op = {.kind = OP_MALLOC};
        size_draw(&op, &random);
        if (op.size_base != SIZE_EXACT)
            continue;
        zero += op.size == 0;
        small += op.size <= 1024;
        paged += op.size >= 4096 && op.size <= (1 << 20) + 64;
        large += op.size > 32 << 10 && op.size <= (1 << 20) + 64;
        costly += op.size > (1 << 20) + 64 && op.size <= (32 << 20) + 64;
        beyond += op.size >= MAPPED_MIN && op.size <= MAPPED_MIN + 65536;
        dear += op.size > (32 << 20) + 64 && op.size < MAPPED_MIN;
        dear += op.size > MAPPED_MIN + 65536 && op.size < 1ULL << 46;
        impossible += op.size >= 1ULL << 46;
    }
    assert_in_range(zero, 2500, 3800);
    assert_in_range(small, 14000, 16000); /* more than four in five of those that can be had */
    assert_in_range(paged, 250, 800);
    assert_in_range(large, 80, 250); /* one in a hundred and twenty */
    assert_in_range(costly, 5, 50);
    assert_in_range(beyond, 5, 50);
    assert_int_equal(dear, 0);
    assert_in_range(impossible, 1800, 3000);
}

/* Bytes that the trace asks for and may touch; sizes relative to blocks are left out. */
static uint64_t asked_in_sum(const struct trace *trace)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_op *op = &trace->ops[i];
        uint64_t size = op->size_base == SIZE_EXACT ? op->size : 0;
        bool is_product = trace_op_traits(op->kind) & OP_HAS_COUNT;
        if (__builtin_mul_overflow(size, is_product ? op->extra : 1, &size) || size >= MAPPED_MIN)
            continue;
        sum += size;
    }
    return sum;
}

/* A fuzzer executes thousands of these a second: half of the traces must fit into a few pages, and
 * none may ask for gigabytes. */
static void grown_traces_ask_for_little(void **unused)
{
    (void)unused;
    enum { GROWN = 400 };
    uint64_t seed = 0;
    unsigned light = 0, medium = 0;
    for (unsigned round = 0; round < GROWN; round++) {
        uint8_t bytes[BYTES_MAX];
        size_t length = 0;
        while (mutator_count_ops(bytes, length) < 64)
            length = mutator_mutate(bytes, length, BYTES_MAX, seed++);
        struct trace trace = decode(ops, bytes, length);
        trace.count = 64;
        uint64_t asked = asked_in_sum(&trace);
        light += asked < 40 << 10;
        medium += asked < 2 << 20;
        assert_true(asked < 2ULL << 30);
    }
    assert_in_range(light, GROWN / 2, GROWN * 4 / 5);
    assert_in_range(medium, GROWN * 9 / 10, GROWN);
}

/* A product that wraps must keep both of its factors, and neither may be left behind alone. */
static void drawn_products_wrap_or_are_small(void **unused)
{
    (void)unused;
    struct random random = {9};
    unsigned wrapped = 0;
    for (unsigned i = 0; i < 20000; i++) {
        struct trace_op op = {.kind = i % 2 ? OP_CALLOC : OP_REALLOCARRAY};
        for (uint64_t again = random_below(&random, 4) + 1; again > 0; again--) {
            if (random_once_in(&random, 2))
                size_draw(&op, &random);
            else
                values_draw(&op, &random);
        }
        uint64_t product;
        bool is_wrapped = __builtin_mul_overflow(op.size, op.extra, &product);
        wrapped += is_wrapped && product < 1 << 20;
        assert_true(is_wrapped || op.size_base != SIZE_EXACT || product < 1 << 27 ||
                    product >= 1ULL << 46);
    }
    assert_in_range(wrapped, 500, 4000);
}

/* One side allocates, the other sweeps and trims: the kinds tell whose ops they are. */
static void crossing_yields_ops_of_both(void **unused)
{
    (void)unused;
    uint8_t a[40 * TRACE_RECORD_SIZE] = {0}, b[40 * TRACE_RECORD_SIZE] = {0}, bytes[1024];
    for (size_t i = 0; i < 40; i++) {
        a[i * TRACE_RECORD_SIZE] = OP_MALLOC;
        b[i * TRACE_RECORD_SIZE] = OP_SWEEP;
    }
    for (uint64_t seed = 0; seed < 200; seed++) {
        size_t length = mutator_cross(a, sizeof a, b, sizeof b, bytes, sizeof bytes, seed);
        assert_canonical(bytes, length);
        struct trace trace = decode(ops, bytes, length);
        size_t sweeps = 0;
        for (size_t i = 0; i < trace.count; i++)
            sweeps += trace.ops[i].kind == OP_SWEEP;
        assert_in_range(sweeps, 1, trace.count - 1);
    }
}

static void crossing_any_bytes_gives_canonical_bytes_within_capacity(void **unused)
{
    (void)unused;
    struct random random = {8};
    uint8_t a[1024], b[1024], bytes[513];
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t a_length = random_bytes(&random, a, round % 3 ? sizeof a : 4);
        size_t b_length = random_bytes(&random, b, round % 5 ? sizeof b : 4);
        size_t capacity = random_below(&random, sizeof bytes);
        bytes[capacity] = 0xA5;
        size_t length = mutator_cross(a, a_length, b, b_length, bytes, capacity, round);
        assert_true(length <= capacity);
        assert_int_equal(bytes[capacity], 0xA5);
        assert_canonical(bytes, length);
    }
}

static void deleting_ops_takes_those_that_need_them_and_changes_no_other(void **unused)
{
    (void)unused;
    uint8_t bytes[] = {OP_MALLOC, 1, 8,       0, OP_MALLOC, 2, 9,       0, OP_REALLOC, 1,
                       7,         0, OP_FREE, 2, 0,         0, OP_FREE, 1, 0,          0};
    assert_int_equal(mutator_count_ops(bytes, sizeof bytes), 5);
    assert_int_equal(mutator_delete_ops(bytes, sizeof bytes, 0, 1, bytes, sizeof bytes), 8);
    const uint8_t rest[] = {OP_MALLOC, 2, 9, 0, OP_FREE, 2, 0, 0};
    assert_memory_equal(bytes, rest, sizeof rest);
    assert_int_equal(mutator_delete_ops(bytes, 8, 5, 1, bytes, sizeof bytes), 8);
    assert_int_equal(mutator_delete_ops(bytes, 8, 1, 99, bytes, sizeof bytes), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutating_any_bytes_gives_canonical_bytes_within_capacity),
        cmocka_unit_test(a_long_chain_of_mutations_stays_canonical_and_finds_every_op),
        cmocka_unit_test(no_room_for_an_op_gives_nothing),
        cmocka_unit_test(the_seed_alone_decides),
        cmocka_unit_test(every_mutation_changes_something),
        cmocka_unit_test(every_mutation_is_picked),
        cmocka_unit_test(mutations_of_an_empty_or_full_trace_leave_it_intact),
        cmocka_unit_test(every_motif_is_well_formed_as_it_stands),
        cmocka_unit_test(drawn_sizes_are_mostly_small_and_seldom_costly),
        cmocka_unit_test(grown_traces_ask_for_little),
        cmocka_unit_test(drawn_products_wrap_or_are_small),
        cmocka_unit_test(crossing_yields_ops_of_both),
        cmocka_unit_test(crossing_any_bytes_gives_canonical_bytes_within_capacity),
        cmocka_unit_test(deleting_ops_takes_those_that_need_them_and_changes_no_other),
    };
    return cmocka_run_group_tests_name("mutator", tests, NULL, NULL);
}
