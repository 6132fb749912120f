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

const char *gate_describe_call(const struct probe_call *call, char ret_text[CALL_TEXT_MAX])
{
    if (call->id == CALL_NONE || call->id >= CALL_COUNT || call->arguments > 3) {
        snprintf(ret_text, CALL_TEXT_MAX, "before any call of the subject");
        return ret_text;
    }
    size_t used = (size_t)snprintf(ret_text, CALL_TEXT_MAX, "%s(", call_names[call->id]);
    for (unsigned i = 0; i < call->arguments; i++)
        used += (size_t)snprintf(ret_text + used, CALL_TEXT_MAX - used,
                                 call->argument[i] >> 40 ? "%s%#llx" : "%s%llu", i > 0 ? ", " : "",
                                 (unsigned long long)call->argument[i]);
    snprintf(ret_text + used, CALL_TEXT_MAX - used, ")");
    return ret_text;
}

static void describe_end(const struct ending *ending, char *ret_text, size_t capacity)
{
    if (ending->kind == ENDING_HANG && ending->is_deadlock)
        snprintf(ret_text, capacity, "stood still without a running thread");
    else if (ending->kind == ENDING_HANG)
        snprintf(ret_text, capacity, "used %u ms of CPU time in it", ending->hang_ms);
    else if (WIFSIGNALED(ending->status))
        snprintf(ret_text, capacity, "died of signal %d (%s)", WTERMSIG(ending->status),
                 strsignal(WTERMSIG(ending->status)));
    else
        snprintf(ret_text, capacity, "called exit(%d)", WEXITSTATUS(ending->status));
}

static void write_end(const struct probe_report *report, const struct ending *ending,
                      char ret_evidence[EVIDENCE_MAX])
{
    char call[CALL_TEXT_MAX], end[96];
    gate_describe_call(&report->calls.last, call);
    describe_end(ending, end, sizeof end);
    const char *expected = report->phase == PHASE_PROBE    ? "expected to return, "
                           : report->phase == PHASE_MISUSE ? ""
                                                           : "after the misuse returned, ";
    bool has_called = atomic_load(&report->calls.begun) > 0;
    snprintf(ret_evidence, EVIDENCE_MAX, "%s%s%sthe process %s%s%s%s", has_called ? call : "",
             has_called ? ": " : "before it called the subject, ", has_called ? expected : "", end,
             ending->output[0] != '\0' ? "; it printed `" : "", ending->output,
             ending->output[0] != '\0' ? "`" : "");
}

/* A death names the mistake that caused it; a hang does not, during the misuse or after it. */
static enum clause_verdict judge_end(const struct clause *clause, const struct probe_report *report,
                                     const struct ending *ending)
{
    bool is_hang = ending->kind == ENDING_HANG;
    if (report->phase == PHASE_MISUSE && !is_hang)
        return CLAUSE_DETECTED;
    if (report->phase == PHASE_AFTER_MISUSE && WIFSIGNALED(ending->status) && !is_hang)
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
        return CLAUSE_UNSUPPORTED; /* before any misuse: other clauses judge that */
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

static bool has_answer(const struct probe_report *report, const struct ending *ending)
{
    return ending->kind == ENDING_OWN && WIFEXITED(ending->status) &&
           WEXITSTATUS(ending->status) == 0 && report->outcome > OUTCOME_NONE &&
           report->outcome < OUTCOME_COUNT;
}

enum clause_verdict gate_judge(const struct clause *clause, const struct probe_report *report,
                               const struct ending *ending, char ret_evidence[EVIDENCE_MAX])
{
    ret_evidence[0] = '\0';
    if (ending->kind == ENDING_NOT_RUN) {
        snprintf(ret_evidence, EVIDENCE_MAX, "%s", ending->reason);
        return CLAUSE_NOT_RUN;
    }
    if (ending->unbound != NULL) {
        text_copy_printable(ret_evidence, EVIDENCE_MAX, ending->unbound);
        return CLAUSE_ERROR;
    }
    if (report->calls.lacked > CALL_NONE && report->calls.lacked < CALL_COUNT) {
        snprintf(ret_evidence, EVIDENCE_MAX,
                 "the subject has no %s, which the probe does not declare",
                 call_names[report->calls.lacked]);
        return CLAUSE_NOT_APPLICABLE;
    }
    if (ending->kind == ENDING_SLOW) {
        snprintf(ret_evidence, EVIDENCE_MAX,
                 "%d seconds of CPU time were not enough for the probe: %llu calls had returned",
                 PROBE_CPU_S, (unsigned long long)atomic_load(&report->calls.ended));
        return report->phase == PHASE_PROBE ? CLAUSE_UNSUPPORTED : CLAUSE_SILENT;
    }
    if (!has_answer(report, ending)) {
        write_end(report, ending, ret_evidence);
        return judge_end(clause, report, ending);
    }
    text_copy_printable(ret_evidence, EVIDENCE_MAX, report->evidence);
    return judge_outcome(clause, (enum probe_outcome)report->outcome);
}
