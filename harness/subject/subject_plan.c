/* SPDX-License-Identifier: MIT */
/* Plans, once there is one: how a child program is told of it and where that program is. Needs
 * nothing but a libc, so that programs for other libcs have it too. */
#include "harness/subject/subject_plan.h"

#include "harness/base/proc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* anvil as a shared object, beside our programs' folder. */
#define ANVIL_LIBRARY "../lib/libanvil.so"
#define CHILD_PROGRAM "mallet-child"

static const char *const binding_names[] = {"auto",    "static",  "dlopen",
                                            "dlmopen", "preload", "host"};
#define BINDING_COUNT (sizeof binding_names / sizeof binding_names[0])

const char *subject_binding_name(unsigned binding)
{
    return binding < BINDING_COUNT ? binding_names[binding] : NULL;
}

int subject_binding_find(const char *name)
{
    for (size_t i = 0; i < BINDING_COUNT; i++)
        if (strcmp(binding_names[i], name) == 0)
            return (int)i;
    return -1;
}

struct subject_plan subject_plan_host(const char *name, const char *program)
{
    struct subject_plan plan = {.binding = BIND_HOST, .suffix = ""};
    snprintf(plan.name, sizeof plan.name, "%s", name);
    snprintf(plan.spec, sizeof plan.spec, "%s", program);
    snprintf(plan.program, sizeof plan.program, "%s", program);
    return plan;
}

bool subject_plan_whole_process(const struct subject_plan *plan, struct subject_plan *ret_plan)
{
    char folder[PATH_MAX / 2];
    *ret_plan = *plan;
    if (plan->binding == BIND_HOST)
        return true;
    ret_plan->binding = BIND_PRELOAD;
    if (plan->binding == BIND_STATIC) {
        ret_plan->suffix = "";
        if (!proc_own_folder(folder, sizeof folder))
            return false;
        snprintf(ret_plan->what, sizeof ret_plan->what, "%s/" ANVIL_LIBRARY, folder);
    }
    return access(ret_plan->what, R_OK) == 0;
}

bool subject_plan_serves_process(unsigned offers)
{
    const unsigned needed = 1u << SUBJECT_calloc | 1u << SUBJECT_realloc | 1u << SUBJECT_threads |
                            1u << SUBJECT_full_alignment | 1u << SUBJECT_whole_process;
    return (needed & ~offers) == 0;
}

const char *subject_plan_compile_option(const struct subject_plan *plan)
{
    return strcmp(plan->suffix, SUBJECT_32_BIT) == 0 ? "-m32" : NULL;
}

const char *subject_plan_preload(const struct subject_plan *plan)
{
    return plan->binding == BIND_PRELOAD ? plan->what : NULL;
}

bool subject_plan_program(const struct subject_plan *plan, char ret_path[PATH_MAX])
{
    char folder[PATH_MAX / 2];
    if (plan->program[0] != '\0')
        snprintf(ret_path, PATH_MAX, "%s", plan->program);
    else if (proc_own_folder(folder, sizeof folder))
        snprintf(ret_path, PATH_MAX, "%s/" CHILD_PROGRAM "%s", folder, plan->suffix);
    else
        return false;
    return true;
}
