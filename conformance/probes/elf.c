/* SPDX-License-Identifier: MIT */
/*
 * The subject's ELF file: its symbols and its model of thread-local storage, read from the file as
 * a linker would.
 */
#include "conformance/testlib.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct elf {
    const unsigned char *start; /* NULL: not to be read */
    size_t size;
    char path[512];
};

static const ElfW(Ehdr) * header_of(const struct elf *elf)
{
    static const ElfW(Ehdr) no_header;
    return elf->start != NULL ? (const ElfW(Ehdr) *)elf->start : &no_header;
}

/* PASS, or not applicable: malloc is in no shared object of its own. */
static enum probe_outcome open_subject(struct elf *ret_elf)
{
    Dl_info place;
    void *own = dlsym(RTLD_DEFAULT, "malloc");
    if (own == NULL || dladdr(own, &place) == 0 || place.dli_fname == NULL)
        return probe_say(OUTCOME_NOT_APPLICABLE, "malloc is linked statically");
    struct stat status = {0};
    int file = open(place.dli_fname, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0)
        return UNSUPPORTED("cannot read %s", place.dli_fname);
    ret_elf->size = (size_t)status.st_size;
    ret_elf->start = mmap(NULL, ret_elf->size, PROT_READ, MAP_PRIVATE, file, 0);
    snprintf(ret_elf->path, sizeof ret_elf->path, "%s", place.dli_fname);
    close(file);
    if (ret_elf->start == MAP_FAILED || ret_elf->size < sizeof(ElfW(Ehdr)) ||
        memcmp(ret_elf->start, ELFMAG, SELFMAG) != 0)
        return UNSUPPORTED("%s is not read as ELF", place.dli_fname);
    return header_of(ret_elf)->e_shnum > 0
               ? PASS
               : UNSUPPORTED("%s has no section headers", place.dli_fname);
}

/* Section i, NULL beyond the last or when it is not inside the file. */
static const ElfW(Shdr) * section_at(const struct elf *elf, size_t i)
{
    const ElfW(Ehdr) *header = header_of(elf);
    if (elf->start == NULL || i >= header->e_shnum ||
        header->e_shoff + (i + 1) * sizeof(ElfW(Shdr)) > elf->size)
        return NULL;
    const ElfW(Shdr) *section = (const ElfW(Shdr) *)(elf->start + header->e_shoff) + i;
    return section->sh_type == SHT_NOBITS || section->sh_offset + section->sh_size <= elf->size
               ? section
               : NULL;
}

static const ElfW(Shdr) * find_section(const struct elf *elf, unsigned type)
{
    const ElfW(Shdr) *section = NULL;
    for (size_t i = 0; (section = section_at(elf, i)) != NULL; i++)
        if (section->sh_type == type)
            return section;
    return NULL;
}

/* The dynamic symbol that the object defines; NULL: it does not. */
static const ElfW(Sym) * find_symbol(const struct elf *elf, const char *name)
{
    const ElfW(Shdr) *table = find_section(elf, SHT_DYNSYM),
                     *names = table != NULL ? section_at(elf, table->sh_link) : NULL;
    for (size_t i = 0; names != NULL && i < table->sh_size / sizeof(ElfW(Sym)); i++) {
        const ElfW(Sym) *symbol = (const ElfW(Sym) *)(elf->start + table->sh_offset) + i;
        if (symbol->st_shndx != SHN_UNDEF && symbol->st_name < names->sh_size &&
            strcmp((const char *)elf->start + names->sh_offset + symbol->st_name, name) == 0)
            return symbol;
    }
    return NULL;
}

/* One entry of the dynamic section; 0: there is none. */
static size_t find_dynamic(const struct elf *elf, ElfW(Sxword) tag)
{
    const ElfW(Shdr) *section = find_section(elf, SHT_DYNAMIC);
    for (size_t i = 0; section != NULL && i < section->sh_size / sizeof(ElfW(Dyn)); i++) {
        const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(elf->start + section->sh_offset) + i;
        if (entry->d_tag == tag)
            return entry->d_un.d_val;
    }
    return 0;
}

