/* SPDX-License-Identifier: MIT */
/*
 * Reads the ELF header, the program headers and the dynamic section of a file that a user named:
 * nothing in it is trusted, every offset goes through a read that may fail, and nothing is loaded.
 */
#include "harness/subject/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

static bool read_at(int file, void *ret_bytes, size_t size, ElfW(Off) offset)
{
    return pread(file, ret_bytes, size, (off_t)offset) == (ssize_t)size;
}

static bool read_own_header(ElfW(Ehdr) * ret_header)
{
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    bool is_read = self >= 0 && read_at(self, ret_header, sizeof *ret_header, 0);
    if (self >= 0)
        close(self);
    return is_read;
}

/* The segment that holds the dynamic section; false: there is none. */
static bool find_dynamic(int file, const ElfW(Ehdr) * header, ElfW(Phdr) * ret_segment)
{
    for (unsigned i = 0; i < header->e_phnum; i++)
        if (read_at(file, ret_segment, sizeof *ret_segment,
                    header->e_phoff + (ElfW(Off))i * sizeof *ret_segment) &&
            ret_segment->p_type == PT_DYNAMIC)
            return true;
    return false;
}

static bool reads_nodlopen(int file, const ElfW(Ehdr) * header)
{
    ElfW(Phdr) segment;
    ElfW(Dyn) entry;
    if (!find_dynamic(file, header, &segment))
        return false;
    for (ElfW(Off) at = 0; at < segment.p_filesz; at += sizeof entry) {
        if (!read_at(file, &entry, sizeof entry, segment.p_offset + at) || entry.d_tag == DT_NULL)
            return false;
        if (entry.d_tag == DT_FLAGS_1)
            return (entry.d_un.d_val & DF_1_NOOPEN) != 0;
    }
    return false;
}

struct elf_file elf_file_read(const char *path)
{
    struct elf_file result = {0};
    ElfW(Ehdr) header, own;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO has no one to wait for */
    if (file < 0)
        return result;
    if (read_at(file, &header, sizeof header, 0) && read_own_header(&own) &&
        memcmp(header.e_ident, ELFMAG, SELFMAG) == 0) {
        bool is_class = header.e_ident[EI_CLASS] == own.e_ident[EI_CLASS];
        result.is_native = is_class && header.e_machine == own.e_machine && header.e_type == ET_DYN;
        result.is_32_bit = !is_class && header.e_ident[EI_CLASS] == ELFCLASS32;
        result.refuses_dlopen = result.is_native && reads_nodlopen(file, &header);
    }
    close(file);
    return result;
}
