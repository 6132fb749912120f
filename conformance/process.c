/* SPDX-License-Identifier: MIT */
/*
 * The process of one probe: finds the probe, sets limits, binds the subject, runs the probe and
 * writes its report.
 */
#define PROBE_NO_NAMES
#include "conformance/process.h"

#include "harness/subject/child_bind.h"

#include <sys/mman.h>

extern const struct probe *const __start_probes[], *const __stop_probes[];

size_t probes_count(void)
{
    return (size_t)(__stop_probes - __start_probes);
}

const struct probe *probes_at(size_t i)
{
    return __start_probes[i];
}

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(words, word); at != NULL; at = strstr(at + 1, word))
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

const struct probe *probes_find(const char *clause)
{
    for (size_t i = 0; i < probes_count(); i++)
        if (has_word(probes_at(i)->clauses, clause))
            return probes_at(i);
    return NULL;
}

static const struct probe *find_named(const char *name)
{
    for (size_t i = 0; i < probes_count(); i++)
        if (strcmp(probes_at(i)->name, name) == 0)
            return probes_at(i);
    return NULL;
}

static void take_family(const struct subject *subject)
{
#define CALL(name, result, parameters) calls.name = subject->calls.name;
    SUBJECT_CALLS(CALL)
#undef CALL
}

int process_bind(const char *how, const char *what, char error[SUBJECT_ERROR_MAX])
{
    struct subject subject;
    int result = child_bind(&subject, how, what, error);
    if (result != 0)
        return result;
    take_family(&subject);
    bind_more(how, what);
    return 0;
}

void process_main(const char *how, const char *what, const char *probe_name)
{
    char error[SUBJECT_ERROR_MAX];
    struct probe_report *report =
        mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED, PROCESS_REPORT, 0);
    const struct probe *probe = find_named(probe_name);
    if (report == MAP_FAILED || probe == NULL)
        _exit(2);
    close(PROCESS_REPORT);
    probe_report_to(report);
    if (process_bind(how, what, error) != 0) {
        snprintf(report->evidence, sizeof report->evidence, "%s", error);
        _exit(0);
    }
    report->magic = REPORT_MAGIC;
    errno = 0;
    enum probe_outcome outcome = probe->run();
    report->outcome = outcome;
    _exit(0);
}
