/* SPDX-License-Identifier: MIT */
/* What an author might bring: a free list under a spin lock, with names of its own. MINE_HAS_BUG:
 * free forgets the lock. */
#include "mine.h"

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

struct block {
    struct block *next;
    size_t padding;
};

enum { BLOCK_SIZE = 2048, CHUNK_SIZE = 16 * BLOCK_SIZE };

static atomic_flag lock = ATOMIC_FLAG_INIT;
static struct block *list; /* under the lock */

static void take_lock(void)
{
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
        sched_yield();
}

static void give_lock(void)
{
    atomic_flag_clear_explicit(&lock, memory_order_release);
}

static void list_fill(void)
{
    char *chunk =
        mmap(NULL, CHUNK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; chunk != MAP_FAILED && i < CHUNK_SIZE; i += BLOCK_SIZE) {
        struct block *block = (struct block *)(chunk + i);
        block->next = list;
        list = block;
    }
}

void *mine_malloc(size_t size)
{
    if (size > BLOCK_SIZE)
        return NULL;
    take_lock();
    if (list == NULL)
        list_fill();
    struct block *block = list;
    if (block != NULL)
        list = block->next;
    give_lock();
    return block;
}

void mine_free(void *pointer)
{
    struct block *block = pointer;
    if (!MINE_HAS_BUG)
        take_lock();
    block->next = list;
    list = block;
    if (!MINE_HAS_BUG)
        give_lock();
}
