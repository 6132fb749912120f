/* SPDX-License-Identifier: MIT */
/* Boxes, through which blocks change hands, and the record of resident memory. */
#include "adversity/torture/testlib.h"
#include "harness/base/memory.h"

enum { BOXES = 24, NOTES_MAX = 512, NOTES_MIN = 24 };

/* A box passes from EMPTY to FULL and back by way of BUSY, in which one thread alone has it. */
enum box_state { BOX_EMPTY, BOX_BUSY, BOX_FULL };

static struct box {
    _Atomic int state;
    struct block block;
} boxes[WORKERS_MAX][BOXES];

static struct {
    size_t resident[NOTES_MAX];
    unsigned count, stride, passed_over;
} notes = {.stride = 1};

static bool box_enter(struct box *box, int from)
{
    return atomic_compare_exchange_strong_explicit(&box->state, &from, BOX_BUSY,
                                                   memory_order_acquire, memory_order_relaxed);
}

bool box_put(struct worker *worker, unsigned to, const struct block *block)
{
    unsigned start = torture_random(worker, BOXES);
    for (unsigned i = 0; i < BOXES; i++) {
        struct box *box = &boxes[to][(start + i) % BOXES];
        if (!box_enter(box, BOX_EMPTY))
            continue;
        box->block = *block;
        atomic_store_explicit(&box->state, BOX_FULL, memory_order_release);
        return true;
    }
    return false;
}

bool box_take(struct worker *worker, unsigned of, struct block *ret_block)
{
    unsigned start = torture_random(worker, BOXES);
    for (unsigned i = 0; i < BOXES; i++) {
        struct box *box = &boxes[of][(start + i) % BOXES];
        if (!box_enter(box, BOX_FULL))
            continue;
        *ret_block = box->block;
        atomic_store_explicit(&box->state, BOX_EMPTY, memory_order_release);
        return true;
    }
    return false;
}

void boxes_drain(struct worker *worker)
{
    struct block block;
    for (unsigned of = 0; of < torture_options.workers; of++)
        while (box_take(worker, of, &block))
            block_drop(worker, &block);
}

/* When the table is full every other note goes, and from then on every other moment is passed
 * over. */
void footprint_note(void)
{
    if (++notes.passed_over < notes.stride)
        return;
    notes.passed_over = 0;
    if (notes.count == NOTES_MAX) {
        for (size_t i = 0; i < NOTES_MAX / 2; i++)
            notes.resident[i] = notes.resident[2 * i];
        notes.count = NOTES_MAX / 2;
        notes.stride *= 2;
    }
    notes.resident[notes.count++] = memory_resident();
}

/* Caches that fill, arenas that open and pages that are given back late all come to rest or swing;
 * memory that is lost grows in a straight line. So: in each of the last three quarters the least is
 * well above the most of the quarter before. */
void footprint_judge(const struct worker *worker)
{
    enum { QUARTERS = 4 };
    size_t least[QUARTERS], most[QUARTERS], quarter = notes.count / QUARTERS;
    if (notes.count < NOTES_MIN || !memory_is_the_allocators())
        return;
    for (size_t i = 0; i < QUARTERS; i++) {
        least[i] = most[i] = notes.resident[i * quarter];
        for (size_t j = i * quarter; j < (i + 1) * quarter; j++) {
            least[i] = notes.resident[j] < least[i] ? notes.resident[j] : least[i];
            most[i] = notes.resident[j] > most[i] ? notes.resident[j] : most[i];
        }
    }
    size_t middle = notes.resident[2 * quarter], last = notes.resident[4 * quarter - 1];
    bool grows_always = least[1] >= most[0] && least[2] >= most[1] && least[3] >= most[2];
    size_t earlier = middle - notes.resident[quarter], later = last - middle;
    if (grows_always && later > ((size_t)12 << 20) && later >= earlier / 2)
        torture_fail(worker, "footprint", "free",
                     "every block is freed again and again, and resident memory grows all the "
                     "time: %zu MiB, %zu, %zu, %zu after each quarter "
                     "of %u times",
                     least[1] >> 20, least[2] >> 20, least[3] >> 20, last >> 20,
                     notes.count * notes.stride);
}
