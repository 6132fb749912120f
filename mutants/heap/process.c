/* SPDX-License-Identifier: MIT */
/* Mutants that take several threads or a fork: who made a block, what is done when a thread ends
 * and in the child. See heap.h. */
#include "heap.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#define THREAD_OWN ((size_t)64 << 10)

static pthread_key_t exit_key;
static bool is_set_up;
static int *first_errno;
static _Thread_local bool is_first;
static _Thread_local struct chunk *cached; /* freed last by this thread */
static _Thread_local bool has_own;         /* took memory for itself */

/* At the exit of a thread that made a mapping. */
static void purge(void *chunk)
{
    void *page = (void *)round_up((uintptr_t)chunk_block(chunk), PAGE);
    madvise(page, chunk_size(chunk) - PAGE, MADV_DONTNEED);
}

/* The handlers of the parent took it for good. */
static void hang(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    for (;;)
        pthread_mutex_lock(&mutex);
}

void process_set_up(void)
{
    if (is_set_up)
        return;
    is_set_up = is_first = true;
    first_errno = &errno;
    if (HAS(thread_exit_purges))
        pthread_key_create(&exit_key, purge);
    if (HAS(fork_drops_heap))
        pthread_atfork(NULL, NULL, heap_drop);
    if (HAS(fork_child_hangs))
        pthread_atfork(NULL, NULL, hang);
}

void process_begins(void)
{
    struct chunk *own = NULL;
    if (HAS(thread_heap_lost) && !has_own)
        own = heap_take(THREAD_OWN);
    if (own != NULL)
        memset(chunk_block(own), 1, THREAD_OWN - HEADER);
    has_own = true;
}

void process_made(struct chunk *chunk)
{
    if (HAS(remote_free_lost) && !is_first)
        chunk->tag |= CHUNK_REMOTE;
    if (HAS(thread_exit_purges) && !is_first && chunk_is_mapped(chunk))
        pthread_setspecific(exit_key, chunk);
}

static bool is_lost(const struct chunk *chunk)
{
    return ((chunk->tag & CHUNK_REMOTE) == 0) != is_first;
}

/* One chunk stays with its thread; it goes when the next one comes. */
static void cache(struct chunk *chunk)
{
    struct chunk *old = cached;
    cached = chunk;
    if (old != NULL)
        heap_give(old);
}

bool process_keeps(struct chunk *chunk)
{
    if (HAS(remote_free_lost))
        return is_lost(chunk);
    if (!HAS(thread_cache_lost) || is_first || chunk_is_mapped(chunk))
        return false;
    cache(chunk);
    return true;
}

int *process_errno(void)
{
    return HAS(errno_of_first) && first_errno != NULL ? first_errno : &errno;
}
