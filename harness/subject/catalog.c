/* SPDX-License-Identifier: MIT */
/* The table of known allocators, and the search for their files in the usual library folders. */
#include "harness/subject/catalog.h"

#include "harness/subject/elf_file.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

/* Scudo asks for 12 KiB of static TLS, which dlopen grants only under a tunable: it goes in at
 * start-up. oneTBB's libtbbmalloc exports scalable_malloc; it is libtbbmalloc_proxy that exports
 * malloc. A libc needs a namespace of its own. */
static const struct catalog_entry entries[] = {
    {"anvil", NULL, BIND_STATIC},
    {"glibc", NULL, BIND_HOST},
    {"musl", NULL, BIND_HOST},
    {"jemalloc", "libjemalloc.so.[0-9]*", BIND_DLOPEN},
    {"mimalloc", "libmimalloc.so.[0-9]*", BIND_DLOPEN},
    {"mimalloc-secure", "libmimalloc-secure.so.[0-9]*", BIND_DLOPEN},
    {"tcmalloc", "libtcmalloc_minimal.so.[0-9]*", BIND_DLOPEN},
    {"tbbmalloc", "libtbbmalloc_proxy.so.[0-9]*", BIND_DLOPEN},
    {"scudo", "libclang_rt.scudo_standalone*.so", BIND_PRELOAD},
    {"snmalloc", "libsnmallocshim.so*", BIND_DLOPEN},
    {"rpmalloc", "librpmallocwrap.so*", BIND_DLOPEN},
    {"hardened_malloc", "libhardened_malloc.so*", BIND_PRELOAD},
    {"hoard", "libhoard.so*", BIND_PRELOAD},
    {"mesh", "libmesh.so*", BIND_PRELOAD},
    {"libc", "libc.so.[0-9]*", BIND_DLMOPEN},
};
enum { ENTRY_COUNT = sizeof entries / sizeof entries[0] };

/* Globs of folders. Where an allocator is in several, the first counts: what an administrator
 * installed comes before the system's. */
static const char *const folders[] = {
    "/usr/local/lib",
    "/usr/local/lib64",
#if defined(__x86_64__)
    "/usr/local/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
#elif defined(__aarch64__)
    "/usr/local/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
#endif
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/llvm-*/lib/clang/*/lib/*",
    "/usr/lib*/clang/*/lib/*",
};
enum { FOLDER_COUNT = sizeof folders / sizeof folders[0] };

const struct catalog_entry *catalog_at(size_t i)
{
    return i < ENTRY_COUNT ? &entries[i] : NULL;
}

/* The newest match that is a library for this machine, by version order of the whole path; i386
 * libraries lie in the same folders. */
static int find_newest(const char *pattern, char ret_path[PATH_MAX])
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0)
        return ENOENT;
    const char *newest = NULL;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        if (elf_file_read(path).is_native && (newest == NULL || strverscmp(path, newest) > 0))
            newest = path;
    }
    bool fits = newest != NULL && strlen(newest) < PATH_MAX;
    if (fits)
        memcpy(ret_path, newest, strlen(newest) + 1);
    globfree(&found);
    return fits ? 0 : ENOENT;
}

int catalog_locate(const struct catalog_entry *entry, char ret_path[PATH_MAX])
{
    if (entry->pattern == NULL)
        return ENOENT;
    for (size_t i = 0; i < FOLDER_COUNT; i++) {
        char pattern[PATH_MAX];
        snprintf(pattern, sizeof pattern, "%s/%s", folders[i], entry->pattern);
        if (find_newest(pattern, ret_path) == 0)
            return 0;
    }
    return ENOENT;
}

const struct catalog_entry *catalog_find(const char *name)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (strcmp(entries[i].name, name) == 0)
            return &entries[i];
    return NULL;
}

bool catalog_matches(const char *pattern, const char *subject)
{
    if (fnmatch(pattern, subject, 0) == 0)
        return true;
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        const struct catalog_entry *entry = &entries[i];
        if (entry->pattern == NULL)
            continue;
        bool is_file_meant =
            strcmp(entry->name, subject) == 0 && fnmatch(entry->pattern, pattern, 0) == 0;
        bool is_name_meant =
            fnmatch(entry->pattern, subject, 0) == 0 && fnmatch(pattern, entry->name, 0) == 0;
        if (is_file_meant || is_name_meant)
            return true;
    }
    return false;
}

enum subject_binding catalog_binding(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (entries[i].pattern != NULL && fnmatch(entries[i].pattern, base, 0) == 0)
            return entries[i].binding;
    return BIND_DLOPEN;
}
