/* SPDX-License-Identifier: MIT */
/*
 * A foreign shared object in this process. RTLD_DEEPBIND lets its own calls of malloc reach itself
 * and not this process's libc; a second libc needs a namespace of its own. Only functions that the
 * object itself defines are bound: dlsym would also find its dependencies'.
 */
#include "harness/subject/subject.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

/* The function if `library` itself defines it, else NULL. */
static void *find_own(void *library, const char *name)
{
    void *function = dlsym(library, name);
    struct link_map *owner = NULL, *own = NULL;
    Dl_info info;
    if (function == NULL || dladdr1(function, &info, (void **)&owner, RTLD_DL_LINKMAP) == 0)
        return NULL;
    return dlinfo(library, RTLD_DI_LINKMAP, &own) == 0 && own == owner ? function : NULL;
}

/* A declared subject has its functions under these names: the process's own malloc stays. */
#define DECLARED "mallet_declared_"

static void bind_calls(struct subject *subject, void *library)
{
    const char *prefix = find_own(library, DECLARED "malloc") != NULL ? DECLARED : "";
    char symbol[64];
#define CALL(name, result, parameters)                      \
    snprintf(symbol, sizeof symbol, "%s%s", prefix, #name); \
    *(void **)(uintptr_t)&subject->calls.name = find_own(library, symbol);
    SUBJECT_CALLS(CALL)
    SUBJECT_MORE_CALLS(CALL)
#undef CALL
    *(void **)&subject->reset = find_own(library, "mallet_subject_reset");
    *(void **)&subject->check = find_own(library, "mallet_subject_check");
    *(void **)&subject->footprint = find_own(library, "mallet_subject_footprint");
    subject->coverage = find_own(library, "mallet_subject_coverage");
    *(void **)&subject->fail_os = find_own(library, "mallet_subject_fail_os");
}

/*
 * A program's calls ask for the version that the libc's malloc has, or for none. The loader passes
 * over one of another version, so that under LD_PRELOAD the libc's would answer; one without a
 * version is taken for any.
 */
static bool can_replace_malloc(void *library)
{
    static const char *const versions[] = {"GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.0", "GLIBC_2.27"};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        if (dlvsym(library, "malloc", versions[i]) != NULL)
            return true;
    return dlsym(library, DECLARED "malloc") != NULL;
}

/* What the object itself says that it lacks. */
static int read_lacks(struct subject *subject, void *library, const char *path,
                      char error[SUBJECT_ERROR_MAX])
{
    const char *list = find_own(library, "mallet_subject_lacks"), *word;
    int length;
    if (list == NULL || subject_parse_lacks(list, &subject->lacks, &word, &length) == 0)
        return 0;
    snprintf(error, SUBJECT_ERROR_MAX,
             "could not bind %s: its mallet_subject_lacks names `%.*s`, which is no capability",
             path, length, word);
    return EINVAL;
}

static void *open_library(enum subject_namespace name_space, const char *path)
{
    if (name_space == NAMESPACE_OWN)
        return dlmopen(LM_ID_NEWLM, path, RTLD_NOW | RTLD_LOCAL);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL |
                            (name_space == NAMESPACE_PRELOADED ? RTLD_NOLOAD : RTLD_DEEPBIND));
}

/* Of the last failure; the path, with which it may begin, is said anyway. */
static const char *load_error(const char *path)
{
    const char *reason = dlerror();
    size_t length = strlen(path);
    if (reason == NULL)
        return "the loader did not preload it";
    bool has_path = strncmp(reason, path, length) == 0 && strncmp(reason + length, ": ", 2) == 0;
    return has_path ? reason + length + 2 : reason;
}

int subject_bind_library(struct subject *ret_subject, const char *path,
                         enum subject_namespace name_space, char error[SUBJECT_ERROR_MAX])
{
    void *library = open_library(name_space, path);
    if (library == NULL) {
        snprintf(error, SUBJECT_ERROR_MAX, "could not bind %s: %s", path, load_error(path));
        return ENOEXEC;
    }
    const char *slash = strrchr(path, '/');
    struct subject subject = {0};
    snprintf(subject.name, sizeof subject.name, "%s", slash != NULL ? slash + 1 : path);
    bind_calls(&subject, library);
    if (subject.calls.malloc == NULL || subject.calls.free == NULL) {
        snprintf(error, SUBJECT_ERROR_MAX,
                 "could not bind %s: it does not define %s (--prefix or --declare says what its "
                 "functions are called)",
                 path, subject.calls.malloc == NULL ? "malloc" : "free");
        return ENOSYS;
    }
    if (!can_replace_malloc(library)) {
        snprintf(error, SUBJECT_ERROR_MAX,
                 "could not bind %s: its malloc has a symbol version of its own, so that programs "
                 "would not reach it; link it without a version script",
                 path);
        return ENOSYS;
    }
    int result = read_lacks(&subject, library, path, error);
    if (result != 0)
        return result;
    if (name_space == NAMESPACE_OWN)
        *(void **)&subject.errno_location = dlsym(library, "__errno_location");
    *ret_subject = subject;
    return 0;
}
