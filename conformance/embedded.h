/* SPDX-License-Identifier: MIT */
/* Files of this folder that are part of the program: the registry, and the text of the probes, from which programs are cut. */
#ifndef CONFORMANCE_EMBEDDED_H
#define CONFORMANCE_EMBEDDED_H

struct embedded_file {
    const char *name;        /* relative to conformance/: "probes/free.c" */
    const char *start, *end; /* no terminating zero */
};

/* NULL: no such file. */
const struct embedded_file *embedded_find(const char *name);

#endif
