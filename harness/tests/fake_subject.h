/* SPDX-License-Identifier: MIT */
/*
 * A subject for tests of the run: a bump allocator over mapped memory that does every single thing
 * as told by the fields of `fake`, and a run of a text trace on it. All zero but for `alignment`
 * and `fail_above`, it is correct.
 *
 *   │ 16 bytes: size │ block … │ 16 bytes: size │ block … │ free →
 */
#ifndef TESTS_FAKE_SUBJECT_H
#define TESTS_FAKE_SUBJECT_H

#include "harness/run/run.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { FAKE_ARENA = 64 << 20, FAKE_OPS = 64, FAKE_UNTOUCHED = -1 };

static struct {
    uint8_t *arena;
    size_t used;
    size_t alignment;      /* of every block that asks for none */
    size_t fail_above;     /* bytes; larger requests fail */
    int error;             /* that a failure sets; 0: ENOMEM; FAKE_UNTOUCHED: none */
    int free_error;        /* that free sets, unless 0 */
    int clobber;           /* 1: a call that succeeds sets errno to 0 */
    int zeros_are_null;    /* 1: requests of 0 bytes return NULL; 2: every other one does */
    unsigned zeros;        /* seen so far */
    int memalign_result;   /* if not 0, posix_memalign returns this, and writes nothing but: */
    void *memalign_writes; /* what it writes then; NULL: nothing */
    bool memalign_forgets; /* it returns 0 and writes nothing */
    bool any_alignment;    /* invalid alignments are taken */
    bool is_dirty;         /* calloc does not clear */
    bool copies_nothing, frees_on_failure, shrinks_in_place;
    void *next;                              /* what the next call returns, if not NULL */
    uint8_t *damage;                         /* a byte that the next call changes */
    size_t usable_less;                      /* bytes that malloc_usable_size is short */
    bool usable_wanders;                     /* it is another at every call */
    size_t footprint, grows_by, grows_until; /* bytes; growth at every malloc */
    unsigned calls, frees;
} fake;

static struct {
    struct run *run;
    struct subject subject;
    struct run_options options;
    struct verdict verdict;
    struct outcome outcomes[FAKE_OPS];
    uint8_t features[RUN_COUNTERS];
} test;

static inline void *fake_fail(void)
{
    if (fake.error != FAKE_UNTOUCHED)
        errno = fake.error != 0 ? fake.error : ENOMEM;
    return NULL;
}

static inline void *fake_take(size_t size, size_t alignment)
{
    fake.calls++;
    if (fake.damage != NULL)
        *fake.damage ^= 1;
    fake.damage = NULL;
    if (size == 0 && fake.zeros_are_null != 0 &&
        (fake.zeros_are_null == 1 || fake.zeros++ % 2 == 1))
        return NULL;
    if (size > fake.fail_above || alignment > FAKE_ARENA / 4)
        return fake_fail();
    void *given = fake.next;
    fake.next = NULL;
    if (fake.footprint < fake.grows_until)
        fake.footprint += fake.grows_by;
    if (fake.clobber)
        errno = 0;
    if (given != NULL)
        return given;
    size_t at = (fake.used + 16 + alignment - 1) / alignment * alignment;
    memcpy(fake.arena + at - 16, &size, sizeof size);
    fake.used = (at + size + 15) / 16 * 16 + fake.alignment % 16;
    return fake.arena + at;
}

static inline size_t fake_size(const void *block)
{
    size_t size;
    memcpy(&size, (const uint8_t *)block - 16, sizeof size);
    return size;
}

static inline void *fake_malloc(size_t size)
{
    return fake_take(size, fake.alignment);
}

static inline void fake_free(void *block)
{
    fake.frees += block != NULL;
    if (fake.free_error != 0)
        errno = fake.free_error == FAKE_UNTOUCHED ? 0 : fake.free_error;
}

static inline void *fake_calloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return fake_fail();
    void *block = fake_take(count * size, fake.alignment);
    if (block != NULL)
        memset(block, fake.is_dirty ? 0x77 : 0, count * size);
    return block;
}

