/* SPDX-License-Identifier: MIT */
/*
 * Step 6: safe for threads and for forks, and with nothing left that `mallet check` finds. One lock
 * is held in every call. Sizes that cannot be are refused, a failure sets errno, and what the
 * system does not take back is used again. Free blocks are in a list of their own, so that a search
 * does not visit those in use; it is a search all the same, which `mallet_subject_lacks` admits.
 *
 *     free → | header | list | … | ⇄ | header | list | … |    list: in the payload of a free block
 */
#define _GNU_SOURCE /* recursive mutexes without an initialiser function */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { UNIT = 16, REGION_BYTES = 1 << 20, MMAP_THRESHOLD = 128 << 10 };
enum { FREE = 0x46524545, USED = 0x55534544, MAPPED = 0x4d415050 };

const char mallet_subject_lacks[] = "cost";

struct header {
    size_t size;           /* of the payload, a multiple of UNIT; 0: behind the last block */
    struct header *before; /* the neighbour in memory; NULL: the first block */
    _Alignas(UNIT) uintptr_t self; /* its own address and what it is: see mark */
};
_Static_assert(sizeof(struct header) % UNIT == 0, "what follows a header is aligned");

struct list {
    struct list *next, *previous;
};
_Static_assert(sizeof(struct list) <= UNIT, "the smallest payload has room for it");

struct region {
    size_t bytes;
    _Alignas(UNIT) char unused;
};
_Static_assert(sizeof(struct region) % UNIT == 0, "what follows is aligned");

static struct {
    pthread_mutex_t lock;
    struct list free;     /* blocks of regions, circular */
    struct header *spare; /* mappings that the system did not take back; before: the next one */
} heap = {.lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, .free = {&heap.free, &heap.free}};

static void mark(struct header *at, uintptr_t state)
{
    at->self = (uintptr_t)at ^ state;
}

static int is(const struct header *at, uintptr_t state)
{
    return at->self == ((uintptr_t)at ^ state);
}

static struct header *next_of(struct header *at)
{
    return (struct header *)((char *)(at + 1) + at->size);
}

static struct list *list_of(struct header *at)
{
    return (struct list *)(at + 1);
}

static void set_free(struct header *at)
{
    struct list *list = list_of(at);
    mark(at, FREE);
    *list = (struct list){heap.free.next, &heap.free};
    heap.free.next->previous = list;
    heap.free.next = list;
}

static void take_out(struct header *at)
{
    list_of(at)->next->previous = list_of(at)->previous;
    list_of(at)->previous->next = list_of(at)->next;
}

/* ---- memory of the system ---- */

static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* 0 if the system took it back; errno is left alone. */
static int unmap(void *memory, size_t bytes)
{
    int error = errno, result = munmap(memory, bytes);
    errno = error;
    return result;
}

static struct header *make_region(void)
{
    struct region *region = map(REGION_BYTES);
    if (region == NULL)
        return NULL;
    region->bytes = REGION_BYTES;
    struct header *at = (struct header *)(region + 1);
    *at = (struct header){.size = REGION_BYTES - sizeof *region - 2 * sizeof *at};
    next_of(at)->before = at;
    next_of(at)->size = 0;
    mark(next_of(at), USED);
    set_free(at);
    return at;
}

/* ---- blocks of a region ---- */

/* The smallest that fits. */
static struct header *find(size_t size)
{
    struct header *found = NULL;
    for (struct list *list = heap.free.next; list != &heap.free; list = list->next) {
        struct header *at = (struct header *)list - 1;
        if (at->size >= size && (found == NULL || at->size < found->size))
            found = at;
        if (at->size == size)
            break;
    }
    return found;
}

/* The rest behind `size` becomes a free block, if it is large enough to be one. */
static void split(struct header *at, size_t size)
{
    if (at->size < size + sizeof *at + UNIT)
        return;
    size_t rest = at->size - size - sizeof *at;
    at->size = size;
    struct header *behind = next_of(at);
    *behind = (struct header){.size = rest, .before = at};
    next_of(behind)->before = behind;
    set_free(behind);
}

/* Takes in the free neighbour behind. */
static void join(struct header *at)
{
    struct header *next = next_of(at);
    if (next->size == 0 || !is(next, FREE))
        return;
    take_out(next);
    next->self = 0;
    at->size += sizeof *at + next->size;
    next_of(at)->before = at;
}

static void release(struct header *at)
{
    join(at);
    if (at->before != NULL && is(at->before, FREE)) {
        struct header *second = at;
        at = at->before;
        take_out(at);
        second->self = 0;
        at->size += sizeof *at + second->size;
        next_of(at)->before = at;
    }
    struct region *region = (struct region *)at - 1;
    int is_whole = at->before == NULL && next_of(at)->size == 0;
    if (!is_whole || unmap(region, REGION_BYTES) != 0)
        set_free(at);
}

