/* SPDX-License-Identifier: MIT */
/*
 * Source files that are part of a program as text, because C programs are made of them:
 * cmake/embed.cmake takes them in. Each folder that does so has a function of its own to find them,
 * FOLDER_file_find.
 */
#ifndef HARNESS_EMBEDDED_H
#define HARNESS_EMBEDDED_H

struct embedded_file {
    const char *name;        /* as it was given to embed_files */
    const char *start, *end; /* no terminating zero */
};

#endif