static inline void *fake_realloc(void *block, size_t size)
{
    if (block != NULL && size == 0 && fake.zeros_are_null != 0)
        return NULL;
    if (block != NULL && size <= fake_size(block) && fake.shrinks_in_place)
        return block;
    void *moved = fake_take(size, fake.alignment);
    if (moved == NULL && block != NULL && fake.frees_on_failure)
        memset(block, 0xdd, 16);
    if (moved == NULL || block == NULL || fake.copies_nothing)
        return moved;
    memcpy(moved, block, fake_size(block) < size ? fake_size(block) : size);
    return moved;
}

static inline void *fake_memalign(size_t alignment, size_t size)
{
    bool is_valid = alignment != 0 && (alignment & (alignment - 1)) == 0;
    if (!is_valid && !fake.any_alignment) {
        errno = EINVAL;
        return NULL;
    }
    return fake_take(size, is_valid && alignment > fake.alignment ? alignment : fake.alignment);
}

static inline int fake_posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    if (fake.memalign_writes != NULL)
        *ret_block = fake.memalign_writes;
    if (fake.memalign_result != 0)
        return fake.memalign_result;
    if (!fake.any_alignment && (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0))
        return EINVAL;
    void *block = fake_memalign(alignment, size);
    if (block == NULL && size != 0)
        return ENOMEM;
    if (!fake.memalign_forgets)
        *ret_block = block;
    return 0;
}

static inline size_t fake_usable_size(void *block)
{
    static size_t wander;
    return block == NULL
               ? 0
               : fake_size(block) - fake.usable_less + (fake.usable_wanders ? ++wander : 0);
}

static inline size_t fake_footprint(void)
{
    return fake.footprint;
}

static int set_up(void **state)
{
    (void)state;
    uint8_t *arena = fake.arena;
    if (arena == NULL)
        arena = mmap(NULL, FAKE_ARENA, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(test.run != NULL || run_init(&test.run) == 0);
    memset(&fake, 0, sizeof fake);
    memset(&test.verdict, 0, sizeof test.verdict);
    *run_policy(test.run) = (struct policy){0};
    fake.arena = arena;
    fake.alignment = 16;
    fake.fail_above = FAKE_ARENA / 4;
    test.options = (struct run_options){.fill_max = 1 << 20};
    test.subject = (struct subject){.name = "fake",
                                    .calls = {.malloc = fake_malloc,
                                              .free = fake_free,
                                              .calloc = fake_calloc,
                                              .realloc = fake_realloc,
                                              .aligned_alloc = fake_memalign,
                                              .memalign = fake_memalign,
                                              .posix_memalign = fake_posix_memalign,
                                              .malloc_usable_size = fake_usable_size}};
    return 0;
}

/* Runs a text trace; true if clean. Verdict and outcomes are in `test`. */
static bool run_text(const char *text)
{
    static struct trace_op ops[FAKE_OPS];
    struct trace trace = {.ops = ops, .capacity = FAKE_OPS};
    struct trace_error error;
    if (trace_parse(text, strlen(text), &trace, &error) != 0)
        fail_msg("line %zu: %s", error.line, error.sentence);
    memset(test.outcomes, 0, sizeof test.outcomes);
    memset(test.features, 0, sizeof test.features);
    const struct run_report report = {.outcomes = test.outcomes, .features = test.features};
    return run_trace(test.run, &test.subject, &trace, &test.options, &report, &test.verdict);
}

static inline void assert_clean(const char *text)
{
    if (!run_text(text))
        fail_msg("%s: %s", check_name(test.verdict.check), test.verdict.sentence);
}

static inline void assert_caught(const char *text, enum check check, uint32_t op)
{
    assert_false(run_text(text));
    if (test.verdict.check != check)
        fail_msg("%s instead of %s: %s", check_name(test.verdict.check), check_name(check),
                 test.verdict.sentence);
    assert_int_equal(test.verdict.op, op);
}

#endif
