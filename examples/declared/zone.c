/* SPDX-License-Identifier: MIT */
/*
 * An allocator whose functions take flags: how a block is aligned, and whether it is zeroed. Blocks
 * of a power of two, and larger ones in a mapping of their own, with a tag in front of each:
 * zone.declare says how traces call it.
 *
 *     start                    block
 *     | what alignment skips | tag: start, length | … |
 *
 * A block, once freed, keeps its length; its first words link it to others of its class.
 */
#include "zone.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum {
    SMALLEST = 64,
    CLASSES = 11,
    LARGEST = SMALLEST << (CLASSES - 1),
    CHUNK = 1 << 20,
    PAGE = 4096
};

struct tag {
    char *start;
    size_t length; /* from start on */
};

struct unused {
    struct unused *next;
    size_t length;
};

/* Under the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct unused *lists[CLASSES];
static struct unused *kept; /* mappings that the system did not take back */
static char *fresh, *limit; /* of the newest chunk */

static void hold(void)
{
    pthread_mutex_lock(&lock);
}

static void let_go(void)
{
    pthread_mutex_unlock(&lock);
}

/* The child of a fork finds the lists whole. */
__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(hold, let_go, let_go);
}

static unsigned class_of(size_t length)
{
    unsigned index = 0;
    while ((size_t)SMALLEST << index < length)
        index++;
    return index;
}

static char *map(size_t length)
{
    void *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return start != MAP_FAILED ? start : NULL;
}

static char *take_small(unsigned index, int *ret_is_zero)
{
    size_t length = (size_t)SMALLEST << index;
    struct unused *unused = lists[index];
    *ret_is_zero = unused == NULL;
    if (unused != NULL) {
        lists[index] = unused->next;
        return (char *)unused;
    }
    if ((size_t)(limit - fresh) < length) {
        char *start = map(CHUNK); /* what was left of the chunk before is lost */
        if (start == NULL)
            return NULL;
        fresh = start;
        limit = start + CHUNK;
    }
    fresh += length;
    return fresh - length;
}

static char *take_large(size_t length, size_t *ret_length, int *ret_is_zero)
{
    for (struct unused **link = &kept; *link != NULL; link = &(*link)->next) {
        struct unused *unused = *link;
        if (unused->length < length || unused->length / 2 > length)
            continue;
        *link = unused->next;
        *ret_length = unused->length;
        *ret_is_zero = 0;
        return (char *)unused;
    }
    *ret_length = length;
    *ret_is_zero = 1;
    return map(length);
}

/* What the system refuses is kept, to be used or given back later. */
static void give_large(struct unused *unused)
{
    unused->next = kept;
    kept = unused;
    while (kept != NULL) {
        struct unused *next = kept->next;
        if (munmap(kept, kept->length) != 0)
            return;
        kept = next;
    }
}

static struct tag *tag_of(void *block)
{
    return (struct tag *)block - 1;
}

void *zone_allocx(size_t size, int flags)
{
    size_t step = (size_t)1 << (flags & ZONE_ALIGN_MASK), length;
    step = step > sizeof(struct tag) ? step : sizeof(struct tag);
    int is_zero;
    if (size > PTRDIFF_MAX - PAGE || step > PTRDIFF_MAX - PAGE - size)
        return NULL;
    length = size + step;
    pthread_mutex_lock(&lock);
    unsigned index = length <= LARGEST ? class_of(length) : CLASSES;
    char *start = index < CLASSES
                      ? take_small(index, &is_zero)
                      : take_large((length + PAGE - 1) / PAGE * PAGE, &length, &is_zero);
    pthread_mutex_unlock(&lock);
    if (start == NULL)
        return NULL;
    char *block = (char *)(((uintptr_t)start + step) & ~(step - 1));
    if ((flags & ZONE_ZERO) != 0 && !is_zero)
        memset(block, 0, size);
    *tag_of(block) = (struct tag){start, index < CLASSES ? (size_t)SMALLEST << index : length};
    return block;
}

void zone_freex(void *block, int flags)
{
    struct tag tag = *tag_of(block);
    struct unused *unused = (struct unused *)tag.start;
    (void)flags;
    pthread_mutex_lock(&lock);
    unused->length = tag.length;
    if (tag.length > LARGEST) {
        give_large(unused);
    } else {
        unused->next = lists[class_of(tag.length)];
        lists[class_of(tag.length)] = unused;
    }
    pthread_mutex_unlock(&lock);
}

size_t zone_sizex(void *block, int flags)
{
    struct tag *tag = tag_of(block);
    (void)flags;
    return (size_t)(tag->start + tag->length - (char *)block);
}

void *zone_resizex(void *block, size_t size, int flags)
{
    size_t old = zone_sizex(block, flags);
    if (size <= old && (size >= old / 4 || old <= PAGE))
        return block;
    void *moved = zone_allocx(size, flags);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, size < old ? size : old);
    zone_freex(block, flags);
    return moved;
}
