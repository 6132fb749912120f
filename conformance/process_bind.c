/* SPDX-License-Identifier: MIT */
/* The functions beyond the family, wherever the subject is. */
#define PROBE_NO_NAMES
#include "conformance/process.h"

#include "harness/executor/protocol.h"

void bind_more(const char *how, const char *what)
{
    if (strcmp(how, CHILD_BIND_HOST) == 0) {
        bind_more_of_host();
        return;
    }
    if (strcmp(how, CHILD_BIND_STATIC) == 0)
        return;
    enum subject_namespace name_space =
        strcmp(how, CHILD_BIND_PRELOAD) == 0 ? NAMESPACE_PRELOADED : NAMESPACE_DEEPBIND;
#define CALL(name, result, parameters) \
    *(void **)(uintptr_t)&calls.name = subject_library_find(what, name_space, #name);
    MORE_CALLS(CALL)
#undef CALL
}
