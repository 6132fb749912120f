/* SPDX-License-Identifier: MIT */
/*
 * A plain stress program for one allocator, which knows nothing of the harness: what the sound
 * subjects must pass before a finding about them is a false alarm of the harness.
 *
 * usage: stress LIBRARY [ROUNDS]
 *
 * Four threads take, resize, hand over and free blocks that they fill and verify; the process forks
 * meanwhile, and the children do the same. Then single calls: sizes that cannot be, errno,
 * alignment, and memory that is used up, freed, and there again.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, SLOTS = 48, SHARED = 16 };

static struct {
    void *(*malloc)(size_t);
    void (*free)(void *);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    size_t (*malloc_usable_size)(void *);
} subject;

struct block {
    unsigned char *start;
    size_t size;
    unsigned char fill;
};
static unsigned rounds = 20000; /* of each thread */
static struct block shared[SHARED];
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;

#define REQUIRE(condition)              \
    do {                                \
        if (!(condition))               \
            fail(__LINE__, #condition); \
    } while (0)

static void fail(int line, const char *condition)
{
    dprintf(2, "stress.c:%d: %s\n", line, condition);
    _exit(1);
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 8;
}

static size_t random_size(unsigned *state)
{
    unsigned kind = next_random(state) % 64;
    size_t limit = kind < 40 ? 200 : kind < 60 ? 3000 : kind < 63 ? 30000 : 600000;
    return 1 + next_random(state) % limit;
}

static void fill(struct block *block, unsigned char with)
{
    block->fill = with;
    memset(block->start, with, block->size);
}

static void verify(const struct block *block, size_t size)
{
    for (size_t i = 0; i < size; i++)
        REQUIRE(block->start[i] == block->fill);
}

static void release(struct block *block)
{
    if (block->start == NULL)
        return;
    verify(block, block->size);
    errno = 77;
    subject.free(block->start);
    REQUIRE(errno == 77);
    block->start = NULL;
}

static void *take(size_t size, unsigned kind)
{
    size_t alignment = (size_t)16 << kind % 9;
    if (kind % 4 == 1 && subject.calloc != NULL) {
        unsigned char *start = subject.calloc(size, 1);
        for (size_t i = 0; start != NULL && i < size; i++)
            REQUIRE(start[i] == 0);
        return start;
    }
    if (kind % 8 == 2 && subject.aligned_alloc != NULL) {
        void *start = subject.aligned_alloc(alignment, size);
        REQUIRE((uintptr_t)start % alignment == 0);
        return start;
    }
    return subject.malloc(size);
}

static void resize(struct block *block, size_t size, unsigned char with)
{
    unsigned char *moved = subject.realloc(block->start, size);
    if (moved == NULL)
        return;
    struct block kept = {moved, size, block->fill};
    verify(&kept, block->size < size ? block->size : size);
    *block = kept;
    fill(block, with);
}

static void step(struct block *slots, unsigned *state)
{
    struct block *block = &slots[next_random(state) % SLOTS];
    unsigned kind = next_random(state);
    if (block->start == NULL) {
        block->size = random_size(state);
        block->start = take(block->size, kind);
        if (block->start == NULL)
            return;
        REQUIRE((uintptr_t)block->start % (block->size < 16 ? 8 : 16) == 0);
        if (subject.malloc_usable_size != NULL)
            REQUIRE(subject.malloc_usable_size(block->start) >= block->size);
        fill(block, (unsigned char)kind);
    } else if (kind % 4 == 0 && subject.realloc != NULL) {
        resize(block, random_size(state), (unsigned char)(kind >> 8));
    } else if (kind % 4 == 1) {
        pthread_mutex_lock(&shared_lock);
        struct block *other = &shared[next_random(state) % SHARED], swap = *other;
        *other = *block;
        *block = swap;
        pthread_mutex_unlock(&shared_lock);
    } else {
        release(block);
    }
}

static void *work(void *seed)
{
    unsigned state = (unsigned)(uintptr_t)seed;
    struct block slots[SLOTS] = {0};
    for (unsigned i = 0; i < rounds; i++)
        step(slots, &state);
    for (unsigned i = 0; i < SLOTS; i++)
        release(&slots[i]);
    return NULL;
}

/* The child of a process with other threads: it uses what it inherited and allocates. */
static void fork_child(unsigned seed)
{
    struct block slots[SLOTS] = {0};
    alarm(30);
    for (unsigned i = 0; i < rounds; i++)
        step(slots, &seed);
    for (unsigned i = 0; i < SLOTS; i++)
        release(&slots[i]);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, work, (void *)(uintptr_t)3) == 0);
    pthread_join(thread, NULL);
    _exit(0);
}

