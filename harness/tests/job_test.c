/* SPDX-License-Identifier: MIT */
/* Jobs in the child programs: what comes of one that cannot be run, and what the programs hold. */
#include "harness/job/child.h"
#include "harness/job/job_spawn.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { REPORT_SIZE = 4096, WALL_LIMIT_MS = 20000 };

/* The process is ended; the caller releases it. */
static struct process run(const struct subject_plan *subject, const char *name)
{
    struct process process;
    const struct job_order order = {.subject = subject,
                                    .kind = JOB_PROBE,
                                    .name = name,
                                    .report_size = REPORT_SIZE,
                                    .wall_limit_ms = WALL_LIMIT_MS};
    assert_int_equal(job_spawn(&order, &process), 0);
    process_wait(&process);
    assert_true(WIFEXITED(process.status));
    return process;
}

static struct subject_plan resolve(const char *typed)
{
    struct subject_plan plan;
    char error[SUBJECT_ERROR_MAX];
    if (subject_resolve(&plan, typed, BIND_AUTO, SUBJECT_IN_PROCESS, error) != 0)
        fail_msg("%s", error);
    return plan;
}

static void unknown_job_is_a_usage_error(void **state)
{
    (void)state;
    struct subject_plan anvil = resolve("anvil");
    struct process process = run(&anvil, "there_is_no_such_probe");
    assert_int_equal(WEXITSTATUS(process.status), CHILD_EXIT_USAGE);
    assert_null(job_refusal(&process));
    process_release(&process);
}

static void subject_that_cannot_be_bound_is_refused_with_a_sentence(void **state)
{
    (void)state;
    struct subject_plan anvil = resolve("anvil:frob=1");
    struct process process = run(&anvil, "malloc_gives_the_requested_size");
    const char *refusal = job_refusal(&process);
    assert_non_null(refusal);
    if (strstr(refusal, "could not bind anvil") == NULL)
        fail_msg("\"%s\" does not say what cannot be bound", refusal);
    assert_int_equal(job_offers(&process), 0);
    process_release(&process);
}

static bool holds(const struct subject_plan *plan, const char *word)
{
    char path[PATH_MAX];
    struct stat status;
    assert_true(subject_plan_program(plan, path));
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(file, &status), 0);
    void *text = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    assert_true(text != MAP_FAILED);
    close(file);
    bool is_there = memmem(text, (size_t)status.st_size, word, strlen(word)) != NULL;
    munmap(text, (size_t)status.st_size);
    return is_there;
}

/* anvil's fork handlers would stand beside the subject's. */
static void program_for_foreign_subjects_has_nothing_of_anvil(void **state)
{
    (void)state;
    static const char word[] = "anvil_heap_create";
    struct subject_plan anvil = resolve("anvil"), glibc = resolve("glibc");
    assert_true(holds(&anvil, word));
    assert_false(holds(&glibc, word));
}

static void kinds_are_found_by_name(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < JOB_KIND_COUNT; kind++)
        assert_int_equal(job_kind_find(job_kind_name((enum job_kind)kind)), kind);
    assert_int_equal(job_kind_find("chore"), JOB_KIND_COUNT);
    assert_null(job_find(JOB_KIND_COUNT, "malloc_gives_the_requested_size"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_job_is_a_usage_error),
        cmocka_unit_test(subject_that_cannot_be_bound_is_refused_with_a_sentence),
        cmocka_unit_test(program_for_foreign_subjects_has_nothing_of_anvil),
        cmocka_unit_test(kinds_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
