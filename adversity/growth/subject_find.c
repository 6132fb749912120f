/* SPDX-License-Identifier: MIT */
/* How to reach a subject: what the executor finds out by binding it once. */
#include "adversity/growth/process.h"
#include "harness/executor/executor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int fill(struct growth_subject *subject, const char *spec, const struct executor_info *info)
{
    snprintf(subject->name, sizeof subject->name, "%s", info->name);
    subject->how = subject_binding_name(info->binding);
    subject->offers = info->offers;
    if (info->binding == BIND_STATIC)
        snprintf(subject->what, sizeof subject->what, "%s", spec[5] == ':' ? spec + 6 : "");
    else if (info->binding != BIND_HOST)
        snprintf(subject->what, sizeof subject->what, "%s", spec);
    if (info->binding == BIND_PRELOAD)
        snprintf(subject->preload, sizeof subject->preload, "%s", spec);
    return executor_find_program("mallet-growth", spec, info->binding, subject->program,
                                 sizeof subject->program)
               ? 0
               : ENOENT;
}

int growth_subject_find(struct growth_subject *ret_subject, const char *spec,
                        char error[SUBJECT_ERROR_MAX])
{
    struct executor *executor;
    int result = executor_start(&executor, spec, NULL, error);
    if (result != 0)
        return result;
    *ret_subject = (struct growth_subject){0};
    result = fill(ret_subject, spec, executor_info(executor));
    executor_stop(executor);
    if (result != 0)
        snprintf(error, SUBJECT_ERROR_MAX, "cannot find the folder of this program: %s",
                 strerror(result));
    return result;
}