static void *fork_once(void *unused)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        subject.free(subject.malloc(100));
        _exit(0);
    }
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    return unused;
}

/* A fork of a process with one thread, whose child starts one, which forks. */
static void check_forks(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        alarm(30);
        REQUIRE(pthread_create(&thread, NULL, fork_once, NULL) == 0);
        pthread_join(thread, NULL);
        _exit(0);
    }
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

static void run_threads(void)
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0);
    for (unsigned i = 0; i < 8; i++) {
        int status;
        pthread_mutex_lock(&shared_lock); /* so that the child finds it unlocked */
        pid_t child = fork();
        pthread_mutex_unlock(&shared_lock);
        if (child == 0) {
            rounds /= 8;
            fork_child(i);
        }
        REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < SHARED; i++)
        release(&shared[i]);
}

static void check_impossible(void)
{
    volatile size_t half = SIZE_MAX / 2 + 1;
    errno = 0;
    REQUIRE(subject.malloc(PTRDIFF_MAX) == NULL && errno == ENOMEM);
    errno = 0;
    REQUIRE(subject.malloc(SIZE_MAX) == NULL && errno == ENOMEM);
    errno = 0;
    REQUIRE(subject.calloc == NULL || (subject.calloc(half, 2) == NULL && errno == ENOMEM));
    errno = 0;
    void *block = subject.malloc(100);
    REQUIRE(block != NULL && errno == 0);
    memset(block, 5, 100);
    REQUIRE(subject.realloc == NULL ||
            (subject.realloc(block, SIZE_MAX - 8) == NULL && errno == ENOMEM));
    for (unsigned i = 0; i < 100; i++)
        REQUIRE(((unsigned char *)block)[i] == 5);
    subject.free(block);
    subject.free(NULL);
    subject.free(subject.malloc(0));
}

static void check_aligned(void)
{
    void *block = &block;
    errno = 0;
    REQUIRE(subject.posix_memalign(&block, 24, 8) == EINVAL && block == &block && errno == 0);
    REQUIRE(subject.posix_memalign(&block, 2, 8) == EINVAL && block == &block);
    REQUIRE(subject.posix_memalign(&block, 64, SIZE_MAX / 2) == ENOMEM && block == &block);
    for (size_t alignment = 16; alignment <= (size_t)1 << 20; alignment *= 2)
        for (size_t size = 1; size < 3 * alignment; size += size / 2 + 1) {
            unsigned char *aligned;
            if (subject.posix_memalign((void **)&aligned, alignment, size) != 0)
                continue;
            REQUIRE((uintptr_t)aligned % alignment == 0);
            aligned[0] = aligned[size - 1] = 1;
            if (subject.realloc != NULL && (aligned = subject.realloc(aligned, size + 100)) != NULL)
                aligned[size + 99] = 1;
            subject.free(aligned);
        }
    REQUIRE(errno == 0 || subject.realloc != NULL);
}

/* Uses all memory up, but for at most 2 blocks a round, twice: as many fit the second time. */
static void check_reuse(size_t size)
{
    static void *blocks[40000];
    unsigned counts[2], most = rounds < 20000 ? 2 * rounds : 40000;
    for (unsigned turn = 0; turn < 2; turn++) {
        unsigned count = 0;
        while (count < most && (blocks[count] = subject.malloc(size)) != NULL)
            memset(blocks[count++], 1, size);
        counts[turn] = count;
        for (unsigned i = 0; i < count; i++)
            subject.free(blocks[count - 1 - i]);
    }
    REQUIRE(counts[1] >= counts[0]);
}

/* NULL: the library has none; dlsym would return that of the libc, on which it depends. */
static void *function_of(void *library, const char *name)
{
    void *function = dlsym(library, name);
    Dl_info own, other;
    REQUIRE(dladdr(dlsym(library, "malloc"), &own) != 0);
    return function != NULL && dladdr(function, &other) != 0 && own.dli_fbase == other.dli_fbase
               ? function
               : NULL;
}

int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND) : NULL;
    if (library == NULL) {
        fprintf(stderr, "stress: %s\n", argc > 1 ? dlerror() : "LIBRARY is missing");
        return 2;
    }
    if (argc > 2)
        rounds = (unsigned)strtoul(argv[2], NULL, 10);
#define BIND(name) *(void **)&subject.name = function_of(library, #name)
    BIND(malloc);
    BIND(free);
    BIND(calloc);
    BIND(realloc);
    BIND(aligned_alloc);
    BIND(posix_memalign);
    BIND(malloc_usable_size);
    check_impossible();
    if (subject.posix_memalign != NULL)
        check_aligned();
    check_reuse(48);
    check_reuse(3000);
    check_forks();
    run_threads();
    check_reuse(48);
    return 0;
}
