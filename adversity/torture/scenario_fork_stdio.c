/* SPDX-License-Identifier: MIT */
/*
 * One thread forks while others flush all streams. Stdio holds its list of streams meanwhile, and
 * these streams allocate as they are written, as open_memstream's do. libc's fork takes that list
 * as well, after the fork handlers: if those hold a lock that malloc takes, both wait for ever.
 * After glibc BZ#19431.
 */
#include "adversity/torture/roles.h"
#include "adversity/torture/scenarios.h"

enum {
    SMALL_MAX = 4096,
    LARGE_MIN = 40000,
    LARGE_MAX = 1 << 19,
    LARGE_ONCE_IN = 8,
    REOPENED_ONCE_IN = 16
};

/* A stream of each worker; its own lock guards what it wrote last. */
static struct block written[WORKERS_MAX];
static _Thread_local struct worker *flusher;

static ssize_t write_block(void *stream, const char *text, size_t size)
{
    struct block *block = stream;
    (void)text;
    block_drop(flusher, block);
    block_make(flusher, block, SMALL_MAX);
    if (torture_random(flusher, LARGE_ONCE_IN) == 0) /* what no thread's cache has */
        block_resize(flusher, block, LARGE_MIN + torture_random(flusher, LARGE_MAX - LARGE_MIN));
    return (ssize_t)size;
}

static FILE *open_stream(struct worker *worker)
{
    FILE *stream;
    do
        stream =
            fopencookie(&written[worker->id], "w", (cookie_io_functions_t){.write = write_block});
    while (stream == NULL && torture_options.is_small && !torture_is_over());
    if (stream == NULL && !torture_options.is_small)
        torture_fail(worker, "null", "fopencookie", "a stream cannot be opened: errno %d", errno);
    return stream;
}

static void role_flush(struct worker *worker)
{
    flusher = worker;
    FILE *stream = open_stream(worker);
    while (stream != NULL && !torture_is_over()) {
        fputs("something to write", stream);
        fflush(NULL);
        if (torture_random(worker, REOPENED_ONCE_IN) != 0)
            continue;
        fclose(stream);
        stream = open_stream(worker);
    }
    if (stream != NULL)
        fclose(stream);
    block_drop(worker, &written[worker->id]);
}

void scenario_fork_stdio(void)
{
    workers_start(0, 1, role_fork_without_exit);
    workers_start(1, workers_to_start() - 1, role_flush);
    workers_join(0, workers_to_start());
    boxes_drain(worker_main());
}
