/* SPDX-License-Identifier: MIT */
#include "harness/cli/findings.h"

#include "harness/cli/output.h"
#include "harness/finding/finding_json.h"

#include <errno.h>
#include <string.h>

int cli_findings_open(struct cli_findings *ret_findings, const struct cli *cli)
{
    char error[BASELINE_ERROR_MAX], output_error[OUTPUT_ERROR_MAX];
    *ret_findings = (struct cli_findings){.cli = cli};
    for (unsigned i = 0; i < cli->baseline_count; i++)
        if (baseline_read(&ret_findings->expected, cli->baselines[i], error) != 0)
            return refuse("--baseline: %s", error);
    if (cli->write_baseline != NULL && output_check(cli->write_baseline, output_error) != 0)
        return refuse("--write-baseline: %s", output_error);
    if (cli->findings != NULL && output_check(cli->findings, output_error) != 0)
        return refuse("--findings: %s", output_error);
    return EXIT_CLEAN;
}

/* Not before there is something to write, or the command has done its work: a request that is
 * refused later must leave the file of an earlier run as it is. */
static int open_lines(struct cli_findings *findings)
{
    const char *path = findings->cli->findings;
    if (path == NULL || findings->lines != NULL)
        return 0;
    findings->lines = fopen(path, "we");
    return findings->lines != NULL ? 0 : errno;
}

void cli_findings_update(struct cli_findings *findings, const struct finding *finding)
{
    int failure = open_lines(findings);
    if (failure == 0 && findings->lines != NULL)
        failure = finding_write_line(findings->lines, finding);
    if (failure != 0)
        findings->failure = failure;
}

const char *cli_findings_expect(const struct cli_findings *findings, const struct finding *finding)
{
    enum check check = check_find(finding->check);
    if (check < CHECK_COUNT && (findings->cli->allowed >> check & 1) != 0)
        return "allowed by --allow";
    return baseline_find(&findings->expected, finding);
}

/* What editions of a standard disagree on: it counts by --profile alone. */
static bool is_choice(const struct finding *finding)
{
    return finding_is_clause(finding) && finding->note != NULL;
}

bool cli_findings_counts(const struct cli_findings *findings, const struct finding *finding)
{
    return finding->expected == NULL && !is_choice(finding) &&
           (findings->cli->is_strict || finding_note(finding) == NULL);
}

bool cli_findings_add(struct cli_findings *findings, struct finding *finding)
{
    size_t before = findings->seen.count;
    finding->expected = cli_findings_expect(findings, finding);
    int failure = baseline_add(&findings->seen, finding);
    if (failure != 0)
        findings->failure = failure;
    if (findings->seen.count > before || finding->attempts > 1)
        cli_findings_update(findings, finding);
    return cli_findings_counts(findings, finding);
}

static int write_baseline(struct cli_findings *findings)
{
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    if (output_open(&output, findings->cli->write_baseline, error) != 0)
        return refuse("--write-baseline: %s", error);
    baseline_write(output.file, &findings->seen);
    return output_close(&output, error) == 0 ? EXIT_CLEAN : refuse("--write-baseline: %s", error);
}

static int close_lines(struct cli_findings *findings, bool is_done)
{
    int failure = is_done ? open_lines(findings) : 0;
    if (failure == 0 && findings->lines != NULL)
        failure = output_flush(findings->lines);
    if (failure != 0 && findings->failure != 0)
        failure = findings->failure; /* of the first write that failed */
    if (findings->lines != NULL && fclose(findings->lines) != 0 && failure == 0)
        failure = errno;
    return failure == 0 ? EXIT_CLEAN
                        : refuse("--findings: cannot write %s: %s", findings->cli->findings,
                                 strerror(failure));
}

int cli_findings_close(struct cli_findings *findings, int status)
{
    bool is_done = status != EXIT_REFUSED && status != EXIT_INTERNAL;
    int end = close_lines(findings, is_done);
    if (end == EXIT_CLEAN && is_done && findings->failure != 0)
        end = report_internal_error("a finding was lost: %s", strerror(findings->failure));
    if (end == EXIT_CLEAN && is_done && findings->cli->write_baseline != NULL) {
        end = write_baseline(findings);
        status = status == EXIT_FINDINGS ? EXIT_CLEAN : status;
    }
    baseline_done(&findings->expected);
    baseline_done(&findings->seen);
    return is_done && end != EXIT_CLEAN ? end : status;
}
