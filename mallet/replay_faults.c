/* SPDX-License-Identifier: MIT */
/* `mallet replay --fail-os`: a trace once for each OS call that it makes, that one failing, and
 * what to print of it. */
#include "mallet/replay.h"

#include "harness/base/text.h"
#include "mallet/command.h"
#include "mallet/fault_sweep.h"

#include <stdio.h>
#include <string.h>

#define UNTRIED "untried" /* the trace shows something by itself */

void replay_print_calls(const size_t counts[OS_CALL_COUNT])
{
    const char *comma = "";
    for (unsigned i = 0; i < OS_CALL_COUNT; i++) {
        if (counts[i] > 0) {
            printf("%s%zu %s", comma, counts[i], os_call_name((enum os_call)i));
            comma = ", ";
        }
    }
}

static bool is_over(void *context)
{
    return replay_is_over(context);
}

static int replay_fault(void *context, const struct trace *trace, bool is_base,
                        struct execution *ret_execution)
{
    return replay_for_classes(context, trace, true, !is_base, ret_execution);
}

static void print_faults(struct replay *replay, const struct fault_sweep *sweep, const char *result)
{
    replay->faults += sweep->faults;
    replay->faults_left_out += sweep->left_out;
    for (unsigned i = 0; i < OS_CALL_COUNT; i++)
        replay->failed_calls[i] += sweep->failed[i];
    if (replay->list != NULL) {
        json_array_append_new(
            replay->list,
            json_pack("{s:o, s:s, s:I, s:I, s:I}", "file", cli_json_text(replay->file->path),
                      "result", result, "os_calls", (json_int_t)sweep->os_calls, "faults",
                      (json_int_t)sweep->faults, "left_out", (json_int_t)sweep->left_out));
        return;
    }
    cli_hide_progress();
    if (strcmp(result, UNTRIED) == 0) {
        printf("%-8s %s: it fails without refused OS calls\n", result, replay->file->path);
        return;
    }
    printf("%-8s %s: %zu OS call%s, %zu fault%s", result, replay->file->path, sweep->os_calls,
           text_plural(sweep->os_calls), sweep->faults, text_plural(sweep->faults));
    if (sweep->left_out > 0)
        printf(", %zu left out", sweep->left_out);
    putchar('\n');
}

int replay_faults(struct replay *replay, const struct trace *trace)
{
    struct fault_sweep sweep = {.only = replay->request->fail_os,
                                .has_pairs = replay->request->has_fail_pairs,
                                .faults_max = replay->request->fail_max,
                                .is_over = is_over};
    int status = fault_sweep_run(&sweep, trace, replay_fault, replay);
    if (replay->most_os_calls < sweep.os_calls)
        replay->most_os_calls = sweep.os_calls;
    switch (status) {
    case SWEEP_NO_MEMORY:
        return report_internal_error("%s: no memory", replay->file->path);
    case SWEEP_NOT_WATCHED:
        return refuse("--fail-os: OS calls cannot be watched here: that takes Linux on x86, "
                      "seccomp, and a build without sanitizer");
    case SWEEP_BASE_FAILED:
        if (replay->pass == PASS_CHECK)
            print_faults(replay, &sweep, UNTRIED);
        return EXIT_CLEAN;
    case SWEEP_DONE:
        if (replay->pass == PASS_CHECK && sweep.only <= sweep.os_calls)
            print_faults(replay, &sweep,
                         replay->file->has_finding || replay->file->shows_again ? "faults" : "ok");
        return EXIT_CLEAN;
    default:
        return status;
    }
}
