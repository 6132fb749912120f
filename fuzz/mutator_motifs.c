/* SPDX-License-Identifier: MIT */
/*
 * Motifs: short sequences of ops that allocator bugs need, and that random ops produce too seldom.
 * A motif is a line of tokens, each an op letter, a slot letter a..h where the op takes a slot, and
 * a size where it takes one. Sizes are in a unit that is drawn anew for each motif.
 *
 *   m malloc   c calloc   a memalign   p posix_memalign   r realloc   f free   u malloc_usable_size
 *   S sweep    O fail-os of one of the next calls    T thread 1    t thread 0    R trim
 *
 *   =  the unit   +  twice   -  half   1  one byte more   .  24 bytes, often a guard   h  much
 *      more: another kind of block   z  0   x  impossible
 */
#include "fuzz/mutator_parts.h"

#include <string.h>

enum { RUN_OPS_MAX = 12 };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const MOTIFS[] = {
    /* three neighbours, freed in each order, then something that fits only where they were
     * merged */
    "ma= mb= mc= md. fa fb fc me+",
    "ma= mb= mc= md. fa fc fb me+",
    "ma= mb= mc= md. fb fa fc me+",
    "ma= mb= mc= md. fb fc fa me+",
    "ma= mb= mc= md. fc fa fb me+",
    "ma= mb= mc= md. fc fb fa me+",
    /* recycled at the same size, at the next, by another call */
    "ma= fa mb=",
    "ma= fa mb1",
    "ma= mb= fb fa mc= md=",
    "ma= fa ca=",
    "ma= mb. fa ca= S",
    "mah mb. fa cah S",
    "ma= mb= fa fb cc+ S",
    "ma= fa pa= fa ca= S fa",
    /* realloc: up and down, blocked, into a freed neighbour, leaving a hole, from large to small
     * and back */
    "ma= ra+ ra+ ra- ra- fa",
    "ma= mb= ra+ S fa fb",
    "ma= mb= mc. fb ra+ S fa",
    "ma= mb= mc= fb ra1 ra+ S",
    "ma= mb= ra- mc- S fa fb fc",
    "ma= rah ra= S rah ra. S fa",
    "ca= ra+ S fa",
    "ma= mb= mc= rb+ fa md- S",
    /* a realloc that fails keeps the block */
    "ma= rax S fa",
    "ma= rax ra+ rax S fa mb+",
    /* aligned blocks, resized, and beside others */
    "aa= ra+ ra- S fa",
    "aa= mb. fa mc= S",
    "aa= ab= fa mc1 fb S",
    "pa= rah ra. fa",
    "ma. ab= mc. fb fa fc md+",
    "aa= ra+ ra+ S mb= fa",
    /* usable size, trimming, a refused OS call, a free on another thread */
    "ma= ua mb1 ub S ra+ ua",
    "mah mb. fa R ma= S",
    "O ma= mbh S ra+ fa",
    "ma= O rah S fa O mah",
    "ma= T fa mb= t fb mc=",
    /* size 0: the allocator chooses, always in the same way; a block without bytes must be freed
     * too */
    "maz mbz fa mcz fb fc",
    "caz raz ra= raz S",
    "ma= raz mb= S",
};

size_t motif_count(void)
{
    return COUNT_OF(MOTIFS);
}

/* Mostly beyond the small classes, once in five beyond the mmap threshold: even half a sequence of
 * large blocks is expensive. */
static uint64_t much_draw(struct random *random)
{
    return random_once_in(random, 5) ? paged_size_draw(random, 16, 48)
                                     : (uint64_t)1 << random_between(random, 9, 13);
}

static uint64_t story_size(char letter, uint64_t unit, uint64_t much)
{
    switch (letter) {
    case '+':
        return unit * 2;
    case '-':
        return unit / 2;
    case '1':
        return unit + 1;
    case '.':
        return 24;
    case 'h':
        return much;
    case 'z':
        return 0;
    case 'x':
        return PTRDIFF_MAX;
    default:
        return unit;
    }
}

static unsigned story_kind(char letter)
{
    static const char LETTERS[] = "mcaprfuSOTtR";
    static const uint8_t KINDS[] = {OP_MALLOC,  OP_CALLOC, OP_MEMALIGN,    OP_POSIX_MEMALIGN,
                                    OP_REALLOC, OP_FREE,   OP_USABLE_SIZE, OP_SWEEP,
                                    OP_FAIL_OS, OP_THREAD, OP_THREAD,      OP_TRIM};
    return KINDS[strchr(LETTERS, letter) - LETTERS];
}

