/* SPDX-License-Identifier: MIT */
#include "harness/subject/child_bind.h"

#include "harness/subject/subject_plan.h"

#include <errno.h>
#include <stdio.h>

int child_bind(struct subject *ret_subject, const char *how, const char *what,
               char error[SUBJECT_ERROR_MAX])
{
    (void)what;
    if (subject_binding_find(how) == BIND_HOST)
        return subject_bind_host(ret_subject, error);
    snprintf(error, SUBJECT_ERROR_MAX,
             "could not bind: this child can only bind the libc that it runs on");
    return EINVAL;
}
