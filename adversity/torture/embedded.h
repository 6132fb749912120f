/* SPDX-License-Identifier: MIT */
/* The text of the kit and the scenarios, which exported programs are made of. */
#ifndef TORTURE_EMBEDDED_H
#define TORTURE_EMBEDDED_H

struct torture_file {
    const char *name;        /* relative to this folder */
    const char *start, *end; /* no terminating zero */
};

/* NULL: no such file. */
const struct torture_file *torture_file_find(const char *name);

#endif
