/* SPDX-License-Identifier: MIT */
/* The exported family: each function asks which mutant is chosen, and calls its replacement or
 * anvil's own. */
#include "mutants/conformance/mutant.h"

#undef MUTANT
#define MUTANT(id, ...) {#id, &mutant_##id},
static const struct {
    const char *id;
    const struct mutant_calls *calls;
} mutants[] = {MUTANTS_conformance(MUTANT)};

static const struct mutant_calls none;
static const struct mutant_calls *chosen;

static const struct mutant_calls *find(const char *id)
{
    for (size_t i = 0; i < sizeof mutants / sizeof mutants[0]; i++)
        if (strcmp(mutants[i].id, id) == 0)
            return mutants[i].calls;
    static const char complaint[] = "MALLET_MUTANT: no such mutant\n";
    (void)!write(STDERR_FILENO, complaint, sizeof complaint - 1);
    _exit(2);
}

/* Before the C library has an environment, the allocator is correct. */
static const struct mutant_calls *choose(void)
{
    const char *id = chosen == NULL ? getenv("MALLET_MUTANT") : NULL;
    if (id != NULL)
        chosen = id[0] == '\0' ? &none : find(id);
    return chosen != NULL ? chosen : &none;
}

#define REPLACEMENT(name) (choose()->name != NULL ? choose()->name : base_##name)

void *malloc(size_t size)
{
    return REPLACEMENT(malloc)(size);
}

void free(void *block)
{
    REPLACEMENT(free)(block);
}

void *calloc(size_t count, size_t size)
{
    return REPLACEMENT(calloc)(count, size);
}

void *realloc(void *block, size_t size)
{
    return REPLACEMENT(realloc)(block, size);
}

void *reallocarray(void *block, size_t count, size_t size)
{
    return REPLACEMENT(reallocarray)(block, count, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return REPLACEMENT(aligned_alloc)(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    return REPLACEMENT(posix_memalign)(block, alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
    return REPLACEMENT(memalign)(alignment, size);
}

void *valloc(size_t size)
{
    return REPLACEMENT(valloc)(size);
}

void *pvalloc(size_t size)
{
    return REPLACEMENT(pvalloc)(size);
}

void free_sized(void *block, size_t size)
{
    REPLACEMENT(free_sized)(block, size);
}

void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    REPLACEMENT(free_aligned_sized)(block, alignment, size);
}

size_t malloc_usable_size(void *block)
{
    return REPLACEMENT(malloc_usable_size)(block);
}

int malloc_trim(size_t keep)
{
    return REPLACEMENT(malloc_trim)(keep);
}

int mallopt(int parameter, int value)
{
    return REPLACEMENT(mallopt)(parameter, value);
}

struct mallinfo mallinfo(void)
{
    return REPLACEMENT(mallinfo)();
}

struct mallinfo2 mallinfo2(void)
{
    return REPLACEMENT(mallinfo2)();
}

void malloc_stats(void)
{
    REPLACEMENT(malloc_stats)();
}

int malloc_info(int options, FILE *file)
{
    return REPLACEMENT(malloc_info)(options, file);
}
