/* SPDX-License-Identifier: MIT */
/* What the header of an ELF file says of how it can be bound. Reads the file, loads nothing. */
#ifndef HARNESS_ELF_FILE_H
#define HARNESS_ELF_FILE_H

#include <stdbool.h>

struct elf_file {
    bool is_native; /* a shared object of this program's class and machine */
    bool is_32_bit; /* one for i386, where this program is for x86-64 */
    /* known of native objects only: */
    bool refuses_dlopen;   /* linked with -z nodlopen */
    bool fills_static_tls; /* wants more static TLS than a child keeps free for late libraries */
};

/* All false for what is no ELF file or cannot be read. */
struct elf_file elf_file_read(const char *path);

#endif
