/* SPDX-License-Identifier: MIT */
/* The rows of the registry as data, and the one parser of their column "caught by". */
#include "mutants/registry.h"

#include <stdio.h>
#include <string.h>

static const struct mutant mutants[] = {
#define MUTANT(id, origin, reach, hard, caught_by, mistake, after) \
    {#id, #origin, reach, hard, caught_by, mistake, after},
    MUTANTS(MUTANT)
#undef MUTANT
};

static const struct sound sounds[] = {
#define SOUND(id, pace, built_from, unusual, like) {#id, pace, built_from, unusual, like},
    SOUNDS(SOUND)
#undef SOUND
};

const struct sound *sound_at(size_t index)
{
    return index < sizeof sounds / sizeof sounds[0] ? &sounds[index] : NULL;
}

const struct mutant *mutant_at(size_t index)
{
    return index < sizeof mutants / sizeof mutants[0] ? &mutants[index] : NULL;
}

const struct mutant *mutant_find(const char *id)
{
    const struct mutant *mutant;
    for (size_t i = 0; (mutant = mutant_at(i)) != NULL; i++)
        if (strcmp(mutant->id, id) == 0)
            return mutant;
    return NULL;
}

bool mutant_catch_find(const struct mutant *mutant, const char *means,
                       struct mutant_catch *ret_catch)
{
    size_t length = strlen(means);
    for (const char *word = mutant->caught_by; word != NULL; word = strchr(word, ' ')) {
        word += *word == ' ';
        if (strncmp(word, means, length) != 0 || (word[length] != ':' && word[length] != '='))
            continue;
        const char *where = word + length + (word[length] == ':'), *names = strchr(where, '=') + 1;
        snprintf(ret_catch->where, sizeof ret_catch->where, "%.*s", (int)(names - 1 - where),
                 where);
        snprintf(ret_catch->names, sizeof ret_catch->names, "%.*s", (int)strcspn(names, " "),
                 names);
        return true;
    }
    return false;
}

/* declared_<example>_<mistake> has libdeclared_<example> beside it, others lib<origin>_none. */
void mutant_library(const struct mutant *mutant, bool is_correct, const char *folder,
                    char *ret_path, size_t capacity)
{
    bool is_declared = strcmp(mutant->origin, "declared") == 0;
    size_t length = is_correct && is_declared ? strcspn(mutant->id, "_") : strlen(mutant->id);
    const char *id = is_correct && !is_declared ? "none" : mutant->id;
    snprintf(ret_path, capacity, "%s/lib%s_%.*s.so", folder, mutant->origin,
             id == mutant->id ? (int)length : (int)strlen(id), id);
}

const struct mutant *mutant_next(const struct mutant *previous, const char *means)
{
    const struct mutant *mutant = NULL;
    struct mutant_catch found;
    for (size_t i = previous != NULL ? (size_t)(previous - mutants) + 1 : 0;
         (mutant = mutant_at(i)) != NULL && !mutant_catch_find(mutant, means, &found); i++)
        ;
    return mutant;
}

bool mutant_names_have(const char *names, const char *name)
{
    size_t length = strlen(name);
    for (; *names != '\0'; names += strcspn(names, ","), names += *names == ',')
        if (strncmp(names, name, length) == 0 && (names[length] == ',' || names[length] == '\0'))
            return true;
    return false;
}
