/* SPDX-License-Identifier: MIT */
/*
 * Weakened diagnoses, each of which fuzz_misuse must find: the linker puts them before the real
 * functions (--wrap), and ANVIL_MUTANT in the environment chooses one. CMakeLists.txt in fuzz/ has
 * the list of names and what each must be called.
 */
#include "heap.h"

#include <stdlib.h>
#include <string.h>

struct fault __real_slab_diagnose(const struct slab *slab, const void *pointer);
struct fault __wrap_slab_diagnose(const struct slab *slab, const void *pointer);
struct fault __real_heap_diagnose(struct anvil_heap *heap, const void *pointer);
struct fault __wrap_heap_diagnose(struct anvil_heap *heap, const void *pointer);
bool __real_heap_find(const struct anvil_heap *heap, const void *pointer,
                      struct heap_block *ret_block);
bool __wrap_heap_find(const struct anvil_heap *heap, const void *pointer,
                      struct heap_block *ret_block);

static bool is_mutant(const char *name)
{
    const char *chosen = getenv("ANVIL_MUTANT");
    return chosen != NULL && strcmp(chosen, name) == 0;
}

struct fault __wrap_slab_diagnose(const struct slab *slab, const void *pointer)
{
    struct fault fault = __real_slab_diagnose(slab, pointer);
    if (fault.kind == FAULT_INTERIOR && is_mutant("interior_is_double"))
        fault.kind = FAULT_DOUBLE_FREE;
    if (fault.kind == FAULT_DOUBLE_FREE && is_mutant("size_of_slab"))
        fault.size = (size_t)slab->capacity * slab->block_size;
    return fault;
}

/* A diagnosis that mends what it should only name. */
struct fault __wrap_heap_diagnose(struct anvil_heap *heap, const void *pointer)
{
    struct fault fault = __real_heap_diagnose(heap, pointer);
    if (fault.kind == FAULT_INTERIOR && is_mutant("frees_slabs"))
        (void)slabs_release(&heap->slabs);
    return fault;
}

bool __wrap_heap_find(const struct anvil_heap *heap, const void *pointer,
                      struct heap_block *ret_block)
{
    bool is_found = __real_heap_find(heap, pointer, ret_block);
    if (!is_found && is_mutant("rounds_down"))
        is_found = __real_heap_find(heap, (const void *)((uintptr_t)pointer & ~(uintptr_t)15),
                                    ret_block);
    if (is_found && is_mutant("forgets_alignment") && ret_block->alignment_code > 1)
        ret_block->alignment_code--;
    return is_found;
}
