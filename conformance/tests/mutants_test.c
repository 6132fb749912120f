/* SPDX-License-Identifier: MIT */
/*
 * Proves that each probe can fail. Each clause that a mutant names must fail with it, and
 * hold with its sound twin:
 *
 *     a function   functions/NAME.c, all in one shared object, chosen by MALLET_MUTANT; sound: none
 *                  chosen
 *     a file       elf/NAME.c, a shared object each; sound: libanvil.so
 *     a header     headers/NAME/stdlib.h, found by the compiler through CPATH; sound:
 *                  headers/sound
 *
 *     mutants_test LIBRARY                  one cmocka test for each
 *     mutants_test LIBRARY --exact [NAME]…  the whole gate on each: prints every clause that fails
 *     and is neither named nor listed in
 *                                           `consequences`, or the reverse
 */
#include "conformance/gate.h"
#include "harness/executor/executor.h"
#include "mutants/conformance/elf/elf.h"
#include "mutants/conformance/mutant.h"

#include <dlfcn.h>
#include <glob.h>
#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PLANTS_MAX = 400, TEXT_MAX = 4096 };

struct plant {
    char name[64];
    char clauses[TEXT_MAX];
    char library[PATH_MAX], sound_library[PATH_MAX]; /* as executor_find_subject takes them */
    char variable[PATH_MAX], sound_variable[PATH_MAX];
};

static struct plant plants[PLANTS_MAX];
static size_t plant_count;

static bool is_failure(const struct clause_result *result)
{
    return result->verdict == CLAUSE_FAIL ||
           (result->verdict == CLAUSE_WEAK && result->clause->strength == STRENGTH_SHOULD);
}

