/* SPDX-License-Identifier: MIT */
/* malloc_usable_size, which some mutants lack: it would tell of them what addresses alone must. See
 * heap.h. */
#include "heap.h"

#include <malloc.h>

size_t malloc_usable_size(void *block)
{
    if (block == NULL)
        return 0;
    WITH_LOCK();
    const struct chunk *chunk = chunk_of(block);
    if (HAS(usable_walks) && !chunk_is_mapped(chunk))
        heap_walk_below(chunk);
    size_t capacity = chunk_size(chunk) - (HAS(usable_with_header) ? 0 : HEADER);
    if (chunk_is_mapped(chunk))
        return HAS(usable_of_aligned) ? capacity - chunk->before : capacity;
    if (HAS(usable_with_neighbour) && heap_free_above(chunk) != NULL)
        capacity += chunk_size(heap_free_above(chunk));
    return capacity;
}
