/* SPDX-License-Identifier: MIT */
/* The exported family: each function asks which mutant is chosen, and calls its replacement or
 * anvil's own. */
#include "mutants/conformance/mutant.h"

extern const struct mutant *const __start_mutants[], *const __stop_mutants[];

static const struct mutant none;
static const struct mutant *chosen;

const struct mutant *mutant_at(size_t i)
{
    return i < (size_t)(__stop_mutants - __start_mutants) ? __start_mutants[i] : NULL;
}

static const struct mutant *find(const char *name)
{
    for (size_t i = 0; mutant_at(i) != NULL; i++)
        if (strcmp(mutant_at(i)->name, name) == 0)
            return mutant_at(i);
    static const char complaint[] = "MALLET_MUTANT: no such mutant\n";
    (void)!write(STDERR_FILENO, complaint, sizeof complaint - 1);
    _exit(2);
}

/* Before the C library has an environment, every mutant is still well. */
static const struct mutant_calls *choose(void)
{
    const char *name = chosen == NULL ? getenv("MALLET_MUTANT") : NULL;
    if (name != NULL)
        chosen = name[0] == '\0' ? &none : find(name);
    return chosen != NULL ? &chosen->calls : &none.calls;
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
