/* SPDX-License-Identifier: MIT */
/*
 * Replays a trace: the ops as `struct trace_op`, in a file that is mapped and read before the
 * measurement begins. No checks. Ops of threads, sweeps and failures are passed over, since the
 * costs of the calls are wanted.
 */
#include "bench/child.h"

#include "harness/trace/trace.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const struct trace_op *map_ops(const char *file, size_t *ret_count)
{
    struct stat status;
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &status) != 0 || status.st_size == 0)
        fail("the trace cannot be read");
    const struct trace_op *ops =
        mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
    if (ops == MAP_FAILED)
        fail("the trace cannot be mapped");
    *ret_count = (size_t)status.st_size / sizeof *ops;
    return ops;
}

/* A program writes what it allocates: a byte of every page. */
static void *touch(void *block, size_t size)
{
    enum { PAGE = 4096 };
    for (size_t at = 0; block != NULL && at < size; at += PAGE)
        *(volatile char *)((char *)block + at) = 1;
    return block;
}

static void *resize(void *block, size_t size)
{
    void *moved = realloc(block, size);
    if (moved == NULL && size > 0)
        return block;
    return touch(moved, size);
}

static void *take_aligned(size_t alignment, size_t size)
{
    void *block = NULL;
    return posix_memalign(&block, alignment, size) == 0 ? touch(block, size) : NULL;
}

static void run_op(const struct trace_op *op, void **slot)
{
    switch ((enum op_kind)op->kind) {
    case OP_MALLOC:
    case OP_REALLOC_NULL:
        *slot = touch(malloc(op->size), op->size);
        break;
    case OP_CALLOC:
        *slot = calloc(op->extra, op->size);
        break;
    case OP_REALLOC:
        *slot = resize(*slot, op->size);
        break;
    case OP_REALLOCARRAY:
    case OP_REALLOCARRAY_NULL:
        *slot = resize(op->kind == OP_REALLOCARRAY ? *slot : NULL, op->extra * op->size);
        break;
    case OP_ALIGNED_ALLOC:
        *slot = touch(aligned_alloc(op->extra, op->size), op->size);
        break;
    case OP_POSIX_MEMALIGN:
    case OP_MEMALIGN:
        *slot = take_aligned(op->extra, op->size);
        break;
    case OP_VALLOC:
    case OP_PVALLOC:
        *slot = take_aligned(4096, op->size);
        break;
    case OP_FREE:
    case OP_FREE_SIZED:
    case OP_FREE_ALIGNED_SIZED:
        free(*slot);
        *slot = NULL;
        break;
    default:
        break;
    }
}

void run_trace(const char *file, uint64_t count)
{
    size_t op_count;
    const struct trace_op *ops = map_ops(file, &op_count);
    size_t used = 0;
    for (size_t i = 0; i < op_count; i++)
        used = ops[i].slot >= used ? ops[i].slot + 1 : used;
    if (used > TRACE_SLOTS)
        fail("the trace is damaged");
    void **slots = map_table(used, sizeof *slots);
    measure_begin();
    for (uint64_t pass = 0; pass < count; pass++) {
        for (size_t i = 0; i < op_count; i++)
            run_op(&ops[i], &slots[ops[i].slot]);
        for (size_t i = 0; i < used; i++) {
            free(slots[i]);
            slots[i] = NULL;
        }
    }
    measure_end(count * op_count, 0);
}
