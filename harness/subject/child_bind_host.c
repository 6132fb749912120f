/* SPDX-License-Identifier: MIT */
#include "harness/subject/child_bind.h"

#include "harness/executor/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int child_bind(struct subject *ret_subject, const char *how, const char *what,
               char error[SUBJECT_ERROR_MAX])
{
    (void)what;
    if (strcmp(how, CHILD_BIND_HOST) == 0)
        return subject_bind_host(ret_subject, error);
    snprintf(error, SUBJECT_ERROR_MAX,
             "could not bind: this child can only bind the libc that it runs on");
    return EINVAL;
}