static bool names(const struct plant *plant, const char *clause)
{
    size_t length = strlen(clause);
    for (const char *at = strstr(plant->clauses, clause); at != NULL; at = strstr(at + 1, clause))
        if ((at == plant->clauses || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

/* The gate on the clauses that the plant names (all: on every clause), with it or with its sound
 * twin. */
static struct gate_results run(const struct plant *plant, bool all, bool sound)
{
    char words[TEXT_MAX], error[SUBJECT_ERROR_MAX], *rest = NULL;
    const char *globs[64];
    struct gate_results results;
    struct subject_plan subject;
    struct gate_options options = {.subject = &subject, .globs = globs};
    snprintf(words, sizeof words, "%s", plant->clauses);
    for (char *word = strtok_r(words, " ", &rest); word != NULL && !all;
         word = strtok_r(NULL, " ", &rest))
        globs[options.glob_count++] = word;
    if (executor_find_subject(&subject, sound ? plant->sound_library : plant->library, BIND_AUTO,
                              SUBJECT_IN_PROCESS, error) != 0)
        fail_msg("%s: %s", plant->name, error);
    snprintf(subject.environment, sizeof subject.environment, "%s",
             sound ? plant->sound_variable : plant->variable);
    if (gate_run(&options, &results, error) != 0)
        fail_msg("%s: %s", plant->name, error);
    return results;
}

static void plant_fails_what_it_names(void **state)
{
    const struct plant *plant = *state;
    struct gate_results broken = run(plant, false, false), sound = run(plant, false, true);
    for (size_t i = 0; i < broken.count; i++)
        if (!is_failure(&broken.results[i]))
            fail_msg("%s does not fail %s: %s %s", plant->name, broken.results[i].clause->id,
                     clause_verdict_name(broken.results[i].verdict), broken.results[i].evidence);
    for (size_t i = 0; i < sound.count; i++)
        if (is_failure(&sound.results[i]) || sound.results[i].verdict == CLAUSE_ERROR)
            fail_msg("without %s, %s: %s", plant->name, sound.results[i].clause->id,
                     sound.results[i].evidence);
    assert_true(broken.count > 0);
    gate_done(&broken);
    gate_done(&sound);
}

static bool is_served(const struct clause *clause)
{
    for (size_t i = 0; i < plant_count; i++)
        if (names(&plants[i], clause->id))
            return true;
    return false;
}

static void every_clause_that_can_fail_the_gate_has_a_mutant(void **state)
{
    (void)state;
    size_t missing = 0;
    for (size_t i = 0; i < clauses_count(); i++) {
        const struct clause *clause = clauses_at(i);
        bool is_bound = clause->strength == STRENGTH_MUST || clause->strength == STRENGTH_GLIBC_EXT;
        if (is_bound && probes_find(clause->id) != NULL && !is_served(clause)) {
            print_error("no mutant fails %s\n", clause->id);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

/* Adds the consequences of a plant to what it names. Returns, in ret_perhaps, a blank-separated
 * list of those that fail in some runs only. */
static void read_consequences(struct plant *plant, char ret_perhaps[TEXT_MAX])
{
    char line[TEXT_MAX], *rest;
    FILE *file = fopen(MUTANTS_CONSEQUENCES, "r");
    assert_non_null(file);
    ret_perhaps[0] = '\0';
    while (fgets(line, sizeof line, file) != NULL) {
        char *word = strtok_r(line, ": \n", &rest);
        if (word == NULL || strcmp(word, plant->name) != 0)
            continue;
        while ((word = strtok_r(NULL, " \n", &rest)) != NULL) {
            char *list = word[0] == '?' ? ret_perhaps : plant->clauses;
            size_t length = strlen(list);
            snprintf(list + length, TEXT_MAX - length, " %s", word + (word[0] == '?'));
        }
    }
    fclose(file);
}

/* A clause may have two results, of profiles that read it differently. */
static bool fails(const struct gate_results *results, const char *clause)
{
    bool is_found = false;
    for (size_t i = 0; i < results->count; i++)
        is_found |=
            strcmp(results->results[i].clause->id, clause) == 0 && is_failure(&results->results[i]);
    return is_found;
}

static int print_exact(const struct plant *named)
{
    int wrong = 0;
    struct plant expected = *named, perhaps = *named;
    read_consequences(&expected, perhaps.clauses);
    const struct plant *plant = &expected;
    struct gate_results results = run(plant, true, false);
    for (size_t i = 0; i < results.count; i++) {
        const struct clause_result *result = &results.results[i];
        if (fails(&results, result->clause->id) == names(plant, result->clause->id) ||
            names(&perhaps, result->clause->id) || names(&perhaps, "*"))
            continue;
        printf("%s: %s %s: %s\n", plant->name, is_failure(result) ? "also fails" : "does not fail",
               result->clause->id, result->evidence);
        wrong++;
    }
    fflush(stdout);
    gate_done(&results);
    return wrong;
}

static int compare_exactly(char **wanted)
{
    int wrong = 0;
    for (size_t i = 0; i < plant_count; i++) {
        bool is_wanted = wanted[0] == NULL;
        for (char **name = wanted; *name != NULL; name++)
            is_wanted |= strcmp(*name, plants[i].name) == 0;
        if (is_wanted)
            wrong += print_exact(&plants[i]);
    }
    return wrong != 0;
}

static struct plant *add(const char *name)
{
    if (plant_count == PLANTS_MAX)
        abort();
    struct plant *plant = &plants[plant_count++];
    snprintf(plant->name, sizeof plant->name, "%s", name);
    return plant;
}

static bool add_functions(const char *path)
{
    const struct mutant *(*list)(size_t i) = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (library != NULL)
        *(void **)&list = dlsym(library, "mutant_at");
    for (size_t i = 0; list != NULL && list(i) != NULL; i++) {
        struct plant *plant = add(list(i)->name);
        snprintf(plant->clauses, sizeof plant->clauses, "%s", list(i)->clauses);
        snprintf(plant->library, sizeof plant->library, "%s", path);
        snprintf(plant->sound_library, sizeof plant->sound_library, "%s", path);
        snprintf(plant->variable, sizeof plant->variable, "MALLET_MUTANT=%s", list(i)->name);
        snprintf(plant->sound_variable, sizeof plant->sound_variable, "MALLET_MUTANT=");
    }
    return list != NULL;
}

/* What stands behind the mark in a file, up to the end of the text or of a comment. */
static void read_clauses(struct plant *plant, const char *path)
{
    static char content[1 << 22];
    FILE *file = fopen(path, "rb");
    size_t length = file != NULL ? fread(content, 1, sizeof content - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    content[length] = '\0';
    const char *mark = memmem(content, length, MUTANT_MARK, strlen(MUTANT_MARK));
    if (mark == NULL)
        return;
    snprintf(plant->clauses, sizeof plant->clauses, "%s", mark + strlen(MUTANT_MARK));
    plant->clauses[strcspn(plant->clauses, "*\n")] = '\0';
}

static void add_files(const char *folder, const char *sound)
{
    char pattern[PATH_MAX];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/libmutant_*.so", folder);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct plant *plant = add(basename(found.gl_pathv[i]));
        read_clauses(plant, found.gl_pathv[i]);
        snprintf(plant->library, sizeof plant->library, "%s", found.gl_pathv[i]);
        snprintf(plant->sound_library, sizeof plant->sound_library, "%s", sound);
    }
    globfree(&found);
}

static void add_headers(const char *folder)
{
    char pattern[PATH_MAX];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/*/stdlib.h", folder);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char header[PATH_MAX];
        snprintf(header, sizeof header, "%s", found.gl_pathv[i]);
        const char *own_folder = dirname(header);
        if (strcmp(strrchr(own_folder, '/'), "/sound") == 0)
            continue;
        struct plant *plant = add(strrchr(own_folder, '/') + 1);
        read_clauses(plant, found.gl_pathv[i]);
        snprintf(plant->library, sizeof plant->library, "glibc");
        snprintf(plant->sound_library, sizeof plant->sound_library, "glibc");
        snprintf(plant->variable, sizeof plant->variable, "CPATH=%.3000s", own_folder);
        snprintf(plant->sound_variable, sizeof plant->sound_variable, "CPATH=%.3000s/sound",
                 folder);
    }
    globfree(&found);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[PLANTS_MAX + 1];
    char folder[PATH_MAX], sound[PATH_MAX];
    size_t count = 0;
    if (argc < 2 || !add_functions(argv[1])) {
        fprintf(stderr, "mutants_test: wants the library of mutants\n");
        return 2;
    }
    snprintf(folder, sizeof folder, "%s", argv[1]);
    dirname(folder);
    snprintf(sound, sizeof sound, "%.4000s/../libanvil.so", folder);
    add_files(folder, sound);
    add_headers(MUTANTS_HEADERS);
    clauses_load();
    if (argc > 2 && strcmp(argv[2], "--exact") == 0)
        return compare_exactly(argv + 3);
    tests[count++] =
        (struct CMUnitTest)cmocka_unit_test(every_clause_that_can_fail_the_gate_has_a_mutant);
    for (size_t i = 0; i < plant_count; i++)
        tests[count++] = (struct CMUnitTest){.name = plants[i].name,
                                             .test_func = plant_fails_what_it_names,
                                             .initial_state = &plants[i]};
    return _cmocka_run_group_tests("mutants", tests, count, NULL, NULL);
}
