/* SPDX-License-Identifier: MIT */
/* From what a person typed to a plan: anvil, a program that brings its libc, a name of the catalog,
 * a path. The first that fits decides. */
#include "harness/subject/subject_plan.h"

#include "harness/subject/catalog.h"
#include "harness/subject/elf_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Programs that are linked with the libc to be judged: their name begins so. */
#define STANDALONE "mallet-conform"

static int refuse(char error[SUBJECT_ERROR_MAX], const char *typed, const char *reason, int result)
{
    snprintf(error, SUBJECT_ERROR_MAX, "subject `%.64s`: %s", typed, reason);
    return result;
}

const char *subject_anvil_options(const char *typed)
{
    if (strcmp(typed, "anvil") == 0)
        return "";
    return strncmp(typed, "anvil:", 6) == 0 ? typed + 6 : NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool is_standalone(const char *typed)
{
    return strchr(typed, '/') != NULL &&
           strncmp(base_name(typed), STANDALONE, strlen(STANDALONE)) == 0 &&
           access(typed, X_OK) == 0;
}

static int plan_anvil(struct subject_plan *plan, const char *options)
{
    plan->binding = BIND_STATIC;
    plan->suffix = "-anvil";
    snprintf(plan->name, sizeof plan->name, "%s", plan->spec);
    snprintf(plan->what, sizeof plan->what, "%s", options);
    bool is_default = strcmp(options, SUBJECT_ANVIL_DEFAULT) == 0; /* what the library has anyway */
    snprintf(plan->environment, sizeof plan->environment, "ANVIL_OPTIONS=%.512s",
             is_default ? "" : options);
    return 0;
}

static bool is_child_there(const struct subject_plan *plan)
{
    char program[PATH_MAX];
    return subject_plan_program(plan, program) && access(program, X_OK) == 0;
}

/* glibc is the libc of the child program for foreign subjects; another libc has a program of its
 * own, which is built where that libc's compiler is there. */
static int plan_libc(struct subject_plan *plan, const char *typed, char error[SUBJECT_ERROR_MAX])
{
    plan->binding = BIND_HOST;
    plan->suffix = strcmp(typed, "glibc") == 0 ? "" : "-musl";
    snprintf(plan->name, sizeof plan->name, "%s", typed);
    bool is_built = plan->suffix[0] == '\0' || is_child_there(plan);
    return is_built ? 0 : refuse(error, typed, "this build has no child program for it", ENOENT);
}

/* A name implies its binding; anvil's library can be preloaded all the same. */
static int check_implied(const struct subject_plan *plan, const char *typed,
                         enum subject_binding wanted, enum subject_scope scope,
                         char error[SUBJECT_ERROR_MAX])
{
    char reason[128];
    bool is_preload =
        plan->binding == BIND_STATIC && wanted == BIND_PRELOAD && scope == SUBJECT_WHOLE_PROCESS;
    if (wanted == BIND_AUTO || wanted == plan->binding || is_preload)
        return 0;
    snprintf(reason, sizeof reason, "it is always bound as %s here, not as %s%s",
             subject_binding_name(plan->binding), subject_binding_name(wanted),
             plan->binding == BIND_STATIC ? "; name libanvil.so for that" : "");
    return refuse(error, typed, reason, EINVAL);
}

static enum subject_binding choose_binding(const char *path, enum subject_binding wanted,
                                           enum subject_scope scope)
{
    if (wanted != BIND_AUTO)
        return wanted;
    struct elf_file object = elf_file_read(path);
    return scope == SUBJECT_WHOLE_PROCESS || object.refuses_dlopen || object.fills_static_tls
               ? BIND_PRELOAD
               : catalog_binding(path);
}

/* Finds the child program for the object, and refuses what it cannot bind as the plan says. */
static int plan_object(struct subject_plan *plan, char error[SUBJECT_ERROR_MAX])
{
    struct elf_file object = elf_file_read(plan->spec);
    if (object.is_32_bit)
        plan->suffix = SUBJECT_32_BIT;
    const char *reason =
        object.is_32_bit && !is_child_there(plan)
            ? "it is a 32-bit object, and this build has no child program for these"
        : object.refuses_dlopen && plan->binding != BIND_PRELOAD
            ? "it is linked with -z nodlopen, so it can only be preloaded"
        : object.fills_static_tls && plan->binding != BIND_PRELOAD
            ? "it wants too much static TLS to be opened late, so it can only be preloaded"
            : NULL;
    if (reason == NULL)
        return 0;
    snprintf(error, SUBJECT_ERROR_MAX, "could not bind %s: %s", plan->spec, reason);
    return EINVAL;
}

static int plan_file(struct subject_plan *plan, const char *typed, enum subject_binding wanted,
                     enum subject_scope scope, char error[SUBJECT_ERROR_MAX])
{
    if (wanted == BIND_STATIC || wanted == BIND_HOST)
        return refuse(error, typed,
                      wanted == BIND_STATIC
                          ? "it cannot be bound as static, only anvil is linked in"
                          : "it cannot be bound as host, only glibc and musl are a libc",
                      EINVAL);
    plan->binding = choose_binding(plan->spec, wanted, scope);
    snprintf(plan->name, sizeof plan->name, "%s", base_name(typed));
    snprintf(plan->what, sizeof plan->what, "%s", plan->spec);
    struct stat status = {0};
    int result = access(plan->spec, R_OK) == 0 && stat(plan->spec, &status) == 0 ? 0 : errno;
    bool is_file = result == 0 && S_ISREG(status.st_mode);
    if (is_file)
        return plan_object(plan, error);
    snprintf(error, SUBJECT_ERROR_MAX, "could not bind %s: %s", plan->spec,
             result != 0 ? strerror(result) : "it is not a regular file");
    return result != 0 ? result : EINVAL;
}

/* Fills plan->spec: where a file is, or what was typed. */
static int locate(struct subject_plan *plan, const char *typed, const struct catalog_entry *entry,
                  char error[SUBJECT_ERROR_MAX])
{
    char reason[128];
    if (entry != NULL && entry->pattern != NULL) {
        snprintf(reason, sizeof reason, "no %s in the usual library folders; name its file instead",
                 entry->pattern);
        return catalog_locate(entry, plan->spec) == 0 ? 0 : refuse(error, typed, reason, ENOENT);
    }
    bool is_name =
        strchr(typed, '/') == NULL && entry == NULL && subject_anvil_options(typed) == NULL;
    if (is_name && access(typed, F_OK) != 0) {
        snprintf(error, SUBJECT_ERROR_MAX,
                 "unknown subject `%.64s`: neither a name that `mallet list` shows nor the path of "
                 "a .so",
                 typed);
        return ENOENT;
    }
    if (snprintf(plan->spec, PATH_MAX, "%s%s", is_name ? "./" : "", typed) >= PATH_MAX)
        return refuse(error, typed, "the name is too long", ENOENT);
    return 0;
}

int subject_resolve(struct subject_plan *ret_plan, const char *typed, enum subject_binding wanted,
                    enum subject_scope scope, char error[SUBJECT_ERROR_MAX])
{
    struct subject_plan plan = {.suffix = ""};
    const struct catalog_entry *entry = catalog_find(typed);
    const char *options = subject_anvil_options(typed);
    int result = locate(&plan, typed, entry, error);
    if (result != 0)
        return result;
    if (options != NULL)
        result = plan_anvil(&plan, options);
    else if (is_standalone(typed))
        plan = subject_plan_host(base_name(typed), typed);
    else if (entry != NULL && entry->pattern == NULL)
        result = plan_libc(&plan, typed, error);
    else
        result = plan_file(&plan, typed, wanted, scope, error);
    if (result == 0 && (options != NULL || plan.binding == BIND_HOST))
        result = check_implied(&plan, typed, wanted, scope, error);
    if (result == 0)
        *ret_plan = plan;
    return result;
}
