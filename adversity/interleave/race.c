/* SPDX-License-Identifier: MIT */
/*
 * A cell for every byte that was touched, in pages found through a hash table. Cells are memory of
 * the parent that no execution frees: each execution is a forked process and finds them zero.
 * Clocks start at 1, so that 0 means never.
 *
 * A cell keeps the last write by any thread and the last read of each thread. That is enough: an
 * earlier write that is not ordered with this access was either ordered before the later one, or
 * reported when that was made.
 */
#include "race.h"

#include "schedule.h"

#include <errno.h>
#include <sys/mman.h>

enum { CELLS = 4096, PAGES_MAX = 8192, SLOTS = 2 * PAGES_MAX };

struct cell {
    uint32_t write_code, read_code[THREADS_MAX]; /* offsets from the program's start */
    uint16_t write_clock, read_clock[THREADS_MAX];
    uint8_t writer;
    bool is_write_atomic;
    uint8_t atomic_reads; /* bit per thread */
};
_Static_assert(sizeof(struct cell) <= 48,
               "a page of memory costs 192 KiB of cells, touched where it is");

static struct {
    struct cell *cells;
    uint16_t used;
    uint16_t slots[SLOTS];          /* 0: free, else which page of cells */
    uintptr_t pages[PAGES_MAX + 1]; /* which page of memory that is for */
} table;

extern const char __executable_start[];

int race_init(void)
{
    size_t length = sizeof(struct cell) * CELLS * PAGES_MAX;
    void *start = mmap(NULL, length, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    table.cells = start;
    return start == MAP_FAILED ? ENOMEM : 0;
}

/* NULL: no page of cells yet, and none wanted. */
static struct cell *cells_of(uintptr_t page, bool make)
{
    uint32_t slot = (uint32_t)(page * 0x9e3779b97f4a7c15u >> 40) % SLOTS;
    while (table.slots[slot] != 0 && table.pages[table.slots[slot]] != page)
        slot = (slot + 1) % SLOTS;
    if (table.slots[slot] == 0) {
        if (!make)
            return NULL;
        if (table.used == PAGES_MAX)
            schedule_fail(CHECK_PROGRESS, "race detector", "more than %d pages were touched",
                          (int)PAGES_MAX);
        table.slots[slot] = ++table.used;
        table.pages[table.used] = page;
    }
    return table.cells + (size_t)(table.slots[slot] - 1) * CELLS;
}

static _Noreturn void report(uintptr_t address, unsigned access, uintptr_t code, unsigned other,
                             bool was_write, bool was_atomic, uint32_t other_code)
{
    schedule_name_codes(code, other_code == 0 ? 0 : (uintptr_t)__executable_start + other_code);
    schedule_fail(CHECK_RACE, "",
                  "thread %u %s%s %#zx, and no order between that and the %s%s of thread %u",
                  schedule_self(), access & ACCESS_WRITE ? "writes" : "reads",
                  access & ACCESS_ATOMIC ? " (atomically)" : "", (size_t)address,
                  was_atomic ? "atomic " : "", was_write ? "write" : "read", other);
}

static void check_reads(const struct cell *cell, uintptr_t address, const struct clock *known,
                        unsigned access, uintptr_t code)
{
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        bool was_atomic = cell->atomic_reads >> i & 1;
        if (cell->read_clock[i] > known->of[i] && !(was_atomic && (access & ACCESS_ATOMIC)))
            report(address, access, code, i, false, was_atomic, cell->read_code[i]);
    }
}

static void access_byte(struct cell *cell, uintptr_t address, unsigned access, uintptr_t code)
{
    unsigned self = schedule_self();
    const struct clock *known = schedule_clock();
    bool is_atomic = access & ACCESS_ATOMIC;
    if (cell->write_clock > known->of[cell->writer] && !(is_atomic && cell->is_write_atomic))
        report(address, access, code, cell->writer, true, cell->is_write_atomic, cell->write_code);
    uint32_t offset = (uint32_t)(code - (uintptr_t)__executable_start);
    if (access & ACCESS_WRITE) {
        check_reads(cell, address, known, access, code);
        cell->writer = (uint8_t)self;
        cell->write_clock = known->of[self];
        cell->is_write_atomic = is_atomic;
        cell->write_code = offset;
    } else {
        cell->read_clock[self] = known->of[self];
        cell->read_code[self] = offset;
        cell->atomic_reads =
            (uint8_t)((cell->atomic_reads & ~(1u << self)) | (unsigned)is_atomic << self);
    }
}

static void access_pages(uintptr_t address, size_t size, unsigned access, uintptr_t code, bool make)
{
    uintptr_t end = address + size;
    while (address < end) {
        uintptr_t page = address / CELLS,
                  page_end = (page + 1) * CELLS < end ? (page + 1) * CELLS : end;
        struct cell *cells = cells_of(page, make);
        for (; cells != NULL && address < page_end; address++)
            access_byte(&cells[address % CELLS], address, access, code);
        address = page_end;
    }
}

void race_access(const volatile void *start, size_t size, unsigned access, uintptr_t code)
{
    access_pages((uintptr_t)start, size, access, code, true);
}

void race_access_touched(const void *start, size_t size, unsigned access, uintptr_t code)
{
    access_pages((uintptr_t)start, size, access, code, false);
}

void race_forget(const void *start, size_t size)
{
    for (uintptr_t page = (uintptr_t)start / CELLS; page <= ((uintptr_t)start + size - 1) / CELLS;
         page++) {
        struct cell *cells = cells_of(page, false);
        if (cells != NULL)
            (void)madvise(cells, sizeof(struct cell) * CELLS, MADV_DONTNEED);
    }
}
