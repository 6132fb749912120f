/* SPDX-License-Identifier: MIT */
/*
 * Turns what a probe reported, or how its process died, into a verdict. The report is not trusted,
 * because the subject may have overwritten it.
 */
#include "conformance/gate_internal.h"

#include "harness/base/text.h"

#include <signal.h>
#include <sys/wait.h>

static const char *const call_names[CALL_COUNT] = {[CALL_NONE] = "nothing",
#define CALL(name, result, parameters) [CALL_##name] = #name,
                                                   SUBJECT_CALLS(CALL) SUBJECT_MORE_CALLS(CALL)
#undef CALL
};

static void describe_call(const struct probe_call *call, char *ret_text, size_t capacity)
{
    if (call->id == CALL_NONE || call->id >= CALL_COUNT || call->arguments > 3) {
        snprintf(ret_text, capacity, "before its first call");
        return;
    }
    size_t used = (size_t)snprintf(ret_text, capacity, "%s(", call_names[call->id]);
    for (unsigned i = 0; i < call->arguments; i++)
        used += (size_t)snprintf(ret_text + used, capacity - used,
                                 call->argument[i] >> 40 ? "%s%#llx" : "%s%llu", i > 0 ? ", " : "",
                                 (unsigned long long)call->argument[i]);
    snprintf(ret_text + used, capacity - used, ")");
}

static void describe_death(const struct ending *ending, char *ret_text, size_t capacity)
{
    if (ending->is_timed_out)
        snprintf(ret_text, capacity, "had not returned when its time was up");
    else if (WIFSIGNALED(ending->status) && WTERMSIG(ending->status) == SIGXCPU)
        snprintf(ret_text, capacity, "used up its CPU time without returning");
    else if (WIFSIGNALED(ending->status))
        snprintf(ret_text, capacity, "died of signal %d (%s)", WTERMSIG(ending->status),
                 strsignal(WTERMSIG(ending->status)));
    else
        snprintf(ret_text, capacity, "called exit(%d)", WEXITSTATUS(ending->status));
}

static void write_death(const struct probe_report *report, const struct ending *ending,
                        char ret_evidence[EVIDENCE_MAX])
{
    char call[128], death[96];
    describe_call(&report->call, call, sizeof call);
    describe_death(ending, death, sizeof death);
    const char *expected = report->phase == PHASE_PROBE    ? "expected to return, "
                           : report->phase == PHASE_MISUSE ? ""
                                                           : "after the misuse returned, ";
    snprintf(ret_evidence, EVIDENCE_MAX, "%s: %sthe process %s%s%s%s", call, expected, death,
             ending->output[0] != '\0' ? "; it printed `" : "", ending->output,
             ending->output[0] != '\0' ? "`" : "");
}

/* The wall limit, or the probe's CPU limit: SIGKILL comes from its hard part, when SIGXCPU is
 * blocked. */
static bool is_hang(const struct ending *ending)
{
    int number = WIFSIGNALED(ending->status) ? WTERMSIG(ending->status) : 0;
    return ending->is_timed_out || number == SIGXCPU || number == SIGKILL;
}

/* A death names the mistake that caused it; a hang does not, during the misuse or after it. */
static enum clause_verdict judge_death(const struct clause *clause,
                                       const struct probe_report *report,
                                       const struct ending *ending)
{
    if (report->phase == PHASE_MISUSE && !is_hang(ending))
        return CLAUSE_DETECTED;
    if (report->phase == PHASE_AFTER_MISUSE && WIFSIGNALED(ending->status) && !is_hang(ending))
        return CLAUSE_LATE;
    if (report->phase != PHASE_PROBE)
        return CLAUSE_SILENT;
    switch (clause->strength) {
    case STRENGTH_MAY:
    case STRENGTH_UB:
        return CLAUSE_RECORDED;
    case STRENGTH_SHOULD:
        return CLAUSE_WEAK;
    case STRENGTH_HARDENING:
        return CLAUSE_ERROR;
    default:
        return CLAUSE_FAIL;
    }
}

static enum clause_verdict judge_outcome(const struct clause *clause, enum probe_outcome outcome)
{
    switch (outcome) {
    case OUTCOME_PASS:
        return CLAUSE_PASS;
    case OUTCOME_FAIL:
        return clause->strength == STRENGTH_SHOULD ? CLAUSE_WEAK : CLAUSE_FAIL;
    case OUTCOME_WEAK:
        return CLAUSE_WEAK;
    case OUTCOME_RECORDED:
        return CLAUSE_RECORDED;
    case OUTCOME_DETECTED:
        return CLAUSE_DETECTED;
    case OUTCOME_LATE:
        return CLAUSE_LATE;
    case OUTCOME_SILENT:
        return CLAUSE_SILENT;
    case OUTCOME_NOT_APPLICABLE:
        return CLAUSE_NOT_APPLICABLE;
    case OUTCOME_UNSUPPORTED:
        return CLAUSE_UNSUPPORTED;
    default:
        return CLAUSE_ERROR;
    }
}

enum clause_verdict gate_judge(const struct clause *clause, const struct probe_report *report,
                               const struct ending *ending, char ret_evidence[EVIDENCE_MAX])
{
    ret_evidence[0] = '\0';
    if (ending->unbound != NULL) {
        text_copy_printable(ret_evidence, EVIDENCE_MAX, ending->unbound);
        if (ret_evidence[0] == '\0')
            snprintf(ret_evidence, EVIDENCE_MAX, "the probe's process could not be started");
        return CLAUSE_ERROR;
    }
    bool has_returned = WIFEXITED(ending->status) && WEXITSTATUS(ending->status) == 0 &&
                        !ending->is_timed_out && report->outcome > OUTCOME_NONE &&
                        report->outcome < OUTCOME_COUNT;
    if (!has_returned) {
        write_death(report, ending, ret_evidence);
        return judge_death(clause, report, ending);
    }
    text_copy_printable(ret_evidence, EVIDENCE_MAX, report->evidence);
    return judge_outcome(clause, (enum probe_outcome)report->outcome);
}
