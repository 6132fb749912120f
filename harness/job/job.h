/* SPDX-License-Identifier: MIT */
/*
 * A job: a named C function that runs in a child process against a bound subject. Probes of the
 * gate, torture scenarios and growth workloads are jobs; what they leave in shared memory, and how
 * the child ends, is judged by whoever started them (job_spawn.h).
 *
 *   caller ─ job_spawn ─→ child program: binds the subject into `calls` ─ runs one job ─→ report
 *
 * A job allocates nothing but from the subject, and uses no stdio: where the subject is the
 * process's own malloc, all of the heap is the subject's.
 */
#ifndef HARNESS_JOB_H
#define HARNESS_JOB_H

#include "harness/subject/subject.h"

#include <stddef.h>
#include <stdint.h>

enum job_kind { JOB_PROBE, JOB_SCENARIO, JOB_WORKLOAD, JOB_KIND_COUNT };
/* "probe", "scenario", "workload" and back; job_kind_find returns JOB_KIND_COUNT for another
 * name. */
const char *job_kind_name(enum job_kind kind);
enum job_kind job_kind_find(const char *name);

/* A bit of `needs`: of a function or of an enum subject_capability. */
#define NEEDS(function) (1u << SUBJECT_##function)

struct job {
    const char *name; /* among those of its kind */
    enum job_kind kind;
    unsigned needs; /* what it cannot do without, as subject_offers; beside malloc, free */
    /* In the child. report: its kind's, zeroed; arguments: words that its kind understands, NULL
     * last. When it returns the child exits with 0. */
    void (*run)(const struct job *job, void *report, char *const arguments[]);
};

/* Registers a job, from any file that is linked in. It may be the first member of what else its
 * kind has to say of it. */
#define JOB_REGISTER(id, registered)                                                       \
    static const struct job *const job_entry_##id __attribute__((section("jobs"), used)) = \
        &(registered)

/* Those linked in, in the linker's order: `for (const struct job *const *entry = NULL; (entry =
 * job_next(kind, entry)) != NULL;)`. */
const struct job *const *job_next(enum job_kind kind, const struct job *const *entry);
/* NULL: there is none. */
const struct job *job_find(enum job_kind kind, const char *name);
/* The first thing that a job needs and a subject that offers these has not; NULL: it can run. */
const char *job_find_lacking(unsigned needs, unsigned offers);

/* The memory of a child begins with this, on a page of its own that nothing in the child can write
 * once the subject is bound; what its kind reports follows at JOB_REPORT_OFFSET. The caller trusts
 * none of it. */
struct job_header {
    uint32_t magic;                   /* JOB_MAGIC once the subject is bound */
    uint32_t offers;                  /* as subject_offers */
    char sentence[SUBJECT_ERROR_MAX]; /* why it could not be bound */
};
enum { JOB_MAGIC = 0x6a6f6273, JOB_REPORT_OFFSET = 4096 };

/* The functions on trial in this process, and all else that the bound subject can do. Zero before
 * job_bind. */
extern struct subject_calls calls;
extern struct subject job_subject;
void job_bind(const struct subject *subject);

#endif
