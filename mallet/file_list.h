/* SPDX-License-Identifier: MIT */
/* The trace files that a person means by the names of files and folders. */
#ifndef MALLET_FILE_LIST_H
#define MALLET_FILE_LIST_H

#include <stdbool.h>
#include <stddef.h>

enum { FILE_LIST_ERROR_MAX = 256 };

struct file_list {
    char **paths;
    size_t count;
    bool takes_inputs; /* of a folder also what engines keep: trace_file_is_input */
};

/* Adds a file; of a folder, every *.trace and *.bin file below it, sorted; hidden folders are left
 * out. Returns 0, or a positive
 * errno with one sentence in `error`: a folder must hold one at least. */
int file_list_add(struct file_list *list, const char *path, char error[FILE_LIST_ERROR_MAX]);
void file_list_done(struct file_list *list);

#endif
