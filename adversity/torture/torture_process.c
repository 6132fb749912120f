/* SPDX-License-Identifier: MIT */
/* One process of a scenario: started, watched for stalls, and judged by its report and by how it
 * ended. */
#include "adversity/torture/torture_internal.h"

#include "harness/base/text.h"
#include "harness/job/child.h"
#include "harness/job/job_spawn.h"

#include <sys/wait.h>

static uint64_t read_position(const struct process *process)
{
    const struct torture_report *report = job_report(process);
    uint64_t position = report->forks + report->lives + report->is_over;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        position += report->workers[i].calls;
    return position;
}

static int start(const struct torture_plan *plan, const struct torture_mode *mode,
                 struct process *ret_process)
{
    char workers[16], milliseconds[16], seed[24], pace[16];
    snprintf(workers, sizeof workers, "%u", plan->workers);
    snprintf(milliseconds, sizeof milliseconds, "%u", plan->scenario->milliseconds);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)mode->seed);
    snprintf(pace, sizeof pace, "%u", mode->pace_us);
    const char *const arguments[] = {
        workers,
        milliseconds,
        seed,
        mode->on_one_processor ? "1" : "0",
        pace,
        plan->muted,
        plan->subject->capacity != 0 || plan->subject->blocks != 0 ? "1" : "0",
        NULL};
    return job_spawn(&(struct job_order){.subject = plan->subject,
                                         .kind = JOB_SCENARIO,
                                         .name = plan->scenario->name,
                                         .arguments = arguments,
                                         .report_size = sizeof(struct torture_report),
                                         .read_position = read_position,
                                         .is_cancelled = plan->is_cancelled},
                     ret_process);
}

/* A damaged heap may have written to the report: no thread makes a call each nanosecond. */
static uint64_t calls_of(const struct torture_report *report, unsigned worker)
{
    const uint64_t most = UINT64_C(1) << 40;
    return report->workers[worker].calls < most ? report->workers[worker].calls : 0;
}

static void add_counts(const struct torture_report *report, struct torture_result *result)
{
    result->processes++;
    result->forks += report->forks;
    result->lives += report->lives;
    result->interruptions += report->interruptions;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        result->calls += calls_of(report, i);
}

static void describe_stall(const struct process *process, const struct torture_plan *plan,
                           struct torture_result *result)
{
    char *sentence = result->verdict.sentence;
    const struct stall *stall = &process->stall;
    const struct torture_report *report = job_report(process);
    size_t used = (size_t)snprintf(
        sentence, VERDICT_SENTENCE_MAX,
        "no call returns: %u of %u threads are blocked, which used %llu ms of CPU in %llu turns;",
        stall->now.blocked, stall->now.threads,
        (unsigned long long)(stall->now.cpu_us - stall->first.cpu_us) / 1000,
        (unsigned long long)(stall->now.turns - stall->first.turns));
    for (unsigned i = 0; i < plan->workers; i++) {
        unsigned call = report->workers[i].call;
        if (call == IN_NONE || call >= IN_COUNT || used >= VERDICT_SENTENCE_MAX)
            continue;
        snprintf(result->call, sizeof result->call, "%s", torture_call_name(call));
        used += (size_t)snprintf(sentence + used, VERDICT_SENTENCE_MAX - used,
                                 " thread %u is in %s", i, torture_call_name(call));
    }
    char doing[sizeof report->doing];
    text_copy_printable(doing, sizeof doing, report->doing);
    if (doing[0] != '\0' && used < VERDICT_SENTENCE_MAX)
        snprintf(sentence + used, VERDICT_SENTENCE_MAX - used, "; %s", doing);
}

/* A report that the subject may have written to: what is no check is a crash. */
static void take_told(const struct torture_report *report, const struct torture_plan *plan,
                      struct torture_result *result)
{
    struct torture_report copy;
    memcpy(&copy, (const void *)report, sizeof copy);
    copy.check[sizeof copy.check - 1] = copy.call[sizeof copy.call - 1] =
        copy.sentence[sizeof copy.sentence - 1] = '\0';
    enum check check = check_find(copy.check);
    result->verdict.check = check < CHECK_COUNT ? check : CHECK_CRASH;
    result->verdict.op = copy.worker < plan->workers ? copy.worker : VERDICT_NO_OP;
    snprintf(result->call, sizeof result->call, "%s", copy.call);
    for (size_t i = 0; i < 2; i++)
        text_copy_printable(result->overlap[i], sizeof result->overlap[i], copy.overlap[i]);
    snprintf(result->verdict.sentence, VERDICT_SENTENCE_MAX, "%s", copy.sentence);
}

static void judge(struct process *process, const struct torture_plan *plan,
                  struct torture_result *result)
{
    int status = process->status;
    const struct torture_report *report = job_report(process);
    snprintf(result->call, sizeof result->call, "none");
    result->verdict.op = VERDICT_NO_OP;
    process_take_line(process, result->output, sizeof result->output);
    snprintf(result->verdict.site, VERDICT_SITE_MAX, "torture/%s", plan->scenario->name);
    result->has_finding = true;
    if (report->is_told != 0) {
        take_told(report, plan, result);
    } else if (process->is_stuck) {
        result->verdict.check = CHECK_PROGRESS;
        describe_stall(process, plan, result);
    } else if (WIFSIGNALED(status)) {
        result->verdict.check = CHECK_CRASH;
        snprintf(result->verdict.sentence, VERDICT_SENTENCE_MAX,
                 "the process died of signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0 || report->is_over == 0) {
        result->verdict.check = CHECK_CRASH;
        snprintf(result->verdict.sentence, VERDICT_SENTENCE_MAX,
                 "the process ended by exit(%d), not by the scenario", WEXITSTATUS(status));
    } else {
        result->has_finding = false;
    }
}

/* line: why. */
static bool is_refused(struct process *process, char ret_line[SUBJECT_ERROR_MAX])
{
    const char *refusal = job_refusal(process);
    if (refusal != NULL)
        snprintf(ret_line, SUBJECT_ERROR_MAX, "%s", refusal);
    else if (WIFEXITED(process->status) && WEXITSTATUS(process->status) == CHILD_EXIT_USAGE)
        process_take_line(process, ret_line, SUBJECT_ERROR_MAX);
    else
        return false;
    return true;
}

int torture_run_process(const struct torture_plan *plan, const struct torture_mode *mode,
                        struct torture_result *result, char error[SUBJECT_ERROR_MAX])
{
    struct process process;
    char line[SUBJECT_ERROR_MAX] = "";
    int failure = start(plan, mode, &process);
    if (failure == 0) {
        process_wait(&process);
        add_counts(job_report(&process), result);
        result->offers = job_offers(&process);
        failure = process.was_cancelled ? ECANCELED : is_refused(&process, line) ? ENOEXEC : 0;
        if (failure == 0)
            judge(&process, plan, result);
        process_release(&process);
    }
    if (failure != 0)
        snprintf(error, SUBJECT_ERROR_MAX, "cannot run %s: %s", plan->subject->name,
                 line[0] != '\0' ? line : strerror(failure));
    return failure;
}
