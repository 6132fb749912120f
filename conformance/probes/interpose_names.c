/* SPDX-License-Identifier: MIT */
/* Names that glibc has removed, and variables that only its debugging library reads. */
#include "conformance/testlib.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The minor version of glibc 2; 0: another C library. */
static unsigned long glibc_version(void)
{
    const char *(*version)(void) = NULL;
    *(void **)&version = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
    return version != NULL && strncmp(version(), "2.", 2) == 0 ? strtoul(version() + 2, NULL, 10)
                                                               : 0;
}

static int hook_calls;

static void *count_malloc(size_t size, const void *caller)
{
    hook_calls++;
    return size > 0 && caller == NULL ? &hook_calls : NULL;
}

static void *count_morecore(ptrdiff_t increment)
{
    hook_calls++;
    return increment == 0 ? &hook_calls : NULL;
}

/* A variable that programs can link with again, and that nothing reads, is worse than none. */
static enum probe_outcome judge_variable(const char *name, void *function)
{
    if (glibc_version() < 34)
        return probe_say(OUTCOME_NOT_APPLICABLE, "the C library is not glibc 2.34 or later");
    void **variable = dlsym(RTLD_DEFAULT, name);
    if (variable == NULL)
        return PASS;
    EXPECT(!is_libc_malloc(), "%s: expected no such symbol to link with, observed one", name);
    void *old = *variable;
    *(void *volatile *)variable = function;
    for (size_t size = 1; size < 64 * MIB; size *= 2)
        free(malloc(size));
    *(void *volatile *)variable = old;
    EXPECT(hook_calls > 0,
           "%s: expected no such symbol, or one that the subject heeds, observed one that nothing "
           "calls",
           name);
    return RECORDED("%s: the subject offers it again, and heeds it", name);
}

PROCESS_PROBE(hook_variables_are_gone, "GLIBC-hooks-1")
{
    return judge_variable("__malloc_hook", (void *)(uintptr_t)count_malloc);
}

PROCESS_PROBE(morecore_is_gone, "GLIBC-morecore-1")
{
    return judge_variable("__morecore", (void *)(uintptr_t)count_morecore);
}

static void (*cfree_of_process)(void *);

static void release_by_cfree(void *block, size_t alignment, size_t size)
{
    (void)alignment, (void)size;
    cfree_of_process(block);
}

static const struct releasing_call by_cfree = {"cfree", release_by_cfree};

PROCESS_PROBE(cfree_works_where_it_is_still_offered, "GLIBC-cfree-1")
{
    if (glibc_version() < 26)
        return probe_say(OUTCOME_NOT_APPLICABLE, "the C library is not glibc 2.26 or later");
    *(void **)&cfree_of_process = dlsym(RTLD_DEFAULT, "cfree");
    EXPECT(cfree_of_process == NULL || !is_libc_malloc(),
           "cfree: expected no such symbol to link with, observed one");
    if (cfree_of_process == NULL)
        return PASS;
    return reuse_block(&by_malloc, 0, 64 * KIB, &by_cfree);
}

/* One byte too much, inside what any allocator rounds 5 up to. */
static int overrun_by_one(void)
{
    volatile char *block = malloc(5);
    block[5] = 'x';
    free((char *)(uintptr_t)block);
    for (size_t size = 0; size < 4096; size += 64)
        free(malloc(size));
    return 0;
}

/* The debugging library beside the C library; false: not installed. */
static bool find_debug_library(char *ret_setting, size_t capacity)
{
    Dl_info place;
    struct stat status;
    void *library = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
    if (library == NULL || dladdr(library, &place) == 0)
        return false;
    const char *slash = strrchr(place.dli_fname, '/');
    snprintf(ret_setting, capacity, "LD_PRELOAD=%.*s/libc_malloc_debug.so.0",
             slash != NULL ? (int)(slash - place.dli_fname) : 0, place.dli_fname);
    return stat(ret_setting + strlen("LD_PRELOAD="), &status) == 0;
}

PROCESS_PROBE(checking_variables_act_in_the_debugging_library_only, "GLIBC-hooks-2")
{
    char preload[512];
    if (strcmp(probe_stage(), "overrun") == 0)
        _exit(overrun_by_one());
    if (glibc_version() < 34)
        return probe_say(OUTCOME_NOT_APPLICABLE, "the C library is not glibc 2.34 or later");
    int plain =
        run_again("overrun", (const char *const[]){"MALLOC_CHECK_", "GLIBC_TUNABLES", NULL});
    int checked =
        run_again("overrun", (const char *const[]){"MALLOC_CHECK_=3", "GLIBC_TUNABLES", NULL});
    EXPECT(plain == checked,
           "malloc(5) overrun by one byte under MALLOC_CHECK_=3: expected the end that it "
           "has without, observed %s",
           name_end(checked));
    if (!is_libc_malloc() || !find_debug_library(preload, sizeof preload))
        return PASS;
    int debugged = run_again(
        "overrun", (const char *const[]){"MALLOC_CHECK_=3", "GLIBC_TUNABLES", preload, NULL});
    EXPECT(WIFSIGNALED(debugged),
           "malloc(5) overrun by one byte under MALLOC_CHECK_=3 and libc_malloc_debug.so.0: "
           "expected an abort, observed wait "
           "status %#x",
           (unsigned)debugged);
    return PASS;
}
