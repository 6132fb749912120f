/* SPDX-License-Identifier: MIT */
/* Fills and compares blocks, lists sizes to try, and churns blocks at random. */
#include "conformance/testlib.h"

static unsigned char pattern_at(size_t i, unsigned seed)
{
    return (unsigned char)(i * 7 + (i >> 8) * 13 + (size_t)seed * 31 + 1);
}

void fill(void *block, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)block)[i] = pattern_at(i, seed);
}

size_t find_change(const void *block, size_t size, unsigned seed)
{
    size_t i = 0;
    while (i < size && ((const unsigned char *)block)[i] == pattern_at(i, seed))
        i++;
    return i;
}

size_t find_nonzero(const void *block, size_t size)
{
    size_t i = 0;
    while (i < size && ((const unsigned char *)block)[i] == 0)
        i++;
    return i;
}

bool is_aligned(const void *block, size_t alignment)
{
    return (uintptr_t)block % alignment == 0;
}

size_t next_size(size_t size)
{
    if (size < 1024)
        return size + 1;
    size_t power = 1024;
    while (power * 2 - 1 <= size)
        power *= 2;
    return size < power        ? power
           : size == power     ? power + 1
           : size == power + 1 ? power * 2 - 1
                               : power * 2;
}

size_t huge_size(size_t i)
{
    return i == 0   ? (size_t)PTRDIFF_MAX + 1
           : i == 1 ? (size_t)PTRDIFF_MAX + 2
                    : SIZE_MAX - (HUGE_COUNT - 1 - i);
}

size_t wrapping_factor(size_t i, size_t factor)
{
    static const size_t pairs[WRAPS][2] = {
        {SIZE_MAX / 2 + 1, 2},
        {2, SIZE_MAX / 2 + 1},
        {(size_t)1 << sizeof(size_t) * 4, (size_t)1 << sizeof(size_t) * 4},
        {((size_t)1 << sizeof(size_t) * 4) + 1, (size_t)1 << sizeof(size_t) * 4},
        {SIZE_MAX, SIZE_MAX},
        {SIZE_MAX / 100 + 2, 100},
        {100, SIZE_MAX / 100 + 2},
        {SIZE_MAX / 16 + 3, 16}};
    return pairs[i][factor];
}

uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

const char *null_or_block(const void *block)
{
    return block == NULL ? "NULL" : "a block";
}

const char *name_error(int error)
{
    static char texts[2][32];
    static unsigned turn;
    char *text = texts[turn++ % 2];
    const char *name = error == ENOMEM      ? " (ENOMEM)"
                       : error == EINVAL    ? " (EINVAL)"
                       : error == EAGAIN    ? " (EAGAIN)"
                       : error == EOVERFLOW ? " (EOVERFLOW)"
                                            : "";
    if (error == UNTOUCHED)
        snprintf(text, sizeof texts[0], "left as it was");
    else
        snprintf(text, sizeof texts[0], "%d%s", error, name);
    return text;
}

/* Mostly small, at times some pages, seldom enough for a mapping of its own. */
static size_t churn_size(uint32_t *random)
{
    uint32_t kind = next_random(random) % 1024;
    size_t limit = kind == 0 ? 512 * KIB : kind < 48 ? 32 * KIB : kind < 256 ? 2 * KIB : 256;
    return 1 + next_random(random) % limit;
}

static bool churn_check(struct churn *churn, size_t i, size_t size, const char *call)
{
    size_t at = find_change(churn->block[i], size, (unsigned)i);
    if (at < size)
        snprintf(
            churn->wrong, sizeof churn->wrong,
            "%s a block of %zu bytes: expected the bytes written, observed that byte %zu changed",
            call, churn->size[i], at);
    return at == size;
}

static bool churn_take(struct churn *churn, size_t i, const char *call, void *block, size_t size)
{
    if (block == NULL) {
        snprintf(churn->wrong, sizeof churn->wrong,
                 "%s of %zu bytes: expected a block, observed NULL with errno %d", call, size,
                 errno);
        return false;
    }
    churn->block[i] = block;
    churn->size[i] = size;
    return true;
}

static bool churn_resize(struct churn *churn, size_t i, size_t size)
{
    size_t kept = size < churn->size[i] ? size : churn->size[i];
    if (!churn_take(churn, i, "realloc", realloc(churn->block[i], size), size) ||
        !churn_check(churn, i, kept, "realloc of"))
        return false;
    fill(churn->block[i], size, (unsigned)i);
    return true;
}

static bool churn_allocate(struct churn *churn, size_t i, size_t size)
{
    uint32_t kind = next_random(&churn->random) % 8;
    bool is_zeroed = kind == 0 && HAS(calloc), is_aligned_block = kind == 1 && HAS(aligned_alloc);
    void *block = is_zeroed          ? calloc(1, size)
                  : is_aligned_block ? aligned_alloc(64, (size + 63) / 64 * 64)
                                     : malloc(size);
    if (!churn_take(churn, i,
                    is_zeroed          ? "calloc"
                    : is_aligned_block ? "aligned_alloc"
                                       : "malloc",
                    block, size))
        return false;
    size_t at = is_zeroed ? find_nonzero(block, size) : size;
    if (at < size)
        snprintf(churn->wrong, sizeof churn->wrong,
                 "calloc(1, %zu): expected zeros, observed that byte %zu is not zero", size, at);
    fill(block, size, (unsigned)i);
    return at == size;
}

bool churn(struct churn *churn, size_t steps)
{
    for (size_t step = 0; step < steps; step++) {
        size_t i = next_random(&churn->random) % CHURN_BLOCKS, size = churn_size(&churn->random);
        if (churn->block[i] != NULL && next_random(&churn->random) % 4 == 0 && HAS(realloc)) {
            if (!churn_resize(churn, i, size))
                return false;
            continue;
        }
        if (churn->block[i] != NULL && !churn_check(churn, i, churn->size[i], "free of"))
            return false;
        free(churn->block[i]);
        churn->block[i] = NULL;
        if (next_random(&churn->random) % 8 != 0 && !churn_allocate(churn, i, size))
            return false;
    }
    return true;
}

bool churn_end(struct churn *churn)
{
    for (size_t i = 0; i < CHURN_BLOCKS; i++) {
        if (churn->block[i] != NULL && !churn_check(churn, i, churn->size[i], "free of"))
            return false;
        free(churn->block[i]);
        churn->block[i] = NULL;
    }
    return true;
}
