/* SPDX-License-Identifier: MIT */
/*
 * The table of the calls that allocate, and the properties that several clauses require of several
 * of these calls. To add a call, write its function and its row, and list the row in all_calls.
 * Each row is a separate object, so that an exported program contains only the rows that it uses.
 */
#include "conformance/testlib.h"

static void *allocate_by_malloc(size_t alignment, size_t size)
{
    (void)alignment;
    return malloc(size);
}

const struct allocating_call by_malloc = {
    .text = "malloc(%1$zu)", .allocate = allocate_by_malloc, .function = &calls.malloc};

static void *allocate_by_calloc(size_t alignment, size_t size)
{
    (void)alignment;
    return calloc(1, size);
}

const struct allocating_call by_calloc = {
    .text = "calloc(1, %1$zu)", .allocate = allocate_by_calloc, .function = &calls.calloc};

static void *allocate_by_realloc(size_t alignment, size_t size)
{
    (void)alignment;
    return realloc(NULL, size);
}

const struct allocating_call by_realloc = {
    .text = "realloc(NULL, %1$zu)", .allocate = allocate_by_realloc, .function = &calls.realloc};

static void *allocate_by_reallocarray(size_t alignment, size_t size)
{
    (void)alignment;
    return reallocarray(NULL, size, 1);
}

const struct allocating_call by_reallocarray = {.text = "reallocarray(NULL, %1$zu, 1)",
                                                .allocate = allocate_by_reallocarray,
                                                .function = &calls.reallocarray};

