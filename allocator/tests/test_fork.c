/* SPDX-License-Identifier: MIT */
/* fork while other threads are inside the allocator: every child must be able to allocate, and must
 * see whole heaps. */
#include "support.h"

#include "sync.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, FORKS = 60, HAS_THREADS = 77 };

static atomic_bool must_stop;

static void *churn(void *context)
{
    unsigned seed = (unsigned)(uintptr_t)context;
    while (!atomic_load(&must_stop)) {
        seed = seed * 1664525u + 1013904223u;
        anvil_free(anvil_malloc((seed >> 8) % (seed % 16 == 0 ? 2000000 : 3000)));
    }
    return NULL;
}

static _Noreturn void child_allocates(void)
{
    char error[200];
    alarm(20);
    if (anvil_heap_check(NULL, error, sizeof error) != 0)
        _exit(2);
    for (size_t i = 0; i < 200; i++) {
        char *block = anvil_malloc(i * 100);
        block = anvil_realloc(block, i * 200 + 1);
        block[0] = 1;
        anvil_free(block);
    }
    _exit(0);
}

static void *churn_the_break(void *context)
{
    anvil_heap *heap;
    struct anvil_options options = {.source = ANVIL_SOURCE_SBRK, .unlocked = true};
    if (anvil_heap_create(&heap, &options) != 0)
        return NULL;
    while (!atomic_load(&must_stop)) {
        anvil_heap_free(heap, anvil_heap_malloc(heap, 500000));
        anvil_heap_malloc_trim(heap, 0);
    }
    anvil_heap_destroy(heap);
    return context;
}

static _Noreturn void child_moves_the_break(void)
{
    anvil_heap *heap;
    struct anvil_options options = {.source = ANVIL_SOURCE_SBRK};
    alarm(20);
    _exit(anvil_heap_create(&heap, &options) == 0 && anvil_heap_malloc(heap, 100) != NULL ? 0 : 3);
}

static void fork_children(void (*child_work)(void))
{
    for (int i = 0; i < FORKS; i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            child_work();
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

static ssize_t allocate_to_write(void *stream, const char *text, size_t size)
{
    (void)stream;
    (void)text;
    anvil_free(anvil_malloc(size));
    return (ssize_t)size;
}

/* fflush(NULL) holds the list of streams, for which fork waits. */
static void *flush(void *context)
{
    FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = allocate_to_write});
    while (!atomic_load(&must_stop)) {
        fputs("text", stream);
        fflush(NULL);
    }
    fclose(stream);
    return context;
}

static void fork_beside(void *(*work)(void *), void (*child_work)(void))
{
    pthread_t threads[THREADS];
    atomic_store(&must_stop, false);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    fork_children(child_work);
    atomic_store(&must_stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    support_check(NULL);
}

static void children_of_a_threaded_program_can_allocate(void **state)
{
    (void)state;
    fork_beside(churn, child_allocates);
}

/* The thread's heap takes no lock, so the fork handlers must wait for the break itself. */
static void children_can_move_the_break(void **state)
{
    (void)state;
    fork_beside(churn_the_break, child_moves_the_break);
}

static void a_thread_that_flushes_streams_may_allocate(void **state)
{
    (void)state;
    alarm(60);
    fork_beside(flush, child_allocates);
    alarm(0);
}

static void *handler_block;

static void allocate_in_handler(void)
{
    void *block = anvil_malloc(1000);
    anvil_free(handler_block);
    handler_block = block;
}

static void other_fork_handlers_may_allocate(void **state)
{
    (void)state;
    assert_int_equal(pthread_atfork(allocate_in_handler, allocate_in_handler, allocate_in_handler),
                     0);
    fork_beside(churn, child_allocates);
}

static void fork_in_handler(int signal_number)
{
    (void)signal_number;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
}

/* Signals come only while the loop runs: one inside fork itself would stop a sanitizer's own fork
 * handlers. */
static _Noreturn void work_in_a_storm(void)
{
    sigset_t storm;
    if (!sync_is_single_threaded())
        /* it is promised to programs with one thread only; a sanitizer may have started another */
        _exit(HAS_THREADS);
    (void)signal(SIGUSR1, fork_in_handler);
    sigemptyset(&storm);
    sigaddset(&storm, SIGUSR1);
    sigprocmask(SIG_BLOCK, &storm, NULL);
    alarm(30);
    pid_t stormer = fork();
    if (stormer == 0) {
        for (int i = 0; i < 200; i++, usleep(500))
            kill(getppid(), SIGUSR1);
        _exit(0);
    }
    while (waitpid(stormer, NULL, WNOHANG) == 0) {
        sigprocmask(SIG_UNBLOCK, &storm, NULL);
        for (int i = 0; i < 1000; i++)
            anvil_free(anvil_malloc(100));
        sigprocmask(SIG_BLOCK, &storm, NULL);
    }
    _exit(0);
}

static void a_handler_that_interrupts_malloc_may_fork(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0)
        work_in_a_storm();
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == HAS_THREADS)
        skip();
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_that_interrupts_malloc_may_fork),
        cmocka_unit_test(children_of_a_threaded_program_can_allocate),
        cmocka_unit_test(children_can_move_the_break),
        cmocka_unit_test(a_thread_that_flushes_streams_may_allocate),
        cmocka_unit_test(other_fork_handlers_may_allocate),
    };
    return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