/* How many bytes of thread-local storage each thread gets. */
static size_t tls_size(const struct elf *elf)
{
    const ElfW(Ehdr) *header = header_of(elf);
    for (size_t i = 0; elf->start != NULL && i < header->e_phnum; i++) {
        const ElfW(Phdr) *segment = (const ElfW(Phdr) *)(elf->start + header->e_phoff) + i;
        if (header->e_phoff + (i + 1) * sizeof *segment <= elf->size && segment->p_type == PT_TLS)
            return segment->p_memsz;
    }
    return 0;
}

static bool is_function(const ElfW(Sym) * symbol)
{
    return symbol != NULL && (ELF32_ST_TYPE(symbol->st_info) == STT_FUNC ||
                              ELF32_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC);
}

static bool is_preemptible(const ElfW(Sym) * symbol)
{
    unsigned binding = ELF32_ST_BIND(symbol->st_info);
    return (binding == STB_GLOBAL || binding == STB_WEAK) &&
           ELF32_ST_VISIBILITY(symbol->st_other) == STV_DEFAULT;
}

PROCESS_PROBE_OF_ANY(the_four_functions_are_exported, "GLIBC-replace-1")
{
    static const char *const names[] = {"malloc", "free", "calloc", "realloc"};
    struct elf elf = {0};
    TRY(open_subject(&elf));
    for (size_t i = 0; i < COUNT(names); i++) {
        const ElfW(Sym) *symbol = find_symbol(&elf, names[i]);
        EXPECT(symbol != NULL,
               "%s of %s: expected a definition among its dynamic symbols, observed none", names[i],
               elf.path);
        EXPECT(is_function(symbol) && is_preemptible(symbol),
               "%s of %s: expected a global function of default visibility, observed st_info %#x "
               "and st_other %#x",
               names[i], elf.path, symbol->st_info, symbol->st_other);
    }
    return PASS;
}

PROCESS_PROBE(every_definition_is_preemptible, "ELF-interpose-2")
{
    static const char *const names[] = {"malloc",
                                        "free",
                                        "calloc",
                                        "realloc",
                                        "reallocarray",
                                        "aligned_alloc",
                                        "posix_memalign",
                                        "valloc",
                                        "pvalloc",
                                        "memalign",
                                        "free_sized",
                                        "free_aligned_sized",
                                        "malloc_usable_size"};
    struct elf elf = {0};
    TRY(open_subject(&elf));
    for (size_t i = 0; i < COUNT(names); i++) {
        const ElfW(Sym) *symbol = find_symbol(&elf, names[i]);
        EXPECT(symbol == NULL || is_preemptible(symbol),
               "%s of %s: expected global or weak binding and default visibility, observed st_info "
               "%#x and st_other %#x",
               names[i], elf.path, symbol->st_info, symbol->st_other);
    }
    if (find_dynamic(&elf, DT_SYMBOLIC) != 0 || (find_dynamic(&elf, DT_FLAGS) & DF_SYMBOLIC) != 0)
        return RECORDED(
            "%s is bound to its own definitions (-Bsymbolic): no harm while nothing is put over it",
            elf.path);
    return PASS;
}

/* Relocation types by machine: of the module (general and local dynamic), of the offset in it, of
 * descriptors, of the thread pointer. */
struct tls_types {
    unsigned machine, module, offset, descriptor, thread_pointer;
};

static const struct tls_types tls_types[] = {{62 /* x86-64 */, 16, 17, 36, 18},
                                             {3 /* i386 */, 35, 36, 41, 14},
                                             {183 /* AArch64 */, 1028, 1029, 1031, 1030}};

