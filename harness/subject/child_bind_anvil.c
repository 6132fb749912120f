/* SPDX-License-Identifier: MIT */
#include "harness/subject/child_bind.h"

#include "harness/subject/subject_plan.h"

#include <errno.h>
#include <stdio.h>

int child_bind(struct subject *ret_subject, const char *how, const char *what,
               char error[SUBJECT_ERROR_MAX])
{
    if (subject_binding_find(how) == BIND_STATIC)
        return subject_bind_anvil(ret_subject, what, 0, error);
    snprintf(error, SUBJECT_ERROR_MAX, "could not bind: this child can only bind anvil");
    return EINVAL;
}
