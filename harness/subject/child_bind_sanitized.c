/* SPDX-License-Identifier: MIT */
#include "harness/subject/child_bind.h"

#include <errno.h>
#include <stdio.h>

/* A sanitizer's own malloc stands in for the libc's, and refuses RTLD_DEEPBIND: only anvil, under
 * its prefix, can be judged in such a build. */
int child_bind(struct subject *ret_subject, const char *how, const char *what,
               char error[SUBJECT_ERROR_MAX])
{
    (void)ret_subject;
    (void)how;
    (void)what;
    snprintf(
        error, SUBJECT_ERROR_MAX,
        "could not bind: this build has a sanitizer, which replaces malloc; use another preset's");
    return ENOTSUP;
}
