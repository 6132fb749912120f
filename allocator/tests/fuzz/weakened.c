/* SPDX-License-Identifier: MIT */
/*
 * Weakened functions of anvil, each of which a target of this folder must notice: the linker puts
 * them before the real ones (--wrap), and ANVIL_MUTANT in the environment chooses one; none chosen,
 * they change nothing. fuzz/CMakeLists.txt has the list of names and what each must be called.
 */
#include "harden.h"
#include "heap.h"
#include "tree.h"

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

struct extent *__real_tree_find(struct extent *root, size_t pages);
struct extent *__wrap_tree_find(struct extent *root, size_t pages);
int __real_extent_alloc(struct extents *extents, size_t pages, size_t alignment,
                        struct extent **ret_extent);
int __wrap_extent_alloc(struct extents *extents, size_t pages, size_t alignment,
                        struct extent **ret_extent);
unsigned __real_slabs_put(struct slabs *slabs, unsigned class_index,
                          const struct slab_entry *entries, unsigned count);
unsigned __wrap_slabs_put(struct slabs *slabs, unsigned class_index,
                          const struct slab_entry *entries, unsigned count);

void __real_harden_verify(const struct anvil_heap *heap, const struct heap_block *block,
                          const char *function);
void __wrap_harden_verify(const struct anvil_heap *heap, const struct heap_block *block,
                          const char *function);
int __real_harden_alloc(struct anvil_heap *heap, size_t size, size_t alignment,
                        unsigned request_code, bool is_cleared, char **ret_start);
int __wrap_harden_alloc(struct anvil_heap *heap, size_t size, size_t alignment,
                        unsigned request_code, bool is_cleared, char **ret_start);

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
        is_found =
            __real_heap_find(heap, (const void *)((uintptr_t)pointer & ~(uintptr_t)15), ret_block);
    if (is_found && is_mutant("forgets_alignment") && ret_block->request_code > 1)
        ret_block->request_code--;
    return is_found;
}

struct extent *__wrap_tree_find(struct extent *root, size_t pages)
{
    return root != NULL && root->pages >= pages && is_mutant("fits_root")
               ? root
               : __real_tree_find(root, pages);
}

int __wrap_extent_alloc(struct extents *extents, size_t pages, size_t alignment,
                        struct extent **ret_extent)
{
    int error = __real_extent_alloc(extents, pages, alignment, ret_extent);
    if (error == 0 && is_mutant("claims_zero"))
        (*ret_extent)->dirty = 0;
    return error;
}

unsigned __wrap_slabs_put(struct slabs *slabs, unsigned class_index,
                          const struct slab_entry *entries, unsigned count)
{
    unsigned done = __real_slabs_put(slabs, class_index, entries, count);
    return is_mutant("puts_twice") ? count : done;
}

void __wrap_harden_verify(const struct anvil_heap *heap, const struct heap_block *block,
                          const char *function)
{
    if (!is_mutant("skips_canary"))
        __real_harden_verify(heap, block, function);
}

int __wrap_harden_alloc(struct anvil_heap *heap, size_t size, size_t alignment,
                        unsigned request_code, bool is_cleared, char **ret_start)
{
    bool is_zero = heap->options.zero;
    heap->options.zero = is_zero && !is_mutant("skips_zero");
    int error = __real_harden_alloc(heap, size, alignment, request_code, is_cleared, ret_start);
    heap->options.zero = is_zero;
    return error;
}
