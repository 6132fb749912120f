/* SPDX-License-Identifier: MIT */
/* `mallet replay --fail-os`: a trace once for each OS call that it makes, that one failing, and
 * what to print of it. */
#include "mallet/replay.h"

#include "mallet/command.h"
#include "mallet/fault_sweep.h"

#include <string.h>

enum { CLASSES_MAX = 64 /* findings that one trace may print */ };

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

struct faulty_replay {
    struct replay *replay;
    const char *path;
    struct verdict seen[CLASSES_MAX]; /* classes printed */
    size_t classes, same;
};

static bool is_seen(struct faulty_replay *faulty, const struct verdict *verdict)
{
    for (size_t i = 0; i < faulty->classes; i++)
        if (verdict_is_same(&faulty->seen[i], verdict))
            return true;
    if (faulty->classes < CLASSES_MAX)
        faulty->seen[faulty->classes++] = *verdict;
    return false;
}

/* The first fault that shows a class prints it. */
static int replay_fault(void *context, const struct trace *trace, bool is_base,
                        struct execution *ret_execution)
{
    struct faulty_replay *faulty = context;
    struct replay *replay = faulty->replay;
    char error[SUBJECT_ERROR_MAX];
    struct run_options options = replay_options(replay, trace);
    options.watch_os = 1;
    if (replay_past_known(replay, trace, &options, ret_execution, error) != 0)
        return report_internal_error("%s: %s", faulty->path, error);
    if (ret_execution->is_clean)
        return 0;
    bool is_again = is_seen(faulty, &ret_execution->verdict);
    faulty->same += is_again;
    if (is_again)
        return 0;
    struct finding finding;
    finding_make(&finding, executor_info(replay->executor)->subject.name, &ret_execution->verdict,
                 ret_execution->output);
    finding.trace = *trace;
    struct os_call_counts os_calls = ret_execution->os_calls;
    if (replay_count_reproduced(replay, &options, &finding, error) != 0)
        return report_internal_error("%s: %s", faulty->path, error);
    replay_print_finding(replay, faulty->path, &finding, is_base ? NULL : &os_calls);
    return 0;
}

static void print_faults(const struct faulty_replay *faulty, const struct fault_sweep *sweep)
{
    struct replay *replay = faulty->replay;
    replay->passed += faulty->classes == 0;
    replay->faults += sweep->faults;
    replay->faults_left_out += sweep->left_out;
    for (unsigned i = 0; i < OS_CALL_COUNT; i++)
        replay->failed_calls[i] += sweep->failed[i];
    if (replay->list != NULL) {
        json_array_append_new(replay->list,
                              json_pack("{s:s, s:s, s:I, s:I, s:I}", "file", faulty->path, "result",
                                        faulty->classes == 0 ? "ok" : "faults", "os_calls",
                                        (json_int_t)sweep->os_calls, "faults",
                                        (json_int_t)sweep->faults, "left_out",
                                        (json_int_t)sweep->left_out));
        return;
    }
    printf("%-8s %s: %zu OS calls, %zu faults", faulty->classes == 0 ? "ok" : "faults",
           faulty->path, sweep->os_calls, sweep->faults);
    if (sweep->left_out > 0)
        printf(", %zu left out", sweep->left_out);
    if (faulty->same > 0)
        printf(", %zu of them with a finding printed already", faulty->same);
    putchar('\n');
}

int replay_faults(struct replay *replay, const char *path, const struct trace *trace)
{
    struct faulty_replay faulty = {.replay = replay, .path = path};
    struct fault_sweep sweep = {.only = replay->request->fail_os,
                                .has_pairs = replay->request->has_fail_pairs,
                                .faults_max = replay->request->fail_max,
                                .end = replay->end};
    int status = fault_sweep_run(&sweep, trace, replay_fault, &faulty);
    switch (status) {
    case SWEEP_NO_MEMORY:
        return report_internal_error("%s: no memory", path);
    case SWEEP_NOT_WATCHED:
        return refuse("--fail-os: OS calls cannot be watched here: that takes Linux on x86-64, "
                      "seccomp, and a build without sanitizer");
    case SWEEP_DONE:
    case SWEEP_BASE_FAILED:
        print_faults(&faulty, &sweep);
        return faulty.classes == 0 ? EXIT_CLEAN : EXIT_FINDINGS;
    default:
        return status;
    }
}
