/* SPDX-License-Identifier: MIT */
/* How to reach a subject: what the executor finds out by binding it once, and the library that
 * stands for it where a whole process matters. */
#include "conformance/gate.h"

#include "harness/executor/executor.h"
#include "harness/executor/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int locate(struct gate_subject *subject, const char *name, const char *library)
{
    char folder[PATH_MAX / 2];
    if (!executor_find_folder(folder, sizeof folder))
        return ENOENT;
    snprintf(subject->program, sizeof subject->program, "%s/%s", folder, name);
    if (library != NULL)
        snprintf(subject->preload, sizeof subject->preload, "%s/../lib/%s", folder, library);
    return 0;
}

static int fill(struct gate_subject *subject, const char *spec, const struct executor_info *info)
{
    snprintf(subject->name, sizeof subject->name, "%s", info->name);
    snprintf(subject->how, sizeof subject->how, "%s", subject_binding_name(info->binding));
    if (info->binding == BIND_HOST)
        return locate(subject, strcmp(spec, "musl") == 0 ? "mallet-conform-musl" : "mallet-conform",
                      NULL);
    if (info->binding != BIND_STATIC) {
        snprintf(subject->what, sizeof subject->what, "%s", spec);
        snprintf(subject->preload, sizeof subject->preload, "%s", spec);
        return locate(subject, "mallet-conform", NULL);
    }
    snprintf(subject->what, sizeof subject->what, "%s", spec[5] == ':' ? spec + 6 : "");
    snprintf(subject->environment, sizeof subject->environment, "ANVIL_OPTIONS=%.512s",
             subject->what);
    return locate(subject, "mallet-conform", "libanvil.so");
}

/* A standalone executable brings its own subject: the libc that it is linked with. */
static bool is_standalone(const char *spec, const char **ret_name)
{
    const char *slash = strrchr(spec, '/');
    *ret_name = slash != NULL ? slash + 1 : spec;
    return slash != NULL && strncmp(*ret_name, "mallet-conform", strlen("mallet-conform")) == 0 &&
           access(spec, X_OK) == 0;
}

int gate_subject_find(struct gate_subject *ret_subject, const char *spec,
                      char error[SUBJECT_ERROR_MAX])
{
    const char *name;
    if (is_standalone(spec, &name)) {
        *ret_subject = gate_subject_host(name, spec);
        return 0;
    }
    struct executor *executor;
    struct gate_subject subject = {0};
    int result = executor_start(&executor, spec, NULL, error);
    if (result != 0)
        return result;
    result = fill(&subject, spec, executor_info(executor));
    executor_stop(executor);
    if (result != 0)
        snprintf(error, SUBJECT_ERROR_MAX, "cannot find the folder of this program: %s",
                 strerror(result));
    else
        *ret_subject = subject;
    return result;
}
