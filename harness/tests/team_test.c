/* SPDX-License-Identifier: MIT */
#include "harness/run/team.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct team *team;
static _Thread_local int own;
static pthread_key_t key;
static int destroyed;

static void add_to_own(void *context)
{
    *(int *)context = ++own;
    pthread_setspecific(key, &own);
}

static int ask(unsigned member)
{
    int seen = 0;
    assert_int_equal(team_do(team, member, add_to_own, &seen), 0);
    return seen;
}

static void destroy(void *value)
{
    (void)value;
    destroyed++;
}

static int processors(void)
{
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    return CPU_COUNT(&set);
}

static int set_up(void **state)
{
    (void)state;
    return pthread_key_create(&key, destroy) != 0 || team_init(&team) != 0;
}

static void each_member_is_one_thread(void **state)
{
    (void)state;
    for (int round = 1; round <= 3; round++)
        for (unsigned member = 0; member < TEAM_SIZE; member++)
            assert_int_equal(ask(member), round);
}

static void a_dismissed_member_ends_and_starts_anew(void **state)
{
    (void)state;
    destroyed = 0;
    team_dismiss(team, 3);
    assert_int_equal(destroyed, 1);
    assert_int_equal(ask(3), 1);
    team_dismiss(team, 0);
    assert_int_equal(ask(0), 4);
}

static void a_child_has_the_caller_only(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        team_forget(team);
        _exit(ask(2) == 1 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    destroyed = 0;
    team_dismiss_all(team);
    assert_int_equal(destroyed, TEAM_SIZE - 1);
}

static void the_processors_are_as_before_when_no_member_is_left(void **state)
{
    (void)state;
    int before = processors();
    ask(1);
    assert_int_equal(processors(), 1);
    ask(2);
    team_dismiss_all(team);
    assert_int_equal(processors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_is_one_thread),
        cmocka_unit_test(a_dismissed_member_ends_and_starts_anew),
        cmocka_unit_test(a_child_has_the_caller_only),
        cmocka_unit_test(the_processors_are_as_before_when_no_member_is_left),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
