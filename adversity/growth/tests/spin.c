/* SPDX-License-Identifier: MIT */
/* malloc and free over a mapping that never ends. After many calls, each uses a fifth of a
 * millisecond if this is built with SLOW, and does not return with HUNG. */
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>

enum { MANY = 5000, SLOW_NS = 200000 };
#ifdef HUNG
enum { IS_HUNG = 1 };
#else
enum { IS_HUNG = 0 };
#endif
#define ROOM ((size_t)64 << 30)

static void spin(void)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while (IS_HUNG ||
           (now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec < SLOW_NS);
}

static void begin_call(void)
{
    static unsigned long calls;
    if (__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) > MANY)
        spin();
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    static char *room;
    static size_t used;
    begin_call();
    if (room == NULL)
        room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    return room + __atomic_fetch_add(&used, (size + 31) & ~(size_t)15, __ATOMIC_RELAXED);
}

__attribute__((visibility("default"))) void free(void *block)
{
    (void)block;
    begin_call();
}
