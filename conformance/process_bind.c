/* SPDX-License-Identifier: MIT */
/* Finds the functions beyond the traced family, such as mallopt, for every kind of binding. */
#define PROBE_NO_NAMES
#include "conformance/process.h"

#include "harness/subject/subject_plan.h"

void bind_more(const char *how, const char *what)
{
    int binding = subject_binding_find(how);
    if (binding == BIND_HOST) {
        bind_more_of_host();
        return;
    }
    if (binding == BIND_STATIC)
        return;
    enum subject_namespace name_space =
        binding == BIND_PRELOAD ? NAMESPACE_PRELOADED : NAMESPACE_DEEPBIND;
#define CALL(name, result, parameters) \
    *(void **)(uintptr_t)&calls.name = subject_library_find(what, name_space, #name);
    MORE_CALLS(CALL)
#undef CALL
}
