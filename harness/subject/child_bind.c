/* SPDX-License-Identifier: MIT */
#include "harness/subject/child_bind.h"

#include "harness/subject/subject_plan.h"

#include <errno.h>
#include <stdio.h>

int child_bind(struct subject *ret_subject, const char *how, const char *what,
               char error[SUBJECT_ERROR_MAX])
{
    switch (subject_binding_find(how)) {
    case BIND_HOST:
        return subject_bind_host(ret_subject, error);
    case BIND_DLOPEN:
        return subject_bind_library(ret_subject, what, NAMESPACE_DEEPBIND, error);
    case BIND_DLMOPEN:
        return subject_bind_library(ret_subject, what, NAMESPACE_OWN, error);
    case BIND_PRELOAD:
        return subject_bind_library(ret_subject, what, NAMESPACE_PRELOADED, error);
    default:
        snprintf(error, SUBJECT_ERROR_MAX, "could not bind: this child cannot bind as %s", how);
        return EINVAL;
    }
}
