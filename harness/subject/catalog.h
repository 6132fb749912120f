/* SPDX-License-Identifier: MIT */
/*
 * The catalogue of known allocators: the short name people use, the file it comes in, and the
 * binding that works for it. A subject outside of it is a path, and is bound by dlopen.
 *
 * Everything here is for the caller's side, before a subject is bound: it reads folders and uses
 * malloc.
 */
#ifndef HARNESS_CATALOG_H
#define HARNESS_CATALOG_H

#include "harness/subject/subject_plan.h"

#include <limits.h>
#include <stddef.h>

struct catalog_entry {
    const char *name;    /* short: "jemalloc" */
    const char *pattern; /* of the file's base name, as for fnmatch; NULL: not a file of its own */
    enum subject_binding binding;
};

/* Entry i, in the order to list them; NULL beyond the last. */
const struct catalog_entry *catalog_at(size_t i);

/* The file of an entry on this machine: the first usual library folder that holds one of our
 * machine type, in it the newest version. Returns 0, or ENOENT. */
int catalog_locate(const struct catalog_entry *entry, char ret_path[PATH_MAX]);

/* The entry of that name, or NULL. */
const struct catalog_entry *catalog_find(const char *name);

/* Whether a shell pattern names the subject: by its name, or, of a known allocator, by the name of
 * its file where the subject has its short name, and the other way round. */
bool catalog_matches(const char *pattern, const char *subject);

/* The binding for the file `path`, by its base name; never BIND_AUTO. */
enum subject_binding catalog_binding(const char *path);

#endif
