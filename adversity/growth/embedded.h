/* SPDX-License-Identifier: MIT */
/* Files that are part of the program as text. */
#ifndef GROWTH_EMBEDDED_H
#define GROWTH_EMBEDDED_H

struct growth_text {
    const char *path;        /* from the root: "adversity/growth/kit.c" */
    const char *start, *end; /* no terminating zero */
};

/* NULL: no such file. */
const struct growth_text *growth_text_find(const char *path);

#endif