/* Counts relocations of the loaded object: those of dynamic TLS, and those of static TLS. */
static bool count_tls_relocations(const struct elf *elf, size_t *ret_dynamic, size_t *ret_static)
{
    const struct tls_types *types = tls_types;
    while (types < tls_types + COUNT(tls_types) && types->machine != header_of(elf)->e_machine)
        types++;
    if (types == tls_types + COUNT(tls_types))
        return false;
    const ElfW(Shdr) *section = NULL;
    for (size_t i = 0; (section = section_at(elf, i)) != NULL; i++) {
        bool is_table = (section->sh_type == SHT_REL || section->sh_type == SHT_RELA) &&
                        (section->sh_flags & SHF_ALLOC) != 0;
        size_t width = section->sh_type == SHT_REL ? sizeof(ElfW(Rel)) : sizeof(ElfW(Rela));
        for (size_t at = 0; is_table && at + width <= section->sh_size; at += width) {
            size_t info = ((const ElfW(Rel) *)(elf->start + section->sh_offset + at))->r_info;
            size_t type = sizeof(void *) == 8 ? info & 0xffffffff : info & 0xff;
            *ret_dynamic +=
                type == types->module || type == types->offset || type == types->descriptor;
            *ret_static += type == types->thread_pointer;
        }
    }
    return true;
}

PROCESS_PROBE(thread_local_storage_is_static, "GLIBC-replace-6")
{
    struct elf elf = {0};
    size_t dynamic = 0, fixed = 0;
    TRY(open_subject(&elf));
    if (!count_tls_relocations(&elf, &dynamic, &fixed))
        return UNSUPPORTED("the relocation types of this machine are not known here");
    EXPECT(dynamic == 0, "relocations of %s: expected none of dynamic TLS, observed %zu", elf.path,
           dynamic);
    EXPECT(fixed == 0 || (find_dynamic(&elf, DT_FLAGS) & DF_STATIC_TLS) != 0,
           "%s has %zu relocations of static TLS: expected DF_STATIC_TLS, observed none", elf.path,
           fixed);
    return PASS;
}

/* A copy of the file under another name, so that the loader takes it for another library. */
static int copy_file(const struct elf *elf)
{
    int copy = memfd_create("copy.so", 0);
    for (size_t done = 0; copy >= 0 && done < elf->size;) {
        ssize_t written = write(copy, elf->start + done, elf->size - done);
        if (written <= 0)
            return -1;
        done += (size_t)written;
    }
    return copy;
}

/* Opens a second copy of the subject late; exit status 1: static TLS is short. */
static int open_copy(void)
{
    char path[64];
    struct elf elf = {0};
    int copy = open_subject(&elf) == PASS ? copy_file(&elf) : -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
    void *library = copy >= 0 ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    const char *error = library == NULL && copy >= 0 ? dlerror() : NULL;
    return error != NULL && strstr(error, "static TLS") != NULL;
}

PROCESS_PROBE(static_tls_leaves_room_for_dlopen, "GLIBC-replace-7")
{
    enum { SMALL = 512 };
    struct elf elf = {0};
    if (strcmp(probe_stage(), "open") == 0)
        _exit(open_copy());
    TRY(open_subject(&elf));
    size_t size = tls_size(&elf);
    if (is_libc_malloc())
        return probe_say(OUTCOME_NOT_APPLICABLE,
                         "malloc is the C library's own, which no program opens late");
    int status = size > 0 ? run_again("open", (const char *const[]){"GLIBC_TUNABLES", NULL}) : 0;
    EXPECT(status != 1 << 8,
           "dlopen of %s, which has %zu bytes of TLS: expected room for it, observed `cannot "
           "allocate memory in static TLS block`",
           elf.path, size);
    if (size > SMALL)
        return WEAK(
            "PT_TLS of %s: expected %d bytes or less, observed %zu, for which dlopen finds room",
            elf.path, SMALL, size);
    return PASS;
}
