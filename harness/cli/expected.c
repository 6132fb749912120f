/* SPDX-License-Identifier: MIT */
/*
 * A new baseline has every finding, expected or not, so that it replaces the old one. Lack of
 * memory is noted where a finding is, and reported where the file would be written.
 */
#include "harness/cli/expected.h"

#include "harness/cli/output.h"

int expected_read(struct expected *ret_expected, const struct cli *cli)
{
    char error[BASELINE_ERROR_MAX];
    *ret_expected = (struct expected){0};
    for (unsigned i = 0; i < cli->baseline_count; i++)
        if (baseline_read(&ret_expected->entries, cli->baselines[i], error) != 0)
            return refuse("--baseline: %s", error);
    if (cli->write_baseline != NULL && output_check(cli->write_baseline, error) != 0)
        return refuse("--write-baseline: %s", error);
    return EXIT_CLEAN;
}

void expected_done(struct expected *expected)
{
    baseline_done(&expected->entries);
    baseline_done(&expected->found);
}

const char *expected_find(struct expected *expected, const struct finding *finding)
{
    if (baseline_add(&expected->found, finding) != 0)
        expected->is_short_of_memory = true;
    return baseline_find(&expected->entries, finding);
}

int expected_write(struct expected *expected, const struct cli *cli)
{
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    if (cli->write_baseline == NULL)
        return EXIT_CLEAN;
    if (expected->is_short_of_memory)
        return report_internal_error("no memory for the baseline");
    int result = output_open(&output, cli->write_baseline, error);
    if (result == 0) {
        baseline_write(output.file, &expected->found);
        result = output_close(&output, error);
    }
    return result == 0 ? EXIT_CLEAN : refuse("--write-baseline: %s", error);
}
