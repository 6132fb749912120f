/* SPDX-License-Identifier: MIT */
/* The registry of jobs, and the subject that a child has bound. */
#include "harness/job/job.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct job_header) <= JOB_REPORT_OFFSET, "reports lie behind the header");

/* Weak: a program may have no job. */
extern const struct job *const __start_jobs[] __attribute__((weak));
extern const struct job *const __stop_jobs[] __attribute__((weak));

struct subject_calls calls;
struct subject job_subject;

static const char *const kind_names[JOB_KIND_COUNT] = {"probe", "scenario", "workload"};

const char *job_kind_name(enum job_kind kind)
{
    return kind_names[kind];
}

enum job_kind job_kind_find(const char *name)
{
    unsigned kind = 0;
    while (kind < JOB_KIND_COUNT && strcmp(kind_names[kind], name) != 0)
        kind++;
    return (enum job_kind)kind;
}

const struct job *const *job_next(enum job_kind kind, const struct job *const *entry)
{
    entry = entry == NULL ? __start_jobs : entry + 1;
    while (entry < __stop_jobs && (*entry)->kind != kind)
        entry++;
    return entry < __stop_jobs ? entry : NULL;
}

const struct job *job_find(enum job_kind kind, const char *name)
{
    for (const struct job *const *entry = NULL; (entry = job_next(kind, entry)) != NULL;)
        if (strcmp((*entry)->name, name) == 0)
            return *entry;
    return NULL;
}

const char *job_find_lacking(unsigned needs, unsigned offers)
{
    unsigned lacking = needs & ~offers;
    return lacking != 0 ? subject_call_name((enum subject_call)__builtin_ctz(lacking)) : NULL;
}

void job_bind(const struct subject *subject)
{
    job_subject = *subject;
    calls = subject->calls;
}
