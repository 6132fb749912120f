/* SPDX-License-Identifier: MIT */
/* Reads the registry: clauses.tsv is embedded in the program and cut into fields in place, once. */
#include "conformance/clauses.h"

#include "harness/program/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLAUSES_MAX = 320, FIELDS = 11 };

static struct {
    char *text;
    size_t count;
    struct clause clauses[CLAUSES_MAX];
} registry;

#define PROFILE(id, name) name,
static const char *const profile_names[] = {PROFILES(PROFILE)};
#undef PROFILE
#define STRENGTH(id, name, meaning) {name, meaning},
static const struct {
    const char *name, *meaning;
} strengths[] = {STRENGTHS(STRENGTH)};
#undef STRENGTH

const char *profile_name(unsigned profile)
{
    return profile < PROFILE_COUNT ? profile_names[profile] : NULL;
}

enum profile profile_find(const char *name)
{
    unsigned i = 0;
    while (i < PROFILE_COUNT && strcmp(profile_names[i], name) != 0)
        i++;
    return (enum profile)i;
}

const char *profiles_text(unsigned profiles, char ret_text[PROFILES_TEXT_MAX])
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (unsigned i = 0; i < PROFILE_COUNT; i++)
        if (profiles >> i & 1)
            used += (size_t)snprintf(ret_text + used, PROFILES_TEXT_MAX - used, "%s%s",
                                     used > 0 ? "," : "", profile_names[i]);
    return ret_text;
}

const char *strength_name(enum strength strength)
{
    return strengths[strength].name;
}

const char *strength_meaning(enum strength strength)
{
    return strengths[strength].meaning;
}

static _Noreturn void refuse_row(size_t row, const char *what)
{
    fprintf(stderr, "conformance/clauses.tsv:%zu: %s\n", row, what);
    abort();
}

static enum strength parse_strength(const char *name, size_t row)
{
    for (unsigned i = 0; i < STRENGTH_COUNT; i++)
        if (strcmp(strengths[i].name, name) == 0)
            return (enum strength)i;
    refuse_row(row, "unknown strength");
}

static unsigned parse_profiles(char *names, size_t row)
{
    unsigned profiles = 0;
    char *rest = NULL;
    for (char *name = strtok_r(names, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest)) {
        enum profile profile = profile_find(name);
        if (profile == PROFILE_COUNT)
            refuse_row(row, "unknown profile");
        profiles |= 1u << profile;
    }
    return profiles;
}

/* Cuts a line at its tabs; "-" stands for nothing. */
static void cut_fields(char *line, char *fields[FIELDS], size_t row)
{
    for (unsigned i = 0; i < FIELDS; i++) {
        fields[i] = line;
        char *tab = strchr(line, '\t');
        if ((tab == NULL) != (i == FIELDS - 1))
            refuse_row(row, "not 11 fields");
        if (tab != NULL) {
            *tab = '\0';
            line = tab + 1;
        }
        if (strcmp(fields[i], "-") == 0)
            fields[i] = fields[i] + 1;
    }
}

static void load_row(char *line, size_t row)
{
    char *fields[FIELDS];
    cut_fields(line, fields, row);
    if (registry.count == CLAUSES_MAX)
        refuse_row(row, "too many clauses");
    if (clauses_find(fields[0]) != NULL)
        refuse_row(row, "this id is taken");
    registry.clauses[registry.count++] = (struct clause){.id = fields[0],
                                                         .profiles = parse_profiles(fields[1], row),
                                                         .strength = parse_strength(fields[2], row),
                                                         .functions = fields[3],
                                                         .requirement = fields[4],
                                                         .test = fields[5],
                                                         .needs = fields[6],
                                                         .strict = parse_profiles(fields[7], row),
                                                         .why = fields[8],
                                                         .known = fields[9],
                                                         .untestable = fields[10]};
}

void clauses_load(void)
{
    if (registry.text != NULL)
        return;
    struct embedded_file file = *embedded_find("conformance/clauses.tsv");
    registry.text = strndup(file.start, (size_t)(file.end - file.start));
    if (registry.text == NULL)
        refuse_row(0, "no memory to read it");
    char *rest = NULL;
    size_t row = 1;
    strtok_r(registry.text, "\n", &rest); /* the heading */
    for (char *line = strtok_r(NULL, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        load_row(line, ++row);
}

size_t clauses_count(void)
{
    return registry.count;
}

const struct clause *clauses_at(size_t i)
{
    return &registry.clauses[i];
}

const struct clause *clauses_find(const char *id)
{
    for (size_t i = 0; i < registry.count; i++)
        if (strcmp(registry.clauses[i].id, id) == 0)
            return &registry.clauses[i];
    return NULL;
}
