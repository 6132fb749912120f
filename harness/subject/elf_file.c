/* SPDX-License-Identifier: MIT */
/*
 * Reads the ELF header, the program headers and the dynamic section of a file that a user named:
 * nothing in it is trusted, every offset goes through a read that may fail, and nothing is loaded.
 */
#include "harness/subject/elf_file.h"

#include "harness/process/process.h"

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

/* The first segment of a type; false: there is none. */
static bool find_segment(int file, const ElfW(Ehdr) * header, ElfW(Word) type,
                         ElfW(Phdr) * ret_segment)
{
    for (unsigned i = 0; i < header->e_phnum; i++)
        if (read_at(file, ret_segment, sizeof *ret_segment,
                    header->e_phoff + (ElfW(Off))i * sizeof *ret_segment) &&
            ret_segment->p_type == type)
            return true;
    return false;
}

/* The value of a tag of the dynamic section; 0: there is none. */
static ElfW(Xword) read_dynamic(int file, const ElfW(Ehdr) * header, ElfW(Sxword) tag)
{
    ElfW(Phdr) segment;
    ElfW(Dyn) entry;
    if (!find_segment(file, header, PT_DYNAMIC, &segment))
        return 0;
    for (ElfW(Off) at = 0; at < segment.p_filesz; at += sizeof entry) {
        if (!read_at(file, &entry, sizeof entry, segment.p_offset + at) || entry.d_tag == DT_NULL)
            return 0;
        if (entry.d_tag == tag)
            return entry.d_un.d_val;
    }
    return 0;
}

/* Others' may take a quarter of what is kept free. */
static bool fills_static_tls(int file, const ElfW(Ehdr) * header)
{
    ElfW(Phdr) segment;
    return find_segment(file, header, PT_TLS, &segment) &&
           segment.p_memsz / 3 > PROCESS_STATIC_TLS / 4 &&
           (read_dynamic(file, header, DT_FLAGS) & DF_STATIC_TLS) != 0;
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
        result.is_32_bit =
            own.e_machine == EM_X86_64 && header.e_machine == EM_386 && header.e_type == ET_DYN;
        result.refuses_dlopen =
            result.is_native && (read_dynamic(file, &header, DT_FLAGS_1) & DF_1_NOOPEN) != 0;
        result.fills_static_tls = result.is_native && fills_static_tls(file, &header);
    }
    close(file);
    return result;
}
