/* SPDX-License-Identifier: MIT */
#include "harness/subject/child_bind.h"

#include "harness/executor/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int child_bind(struct subject *ret_subject, const char *how, const char *what,
               char error[SUBJECT_ERROR_MAX])
{
    if (strcmp(how, CHILD_BIND_STATIC) == 0)
        return subject_bind_anvil(ret_subject, what, 0, error);
    snprintf(error, SUBJECT_ERROR_MAX, "could not bind: this child can only bind anvil");
    return EINVAL;
}
