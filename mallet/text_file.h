/* SPDX-License-Identifier: MIT */
/* A small text file as one string. */
#ifndef MALLET_TEXT_FILE_H
#define MALLET_TEXT_FILE_H

/* What the file holds, up to its first NUL, for the caller to free. NULL with errno if it cannot be
 * read; ENODATA: it is empty. */
char *text_file_read(const char *path);

#endif
