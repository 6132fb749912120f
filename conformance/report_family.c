/* SPDX-License-Identifier: MIT */
/* Groups clauses into families by the function that they are about. */
#include "conformance/report_formats.h"

#include <string.h>

enum { GENERAL_FAMILY };

/* The first word of a clause's functions decides; what is not named here is general. */
static const struct {
    const char *name;
    const char *words; /* between blanks */
} families[] = {
    [GENERAL_FAMILY] = {"general", " ALL "},
    {"malloc", " malloc "},
    {"calloc", " calloc "},
    {"realloc", " realloc "},
    {"reallocarray", " reallocarray "},
    {"free", " free "},
    {"sized free", " free_sized free_aligned_sized "},
    {"aligned_alloc", " aligned_alloc memalignment "},
    {"posix_memalign", " posix_memalign "},
    {"memalign", " memalign valloc pvalloc "},
    {"usable size", " malloc_usable_size "},
    {"headers", " stdlib.h malloc.h "},
    {"glibc", " mallopt environment mallinfo mallinfo2 malloc_trim malloc_stats malloc_info "
              "__malloc_hook MALLOC_CHECK_ cfree __morecore "
              "operator "},
    {"interposition", " interposition "},
    {"hardening", " hardening "},
};
enum { FAMILY_COUNT = sizeof families / sizeof families[0] };

size_t report_family_count(void)
{
    return FAMILY_COUNT;
}

const char *report_family_name(size_t family)
{
    return families[family].name;
}

static size_t find_family(const char *word, size_t length)
{
    char bounded[64];
    snprintf(bounded, sizeof bounded, " %.*s ", (int)length, word);
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        if (strstr(families[i].words, bounded) != NULL)
            return i;
    return GENERAL_FAMILY;
}

/* Clauses about three functions or more are about all of them. */
static bool is_about_many(const char *functions)
{
    const char *second = strchr(functions, ' ');
    return second != NULL && strchr(second + 1, ' ') != NULL;
}

size_t report_family_of(const struct clause *clause)
{
    if (strncmp(clause->id, "HARD-", 5) == 0)
        return find_family("hardening", 9);
    if (clause->strength == STRENGTH_ABI)
        return find_family("interposition", 13);
    if (is_about_many(clause->functions))
        return GENERAL_FAMILY;
    return find_family(clause->functions, strcspn(clause->functions, " "));
}
