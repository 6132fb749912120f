/* SPDX-License-Identifier: MIT */
/*
 * mallet-torture-child HOW WHAT SCENARIO WORKERS MILLISECONDS SEED ONE_PROCESSOR PACE MUTED: one
 * process of a scenario, on a subject that is bound as in harness/subject/child_bind.h. The report
 * is descriptor 3. No stdio and no allocation of its own.
 */
#include "adversity/torture/child.h"
#include "adversity/torture/scenarios.h"
#include "harness/subject/child_bind.h"

#include <sys/mman.h>

enum { ARGUMENTS = 10 };

static const struct scenario_entry {
    const char *name;
    void (*run)(void);
} scenarios[] = {
#define SCENARIO(name, function, milliseconds, pace_us, files, text) {name, scenario_##function},
    SCENARIOS(SCENARIO)
#undef SCENARIO
};

static const struct scenario_entry *find_scenario(const char *name)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
}

static int bind_calls(const char *how, const char *what, uint32_t *ret_offers)
{
    char error[SUBJECT_ERROR_MAX];
    struct subject subject;
    int result = child_bind(&subject, how, what, error);
    if (result != 0) {
        (void)!write(STDERR_FILENO, error, strlen(error));
        return result;
    }
    uint32_t bit = 0;
#define CALL(name, result_type, parameters)                             \
    calls.name = subject.calls.name;                                    \
    *ret_offers |= subject.calls.name != NULL ? (uint32_t)1 << bit : 0; \
    bit++;
    TORTURE_CALLS(CALL)
#undef CALL
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != ARGUMENTS)
        return TORTURE_EXIT_USAGE;
    const struct scenario_entry *scenario = find_scenario(argv[3]);
    struct torture_report *report =
        mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED, TORTURE_REPORT, 0);
    if (report == MAP_FAILED || scenario == NULL)
        return TORTURE_EXIT_USAGE;
    close(TORTURE_REPORT);
    if (bind_calls(argv[1], argv[2], &report->offers) != 0)
        return TORTURE_EXIT_USAGE;
    struct torture_options options = {.workers = (unsigned)strtoul(argv[4], NULL, 10),
                                      .milliseconds = (unsigned)strtoul(argv[5], NULL, 10),
                                      .seed = strtoull(argv[6], NULL, 10),
                                      .on_one_processor = argv[7][0] == '1',
                                      .pace_us = (unsigned)strtoul(argv[8], NULL, 10),
                                      .muted = argv[9]};
    torture_begin(report, &options);
    scenario->run();
    torture_end();
    _exit(0);
}
