/* SPDX-License-Identifier: MIT */
/*
 * A library with a mutex and fork handlers that take it, initialised before the program, and (as
 * the same file, with a main) a program in which a thread allocates under that mutex while another
 * forks. The handlers of the allocator must not hold a lock of its own while these wait for the
 * mutex.
 */
#include <pthread.h>

#ifdef FORK_ORDER_LIBRARY

pthread_mutex_t fork_order_mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock_mutex(void)
{
    pthread_mutex_lock(&fork_order_mutex);
}

static void unlock_mutex(void)
{
    pthread_mutex_unlock(&fork_order_mutex);
}

__attribute__((constructor)) static void start(void)
{
    pthread_atfork(lock_mutex, unlock_mutex, unlock_mutex);
}

#else

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 100, LARGE = 8 << 20 };

extern pthread_mutex_t fork_order_mutex;

/* Blocks that no thread keeps for itself: they take the lock of the heap each time. */
static void *allocate_under_the_mutex(void *context)
{
    for (;;) {
        pthread_mutex_lock(&fork_order_mutex);
        free(malloc(LARGE));
        pthread_mutex_unlock(&fork_order_mutex);
    }
    return context;
}

/* The default heap's second names. */
extern void *__libc_malloc(size_t size);
extern void __libc_free(void *block);

int main(void)
{
    pthread_t thread;
    alarm(30);
    free(__libc_malloc(100));
    __libc_free(malloc(100000));
    if (pthread_create(&thread, NULL, allocate_under_the_mutex, NULL) != 0)
        return 1;
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
    printf("ok\n");
    _exit(fflush(stdout) == 0 ? 0 : 1);
}

#endif
