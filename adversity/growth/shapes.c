/* SPDX-License-Identifier: MIT */
/* The registry: what the linker gathered from shapes/, by name. */
#include "adversity/growth/shape.h"

/* How many come before it. */
static size_t rank(const struct shape *shape)
{
    size_t before = 0;
    for (const struct job *const *entry = NULL; (entry = job_next(JOB_WORKLOAD, entry)) != NULL;) {
        const struct shape *other = (const struct shape *)*entry;
        before += other->kind < shape->kind ||
                  (other->kind == shape->kind && strcmp(other->job.name, shape->job.name) < 0);
    }
    return before;
}

const struct shape *shapes_at(size_t i)
{
    for (const struct job *const *entry = NULL; (entry = job_next(JOB_WORKLOAD, entry)) != NULL;)
        if (rank((const struct shape *)*entry) == i)
            return (const struct shape *)*entry;
    return NULL;
}

const struct shape *shapes_find(const char *name)
{
    return (const struct shape *)job_find(JOB_WORKLOAD, name);
}