static void *allocate_by_aligned_alloc(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

const struct allocating_call by_aligned_alloc = {.text = "aligned_alloc(%2$zu, %1$zu)",
                                                 .allocate = allocate_by_aligned_alloc,
                                                 .function = &calls.aligned_alloc,
                                                 .least_alignment = 1,
                                                 .is_for_multiples = true};

static void *allocate_by_posix_memalign(size_t alignment, size_t size)
{
    void *block = NULL;
    int error = posix_memalign(&block, alignment, size);
    if (error != 0)
        errno = error;
    return error == 0 ? block : NULL;
}

const struct allocating_call by_posix_memalign = {.text = "posix_memalign(&p, %2$zu, %1$zu)",
                                                  .allocate = allocate_by_posix_memalign,
                                                  .function = &calls.posix_memalign,
                                                  .least_alignment = sizeof(void *),
                                                  .returns_error = true};

static void *allocate_by_memalign(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

const struct allocating_call by_memalign = {.text = "memalign(%2$zu, %1$zu)",
                                            .allocate = allocate_by_memalign,
                                            .function = &calls.memalign,
                                            .least_alignment = 1,
                                            .is_glibc = true};

static void *allocate_by_valloc(size_t alignment, size_t size)
{
    (void)alignment;
    return valloc(size);
}

const struct allocating_call by_valloc = {.text = "valloc(%1$zu)",
                                          .allocate = allocate_by_valloc,
                                          .function = &calls.valloc,
                                          .is_glibc = true};

static void *allocate_by_pvalloc(size_t alignment, size_t size)
{
    (void)alignment;
    return pvalloc(size);
}

const struct allocating_call by_pvalloc = {.text = "pvalloc(%1$zu)",
                                           .allocate = allocate_by_pvalloc,
                                           .function = &calls.pvalloc,
                                           .is_glibc = true};

static const struct allocating_call *const all_calls[] = {
    &by_malloc,         &by_calloc,   &by_realloc, &by_reallocarray, &by_aligned_alloc,
    &by_posix_memalign, &by_memalign, &by_valloc,  &by_pvalloc};

bool has_call(const struct allocating_call *by)
{
    return *(void *const volatile *)by->function != NULL;
}

const struct allocating_call *next_call(const struct allocating_call *by)
{
    size_t i = 0;
    while (by != NULL && all_calls[i++] != by)
        ;
    while (i < COUNT(all_calls) && !has_call(all_calls[i]))
        i++;
    return i < COUNT(all_calls) ? all_calls[i] : NULL;
}

bool supports_alignment(const struct allocating_call *by, size_t alignment)
{
    void *block = alignment > 4096 ? by->allocate(alignment, alignment) : NULL;
    bool is_served = alignment <= 4096 || block != NULL;
    free(block);
    return is_served;
}

const char *name_call(const struct allocating_call *by, size_t alignment, size_t size)
{
    static char text[96];
    snprintf(text, sizeof text, by->text, size, alignment);
    return text;
}

enum { ANY_ALIGNMENT = 16 };

static size_t fitting_size(const struct allocating_call *by, size_t size)
{
    size_t beyond = by->is_for_multiples ? size % ANY_ALIGNMENT : 0;
    return beyond == 0                       ? size
           : size > SIZE_MAX - ANY_ALIGNMENT ? size - beyond
                                             : size + ANY_ALIGNMENT - beyond;
}

void *take_from(const struct allocating_call *by, size_t size)
{
    return by->allocate(ANY_ALIGNMENT, fitting_size(by, size));
}

const char *name_taking(const struct allocating_call *by, size_t size)
{
    return name_call(by, ANY_ALIGNMENT, fitting_size(by, size));
}

enum { HELD_BLOCKS = 64 };

enum probe_outcome hold_blocks(const struct allocating_call *by, size_t alignment, size_t size,
                               size_t count)
{
    static void *block[HELD_BLOCKS];
    for (unsigned i = 0; i < count; i++) {
        block[i] = by->allocate(alignment, size);
        if (size > 0)
            EXPECT_BLOCK(block[i], "%s", name_call(by, alignment, size));
        EXPECT_ALIGNED(block[i], alignment, "%s", name_call(by, alignment, size));
        fill(block[i], size, i);
    }
    for (unsigned i = 0; i < count; i++) {
        EXPECT_FILLED(block[i], size, i, "%s, block %u of %zu that are live",
                      name_call(by, alignment, size), i + 1, count);
        free(block[i]);
    }
    return PASS;
}

/* Of a block beyond 1 MiB the ends, and bytes in between that are so far apart. */
enum { END = 4096, STRIDE = 16 << 10 };

static enum probe_outcome use_large_block(const struct allocating_call *by, size_t size)
{
    unsigned char *block = take_from(by, size);
    EXPECT_BLOCK(block, "%s", name_taking(by, size));
    fill(block, END, 1);
    for (size_t at = STRIDE; at < size; at += STRIDE)
        block[at] = (unsigned char)(at / STRIDE);
    fill(block + size - END, END, 2);
    EXPECT_FILLED(block, END, 1, "%s", name_taking(by, size));
    EXPECT_FILLED(block + size - END, END, 2, "%s, its last %d bytes", name_taking(by, size), END);
    for (size_t at = STRIDE; at < size - END; at += STRIDE)
        EXPECT(block[at] == (unsigned char)(at / STRIDE),
               "%s: expected byte %zu as it was written, observed it changed",
               name_taking(by, size), at);
    free(block);
    return PASS;
}

enum probe_outcome use_blocks(const struct allocating_call *by, size_t size, size_t count)
{
    if (size > MIB)
        return use_large_block(by, size);
    return hold_blocks(by, by->least_alignment > 0 ? ANY_ALIGNMENT : 1, fitting_size(by, size),
                       count);
}

static void release_by_free(void *block, size_t alignment, size_t size)
{
    (void)alignment, (void)size;
    free(block);
}

const struct releasing_call by_free = {"free", release_by_free};

/* Warm enough for the first look, and so much at most. */
#define FIRST_BYTES (256 * KIB)

#define MOST_FREES ((size_t)1 << 22)
/* A ring of freed blocks is itself memory that is touched bit by bit. */
#define ENOUGH_FREES ((size_t)1 << 19)

#define MOST_BYTES (2 * GIB)

/* A first look comes within so much time on a subject that is slow. */
#define FIRST_NS UINT64_C(300000000)

/* The least time of a cycle: what else runs on the machine only adds to it. */
static enum probe_outcome measure_cycle(const struct cycle *cycle, uint64_t *ret_ns)
{
    enum { CYCLES = 16 };
    *ret_ns = UINT64_MAX;
    for (int i = 0; i < CYCLES; i++) {
        uint64_t start = clock_now_ns();
        TRY(cycle->run(cycle->context));
        uint64_t ns = clock_now_ns() - start;
        *ret_ns = ns < *ret_ns ? ns : *ret_ns;
    }
    return PASS;
}

enum probe_outcome watch_growth(const struct cycle *cycle, size_t *ret_growth)
{
    struct trend trend = trend_begin(cycle->bytes);
    enum trend_state state = TREND_OPEN;
    size_t by_frees = MOST_FREES / cycle->frees, by_bytes = MOST_BYTES / (cycle->bytes + 1),
           most = by_frees > by_bytes ? by_frees : by_bytes;
    uint64_t ns, first = FIRST_BYTES / (cycle->bytes + 1);
    trend.enough_bytes = 256 * MIB;
    trend.enough_frees = ENOUGH_FREES;
    TRY(measure_cycle(cycle, &ns));
    if (first > FIRST_NS / (ns + 1))
        first = FIRST_NS / (ns + 1);
    if (first > trend.next_look)
        trend.next_look = first;
    for (size_t done = 0; state == TREND_OPEN && trend.next_look <= most;) {
        for (; done < trend.next_look; done++)
            TRY(cycle->run(cycle->context));
        struct trend_freed freed = {done * cycle->frees, done * cycle->bytes};
        state = trend_look(&trend, freed, memory_resident());
    }
    *ret_growth = state == TREND_GROWS ? (size_t)trend_growth(&trend) : 0;
    return PASS;
}

struct reuse {
    const struct allocating_call *by;
    const struct releasing_call *end;
    size_t alignment, size;
};

static enum probe_outcome take_and_release(void *context)
{
    struct reuse *reuse = context;
    char *block = reuse->by->allocate(reuse->alignment, reuse->size);
    const char *call = name_call(reuse->by, reuse->alignment, reuse->size);
    EXPECT_BLOCK(block, "%s and %s again and again", call, reuse->end->name);
    for (size_t at = 0; at < reuse->size; at += 4096)
        block[at] = 1;
    block[reuse->size - 1] = 1;
    reuse->end->release(block, reuse->alignment, reuse->size);
    return PASS;
}

enum probe_outcome reuse_block(const struct allocating_call *by, size_t alignment, size_t size,
                               const struct releasing_call *end)
{
    struct reuse reuse = {by, end, alignment, size};
    const struct cycle cycle = {take_and_release, &reuse, size, 1};
    size_t growth = 0;
    TRY(watch_growth(&cycle, &growth));
    EXPECT(growth == 0,
           "%s and %s again and again: expected no growth, observed %zu resident bytes more and no "
           "end of it",
           name_call(by, alignment, size), end->name, growth);
    return PASS;
}

bool exhaust(const struct allocating_call *by, size_t alignment, size_t room, int *ret_error)
{
    for (size_t i = 0; i < 8; i++)
        free(take_from(by, (size_t)100 << (2 * i)));
    if (!limit_memory(room))
        return false;
    EXPECT_REFUSALS();
    for (size_t i = 0; i < 4096; i++) {
        CATCH_ERRNO(error, void *block = by->allocate(alignment, 16 * MIB));
        *ret_error = error;
        if (block == NULL)
            return true;
    }
    return false;
}

enum probe_outcome judge_error(const struct allocating_call *by, const char *call, int error,
                               int wanted)
{
    const char *where = by->returns_error ? "the result" : "NULL with errno";
    EXPECT(error == wanted, "%s: expected %s %s, observed %s %s", call, where, name_error(wanted),
           where, name_error(error));
    return PASS;
}

enum probe_outcome judge_enomem(const struct allocating_call *by, const char *call, int error)
{
    if (error == EAGAIN)
        return WEAK("%s: expected %d (ENOMEM), observed %d (EAGAIN), a temporary shortage", call,
                    ENOMEM, EAGAIN);
    return judge_error(by, call, error, ENOMEM);
}

enum probe_outcome judge_failures(const struct allocating_call *by, size_t alignment, size_t room,
                                  enum probe_outcome (*judge)(const struct allocating_call *by,
                                                              const char *call, int error))
{
    char call[160];
    int error_when_full = 0;
    for (size_t i = 0; i < HUGE_COUNT; i++) {
        CATCH_ERRNO(error, void *block = by->allocate(alignment, huge_size(i)));
        EXPECT_NULL(block, "%s", name_call(by, alignment, huge_size(i)));
        TRY(judge(by, name_call(by, alignment, huge_size(i)), error));
    }
    snprintf(call, sizeof call, "%s with %zu MiB of address space left",
             name_call(by, alignment, 16 * MIB), room / MIB);
    if (!exhaust(by, alignment, room, &error_when_full))
        return UNSUPPORTED("%s: expected a failure, observed none", call);
    return judge(by, call, error_when_full);
}
