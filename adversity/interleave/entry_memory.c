/* SPDX-License-Identifier: MIT */
/*
 * Calls that map, unmap or copy memory in bulk, under the names that calls.h gives them. New memory
 * has no past; unmapping is a write to all of it, so that any later use is a race. memory_mapped
 * holds the amount.
 */
#include "memory.h"

#include "race.h"
#include "schedule.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODE ((uintptr_t)__builtin_return_address(0))

static size_t mapped;

size_t memory_mapped(void)
{
    return mapped;
}

static size_t whole_pages(size_t size)
{
    return (size + 4095) & ~(size_t)4095;
}

static void note_come(const void *start, size_t size)
{
    mapped += whole_pages(size);
    if (schedule_is_on() && size > 0)
        race_forget(start, size);
}

static void note_gone(const void *start, size_t size, uintptr_t code)
{
    mapped -= whole_pages(size);
    memory_is_written(start, size, code);
}

/* Only what was touched has a past. */
void memory_is_written(const void *start, size_t size, uintptr_t code)
{
    if (schedule_is_on())
        race_access_touched(start, size, ACCESS_WRITE, code);
}

void *interleave_mmap(void *start, size_t size, int protection, int flags, int file, off_t offset);
void *interleave_mmap(void *start, size_t size, int protection, int flags, int file, off_t offset)
{
    void *result = mmap(start, size, protection, flags, file, offset);
    if (result != MAP_FAILED)
        note_come(result, size);
    return result;
}

int interleave_munmap(void *start, size_t size);
int interleave_munmap(void *start, size_t size)
{
    note_gone(start, size, CODE);
    return munmap(start, size);
}

void *interleave_mremap(void *start, size_t size, size_t new_size, int flags, ...);
void *interleave_mremap(void *start, size_t size, size_t new_size, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    void *wanted = flags & MREMAP_FIXED ? va_arg(arguments, void *) : NULL;
    va_end(arguments);
    void *result = mremap(start, size, new_size, flags, wanted);
    if (result == MAP_FAILED)
        return result;
    if (result != start) {
        note_gone(start, size, CODE);
        note_come(result, new_size);
    } else if (new_size < size) {
        note_gone((char *)start + new_size, size - new_size, CODE);
    } else {
        note_come((char *)start + size, new_size - size);
    }
    return result;
}

int interleave_madvise(void *start, size_t size, int advice);
int interleave_madvise(void *start, size_t size, int advice)
{
    if (advice == MADV_DONTNEED || advice == MADV_FREE)
        memory_is_written(start, size, CODE);
    return madvise(start, size, advice);
}

int interleave_mprotect(void *start, size_t size, int protection);
int interleave_mprotect(void *start, size_t size, int protection)
{
    if (protection == PROT_NONE)
        memory_is_written(start, size, CODE);
    return mprotect(start, size, protection);
}

static void note_break(const char *from, const char *to, uintptr_t code)
{
    if (to > from)
        note_come(from, (size_t)(to - from));
    else if (to < from)
        note_gone(to, (size_t)(from - to), code);
}

void *interleave_sbrk(intptr_t change);
void *interleave_sbrk(intptr_t change)
{
    void *start = sbrk(change);
    if (start != (void *)-1 && change != 0)
        note_break(start, (char *)start + change, CODE);
    return start;
}

int interleave_brk(void *end);
int interleave_brk(void *end)
{
    char *start = sbrk(0);
    int result = brk(end);
    if (result == 0)
        note_break(start, end, CODE);
    return result;
}

/* ---- copies ---- */

static void plain(const void *start, size_t size, unsigned access, uintptr_t code)
{
    if (schedule_is_on() && size > 0)
        race_access(start, size, access, code);
}

void *interleave_memcpy(void *to, const void *from, size_t size);
void *interleave_memcpy(void *to, const void *from, size_t size)
{
    plain(from, size, ACCESS_READ, CODE);
    plain(to, size, ACCESS_WRITE, CODE);
    return memcpy(to, from, size);
}

void *interleave_memmove(void *to, const void *from, size_t size);
void *interleave_memmove(void *to, const void *from, size_t size)
{
    plain(from, size, ACCESS_READ, CODE);
    plain(to, size, ACCESS_WRITE, CODE);
    return memmove(to, from, size);
}

void *interleave_memset(void *start, int byte, size_t size);
void *interleave_memset(void *start, int byte, size_t size)
{
    plain(start, size, ACCESS_WRITE, CODE);
    return memset(start, byte, size);
}

int interleave_memcmp(const void *one, const void *other, size_t size);
int interleave_memcmp(const void *one, const void *other, size_t size)
{
    plain(one, size, ACCESS_READ, CODE);
    plain(other, size, ACCESS_READ, CODE);
    return memcmp(one, other, size);
}
