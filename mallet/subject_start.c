/* SPDX-License-Identifier: MIT */
#include "mallet/subject_start.h"

#include "harness/subject/catalog.h"
#include "mallet/command.h"

#include <stdlib.h>

int subject_start(struct executor **ret_executor, const char *typed, enum subject_binding binding,
                  char error[SUBJECT_ERROR_MAX])
{
    char spec[PATH_MAX];
    int result = catalog_resolve(typed, spec, error);
    if (result != 0)
        return result;
    const struct executor_options options = {.binding = binding};
    return executor_start(ret_executor, spec, &options, error);
}

enum subject_binding parse_binding(const char *text)
{
    int binding = subject_binding_find(text);
    if (binding < 0)
        exit(refuse("--binding: `%s` is none of auto, static, dlopen, dlmopen, preload, host",
                    text));
    return (enum subject_binding)binding;
}
