/* SPDX-License-Identifier: MIT */
/* A token that passes between threads, and a child that visits the heap. */
#include "harness/program/parts/fail.h"

#include <pthread.h>
#include <semaphore.h>

/* The threads: one at a time runs a part of what is to be done, while the others wait. */
static struct thread {
    pthread_t id;
    int is_running;
    sem_t turn, done;
    void (*part)(void); /* NULL: the thread ends */
    _Alignas(4096) char stack[1 << 19];
} threads[8];

static void wait_for(sem_t *what)
{
    while (sem_wait(what) != 0)
        ;
}

static void *live(void *argument)
{
    struct thread *thread = argument;
    for (;;) {
        wait_for(&thread->turn);
        if (thread->part == NULL)
            return NULL;
        thread->part();
        sem_post(&thread->done);
    }
}

static void run_in(int i, void (*part)(void))
{
    struct thread *thread = &threads[i];
    if (i == 0) {
        part();
        return;
    }
    if (!thread->is_running) {
#ifdef WITH_FAULTS
        unsigned pending = fail_in; /* not for the calls of the thread itself */
        fail_in = 0;
#endif
        sem_init(&thread->turn, 0, 0);
        sem_init(&thread->done, 0, 0);
        pthread_attr_t attributes; /* a stack of our own: no system calls for it */
        pthread_attr_init(&attributes);
        pthread_attr_setstack(&attributes, thread->stack, sizeof thread->stack);
        if (pthread_create(&thread->id, &attributes, live, thread) != 0)
            FAIL("cannot start a thread\n");
        thread->is_running = 1;
#ifdef WITH_FAULTS
        fail_in = pending;
#endif
    }
    thread->part = part;
    sem_post(&thread->turn);
    wait_for(&thread->done);
}

static void end_thread(int i)
{
    struct thread *thread = &threads[i];
    if (!thread->is_running)
        return;
#ifdef WITH_FAULTS
    unsigned pending = fail_in; /* not for the calls of the thread itself */
    fail_in = 0;
#endif
    thread->part = NULL;
    sem_post(&thread->turn);
    pthread_join(thread->id, NULL);
    thread->is_running = 0;
#ifdef WITH_FAULTS
    fail_in = pending;
#endif
}
