/* SPDX-License-Identifier: MIT */
#ifndef MALLET_FOLDERS_H
#define MALLET_FOLDERS_H

/* Makes a folder and those above it, as mkdir -p. Returns 0, or a positive errno. */
int folders_make(const char *path);

#endif
