/* SPDX-License-Identifier: MIT */
/*
 * The heap is a reservation whose pages become accessible when the break first crosses them, so
 * that a write behind the break's page faults, and so that the system can be asked, and can refuse.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "memlib.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MEM_HEAP_MAX
#define MEM_HEAP_MAX (20 << 20)
#endif

static struct {
    char *start, *end, *committed, *limit; /* start ≤ end ≤ committed ≤ limit */
} heap;

__attribute__((constructor)) void mem_init(void)
{
    if (heap.start != NULL)
        return;
    void *area =
        mmap(NULL, MEM_HEAP_MAX, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED)
        return; /* every mem_sbrk fails */
    heap.start = heap.end = heap.committed = area;
    heap.limit = heap.start + MEM_HEAP_MAX;
}

void mem_deinit(void)
{
    if (heap.start != NULL)
        munmap(heap.start, MEM_HEAP_MAX);
    heap.start = heap.end = heap.committed = heap.limit = NULL;
}

static int commit_up_to(const char *end)
{
    size_t page = mem_pagesize();
    size_t wanted = ((size_t)(end - heap.committed) + page - 1) / page * page;
    if (end <= heap.committed)
        return 0;
    if (wanted > (size_t)(heap.limit - heap.committed))
        wanted = (size_t)(heap.limit - heap.committed);
    if (mprotect(heap.committed, wanted, PROT_READ | PROT_WRITE) != 0)
        return -1;
    heap.committed += wanted;
    return 0;
}

void *mem_sbrk(int increment)
{
    char *old = heap.end;
    if (increment < 0 || increment > heap.limit - old || commit_up_to(old + increment) != 0) {
        errno = ENOMEM;
        return (void *)-1;
    }
    heap.end = old + increment;
    return old;
}

void mem_reset_brk(void)
{
    heap.end = heap.start;
}

void *mem_heap_lo(void)
{
    return heap.start;
}

void *mem_heap_hi(void)
{
    return heap.end - 1;
}

size_t mem_heapsize(void)
{
    return (size_t)(heap.end - heap.start);
}

size_t mem_pagesize(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}