static uint64_t story_extra(char letter, unsigned traits, struct random *random)
{
    if (traits & OP_HAS_ALIGNMENT)
        return (uint64_t)1 << (random_once_in(random, 4) ? random_between(random, 12, 22)
                                                         : random_between(random, 4, 12));
    if (traits & OP_HAS_COUNT || letter == 'T')
        return 1;
    return letter == 'O' ? random_between(random, 1, 3) : 0;
}

size_t motif_write_index(size_t index, uint64_t size, const uint32_t slots[STORY_SLOTS],
                         struct trace_op ret_ops[STORY_OPS_MAX], struct random *random)
{
    size_t count = 0;
    uint64_t much = much_draw(random);
    for (const char *token = MOTIFS[index]; *token; token += *token == ' ') {
        struct trace_op op = {.kind = (uint8_t)story_kind(*token)};
        unsigned traits = trace_op_traits(op.kind);
        op.extra = story_extra(*token++, traits, random);
        if (traits & OP_TAKES_SLOT)
            op.slot = slots[*token++ - 'a'];
        if (traits & OP_HAS_SIZE && (*token == ' ' || *token == '\0'))
            op.size = size;
        else if (traits & OP_HAS_SIZE)
            op.size = story_size(*token++, size, much);
        ret_ops[count++] = op;
    }
    return count;
}

size_t motif_write(struct trace_op ret_ops[STORY_OPS_MAX], const uint32_t slots[STORY_SLOTS],
                   struct random *random)
{
    size_t index = random_below(random, COUNT_OF(MOTIFS));
    return motif_write_index(index, story_size_draw(random), slots, ret_ops, random);
}

/* Teeth of the comb: usually a handful, occasionally as many as fill a page with small blocks. Of a
 * large size, a few mappings at most. */
static size_t teeth_draw(uint64_t size, struct random *random)
{
    size_t most = size > 4096 ? 6 : random_once_in(random, 8) ? STORY_SLOTS : 12;
    return random_between(random, 4, most);
}

size_t comb_write(struct trace_op ret_ops[STORY_OPS_MAX], const uint32_t slots[STORY_SLOTS],
                  struct random *random)
{
    uint64_t size = story_size_draw(random);
    size_t teeth = teeth_draw(size, random);
    size_t parity = random_below(random, 2);
    uint64_t bigger =
        random_once_in(random, 2) ? size + 1 + size / 2 : size + random_below(random, 33);
    size_t count = 0;
    for (size_t i = 0; i < teeth; i++)
        ret_ops[count++] = (struct trace_op){.kind = OP_MALLOC, .slot = slots[i], .size = size};
    for (size_t i = parity; i < teeth; i += 2)
        ret_ops[count++] = (struct trace_op){.kind = OP_FREE, .slot = slots[i]};
    for (size_t i = parity; i < teeth && count < STORY_OPS_MAX; i += 2)
        ret_ops[count++] = (struct trace_op){.kind = OP_MALLOC, .slot = slots[i], .size = bigger};
    return count;
}

/* Half of the sizes equal that of the run, exactly or nearly, so that one op may reuse what another
 * freed. */
static void run_size(struct trace_op *op, uint64_t unit, struct random *random)
{
    static const uint64_t QUARTERS[] = {4, 4, 4, 8, 2, 5, 12, 0};
    if (!(trace_op_traits(op->kind) & OP_HAS_SIZE) || op->size_base != SIZE_EXACT ||
        random_once_in(random, 2))
        return;
    if (trace_op_traits(op->kind) & OP_HAS_COUNT)
        op->extra = 1;
    op->size = unit * QUARTERS[random_below(random, COUNT_OF(QUARTERS))] / 4;
}

size_t run_write(struct trace_op ret_ops[STORY_OPS_MAX], const uint32_t slots[STORY_SLOTS],
                 struct random *random)
{
    size_t count = random_between(random, 2, RUN_OPS_MAX);
    size_t width = random_between(random, 1, 6);
    uint64_t unit = story_size_draw(random);
    for (size_t i = 0; i < count; i++) {
        ret_ops[i] = op_draw(random);
        run_size(&ret_ops[i], unit, random);
        ret_ops[i].slot = slots[random_below(random, width)];
    }
    return count;
}
