/* SPDX-License-Identifier: MIT */
#include "harness/subject/child_bind.h"

#include "harness/executor/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int child_bind(struct subject *ret_subject, const char *how, const char *what,
               char error[SUBJECT_ERROR_MAX])
{
    if (strcmp(how, CHILD_BIND_HOST) == 0)
        return subject_bind_host(ret_subject, error);
    if (strcmp(how, CHILD_BIND_DLOPEN) == 0)
        return subject_bind_library(ret_subject, what, NAMESPACE_DEEPBIND, error);
    if (strcmp(how, CHILD_BIND_DLMOPEN) == 0)
        return subject_bind_library(ret_subject, what, NAMESPACE_OWN, error);
    if (strcmp(how, CHILD_BIND_PRELOAD) == 0)
        return subject_bind_library(ret_subject, what, NAMESPACE_PRELOADED, error);
    snprintf(error, SUBJECT_ERROR_MAX, "could not bind: unknown binding %s", how);
    return EINVAL;
}
