/* SPDX-License-Identifier: MIT */
/* A threaded program that forks, under the drop-in: plain malloc and free across threads, stdio,
 * atexit, dlopen-free. Prints "ok". */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 30000, BOX = 256, FORKS = 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *box[BOX];

static void fail(const char *what)
{
    fprintf(stderr, "preload_threads: %s\n", what);
    exit(1);
}

static char *make_block(unsigned seed)
{
    size_t size = 16 + (seed >> 8) % (seed % 64 == 0 ? 200000 : 900);
    char *block = malloc(size);
    if (block == NULL)
        fail("no memory");
    memset(block, (int)(seed & 0x7f), 16);
    return block;
}

static void drop_block(char *block)
{
    for (int i = 1; block != NULL && i < 16; i++)
        if (block[i] != block[0])
            fail("a block has changed");
    free(block);
}

static void *churn(void *context)
{
    unsigned seed = *(unsigned *)context;
    for (int i = 0; i < ROUNDS; i++) {
        seed = seed * 1664525u + 1013904223u;
        char *block = make_block(seed);
        pthread_mutex_lock(&lock);
        char *other = box[seed % BOX];
        box[seed % BOX] = block;
        pthread_mutex_unlock(&lock);
        drop_block(other);
    }
    return NULL;
}

static void fork_child(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        for (unsigned i = 0; i < 1000; i++)
            drop_block(make_block(i * 7919));
        char *line = NULL;
        _exit(asprintf(&line, "%d", 12345) == 5 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    if (status != 0)
        fail("a child failed");
}

static void at_exit(void)
{
    free(malloc(1000));
    puts("ok");
}

int main(void)
{
    pthread_t threads[THREADS];
    unsigned seeds[THREADS];
    atexit(at_exit);
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i + 1;
        if (pthread_create(&threads[i], NULL, churn, &seeds[i]) != 0)
            fail("no thread");
    }
    for (int i = 0; i < FORKS; i++)
        fork_child();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
