/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "sync.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 20000 };

static struct sync_lock lock;
static unsigned counter;

static void *count(void *context)
{
    for (int i = 0; i < ROUNDS; i++) {
        sync_lock_acquire(&lock);
        counter++;
        sync_lock_release(&lock);
    }
    return context;
}

static void the_lock_lets_one_thread_in_at_a_time(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counter, THREADS * ROUNDS);
}

static void the_forking_thread_may_enter_again(void **state)
{
    (void)state;
    sync_lock_acquire(&lock);
    sync_fork_enter();
    sync_fork_begin(&lock);
    sync_lock_acquire(&lock);
    sync_lock_release(&lock);
    assert_int_equal(atomic_load(&lock.state), SYNC_FORKING);
    sync_fork_leave();
    sync_fork_end(&lock);
    assert_int_equal(atomic_load(&lock.state), SYNC_FREE);
}

static void a_thread_that_waits_for_a_fork_is_woken(void **state)
{
    (void)state;
    pthread_t thread;
    counter = 0;
    sync_lock_acquire(&lock);
    sync_fork_enter();
    sync_fork_begin(&lock);
    assert_int_equal(pthread_create(&thread, NULL, count, NULL), 0);
    sync_fork_leave();
    sync_fork_end(&lock);
    pthread_join(thread, NULL);
    assert_int_equal(counter, ROUNDS);
}

static void a_lock_that_is_off_keeps_nobody_out(void **state)
{
    (void)state;
    struct sync_lock off = {0};
    sync_lock_turn_off(&off);
    for (int i = 0; i < 2; i++)
        sync_lock_acquire(&off);
    sync_lock_release(&off);
    sync_fork_begin(&off);
    sync_fork_end(&off);
    for (int i = 0; i < 2; i++)
        sync_lock_acquire(&off);
    assert_int_equal(off.state, SYNC_OFF);
}

static void only_the_first_publication_counts(void **state)
{
    (void)state;
    struct sync_pointer pointer = {0};
    int first, second;
    assert_ptr_equal(sync_publish_once(&pointer, &first), &first);
    assert_ptr_equal(sync_publish_once(&pointer, &second), &first);
    assert_ptr_equal(sync_read(&pointer), &first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lock_lets_one_thread_in_at_a_time),
        cmocka_unit_test(the_forking_thread_may_enter_again),
        cmocka_unit_test(a_thread_that_waits_for_a_fork_is_woken),
        cmocka_unit_test(a_lock_that_is_off_keeps_nobody_out),
        cmocka_unit_test(only_the_first_publication_counts),
    };
    return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