/* ---- large blocks: | header | payload | in a mapping of their own ---- */

static struct header *take_spare(size_t size)
{
    struct header **link = &heap.spare, *at;
    while (*link != NULL && (*link)->size < size)
        link = &(*link)->before;
    at = *link;
    if (at != NULL)
        *link = at->before;
    return at;
}

static void *map_large(size_t size)
{
    struct header *at = take_spare(size);
    if (at == NULL) {
        size_t bytes = (size + sizeof *at + 4095) / 4096 * 4096;
        at = map(bytes);
        if (at == NULL)
            return NULL;
        at->size = bytes - sizeof *at;
    }
    mark(at, MAPPED);
    return at + 1;
}

static void unmap_large(struct header *at)
{
    size_t size = at->size;
    at->self = 0;
    if (unmap(at, sizeof *at + size) == 0)
        return;
    at->before = heap.spare;
    heap.spare = at;
}

/* ---- the functions ---- */

static size_t round_up(size_t size)
{
    return size == 0 ? UNIT : (size + UNIT - 1) / UNIT * UNIT;
}

static void *fail(void)
{
    errno = ENOMEM;
    return NULL;
}

/* With the lock held, as what follows up to the functions themselves. */
static void *allocate(size_t size)
{
    if (size > PTRDIFF_MAX - REGION_BYTES)
        return fail();
    size = round_up(size);
    if (size >= MMAP_THRESHOLD)
        return map_large(size);
    struct header *at = find(size);
    if (at == NULL)
        at = make_region();
    if (at == NULL)
        return fail();
    take_out(at);
    mark(at, USED);
    split(at, size);
    return at + 1;
}

static struct header *header_of(void *block)
{
    static const char message[] = "my_free: no block of this heap, or free already\n";
    struct header *at = (struct header *)block - 1;
    if ((uintptr_t)block % UNIT == 0 && (is(at, USED) || is(at, MAPPED)))
        return at;
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
        errno = 0; /* stdio would allocate */
    abort();
}

static void deallocate(void *block)
{
    struct header *at = header_of(block);
    if (is(at, MAPPED))
        unmap_large(at);
    else
        release(at);
}

/* Whether the block could be made `size` bytes large where it is. */
static int resize(struct header *at, size_t size)
{
    if (is(at, MAPPED))
        return size <= at->size && size >= at->size / 2;
    if (at->size < size)
        join(at);
    split(at, size);
    if (next_of(at)->size > 0 && is(next_of(at), FREE))
        join(next_of(at));
    return at->size >= size;
}

static void *reallocate(void *block, size_t size)
{
    struct header *at = header_of(block);
    size_t old = at->size;
    if (size > PTRDIFF_MAX - REGION_BYTES)
        return fail();
    if (resize(at, round_up(size)))
        return block;
    void *moved = allocate(size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, old < size ? old : size);
    deallocate(block);
    return moved;
}

void *my_malloc(size_t size)
{
    pthread_mutex_lock(&heap.lock);
    void *block = allocate(size);
    pthread_mutex_unlock(&heap.lock);
    return block;
}

void my_free(void *block)
{
    if (block == NULL)
        return;
    pthread_mutex_lock(&heap.lock);
    deallocate(block);
    pthread_mutex_unlock(&heap.lock);
}

void *my_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return fail();
    void *block = my_malloc(bytes);
    return block != NULL ? memset(block, 0, bytes) : NULL;
}

void *my_realloc(void *block, size_t size)
{
    if (block == NULL)
        return my_malloc(size);
    pthread_mutex_lock(&heap.lock);
    void *resized = reallocate(block, size);
    pthread_mutex_unlock(&heap.lock);
    return resized;
}

/* ---- fork: no other thread is in the heap then, and the child has a free lock ---- */

/* glibc's lock of its list of streams, which fork takes too, after the handlers. A thread that
 * holds it may be waiting for ours: it has to come first. The locks are recursive, since a signal
 * handler that interrupted malloc may fork. */
extern void _IO_list_lock(void) __attribute__((weak));
extern void _IO_list_unlock(void) __attribute__((weak));
extern void _IO_list_resetlock(void) __attribute__((weak));

static void before_fork(void)
{
    if (_IO_list_lock != NULL)
        _IO_list_lock();
    pthread_mutex_lock(&heap.lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&heap.lock);
    if (_IO_list_unlock != NULL)
        _IO_list_unlock();
}

/* The owner of a recursive lock is a thread of the parent: it is made anew. */
static void after_fork_in_child(void)
{
    heap.lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    if (_IO_list_resetlock != NULL)
        _IO_list_resetlock();
}

__attribute__((constructor)) static void set_up(void)
{
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}
