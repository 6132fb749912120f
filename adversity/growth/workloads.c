/* SPDX-License-Identifier: MIT */
/* The registry: what the linker gathered from workloads/, by name. */
#include "adversity/growth/workload.h"

/* How many come before it. */
static size_t rank(const struct workload *workload)
{
    size_t before = 0;
    for (const struct job *const *entry = NULL; (entry = job_next(JOB_WORKLOAD, entry)) != NULL;) {
        const struct workload *other = (const struct workload *)*entry;
        before += other->kind < workload->kind || (other->kind == workload->kind &&
                                                   strcmp(other->job.name, workload->job.name) < 0);
    }
    return before;
}

const struct workload *workloads_at(size_t i)
{
    for (const struct job *const *entry = NULL; (entry = job_next(JOB_WORKLOAD, entry)) != NULL;)
        if (rank((const struct workload *)*entry) == i)
            return (const struct workload *)*entry;
    return NULL;
}

const struct workload *workloads_find(const char *name)
{
    return (const struct workload *)job_find(JOB_WORKLOAD, name);
}
