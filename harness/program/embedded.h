/* SPDX-License-Identifier: MIT */
/*
 * Files that are part of a program as text. cmake/embed.cmake takes them in;
 * harness/CMakeLists.txt lists those that C programs are made of.
 */
#ifndef HARNESS_EMBEDDED_H
#define HARNESS_EMBEDDED_H

struct embedded_file {
    const char *name;        /* its path from the root */
    const char *start, *end; /* no terminating zero */
};

/* By its path from the root: "conformance/probes/free.c". NULL: no such file. */
const struct embedded_file *embedded_find(const char *name);

#endif
