/* SPDX-License-Identifier: MIT */
#include "mallet/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

char *text_file_read(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t capacity = 0;
    if (file == NULL)
        return NULL;
    ssize_t length = getdelim(&text, &capacity, '\0', file);
    int error = ferror(file) ? EIO : length < 0 ? ENODATA : 0;
    fclose(file);
    if (error == 0)
        return text;
    free(text);
    errno = error;
    return NULL;
}
