/* SPDX-License-Identifier: MIT */
/* The report of an exploration: findings and schedules as text and as JSON. */
#include "report.h"
#include "harness/base/text.h"

#include "code.h"

#include "harness/finding/finding_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void report_verdict(const struct verdict *verdict, const uint64_t codes[2], const char *output)
{
    char name[CODE_NAME_MAX];
    printf("  %s in %s, step %u: %s\n", check_name((enum check)verdict->check),
           verdict->site[0] == 0 ? "the scenario" : verdict->site, verdict->op, verdict->sentence);
    if (codes[0] != 0)
        printf("    now      %s\n", code_name(codes[0], name));
    if (codes[1] != 0)
        printf("    earlier  %s\n", code_name(codes[1], name));
    if (output[0] != 0)
        printf("    printed  %.*s\n", (int)strcspn(output, "\n"), output);
}

static void report_finding(const struct explorer *explorer, const struct exploration *exploration)
{
    char schedule[SCHEDULE_TEXT_MAX];
    schedule_print(&exploration->schedule, schedule);
    report_verdict(&exploration->verdict, exploration->codes, exploration->output);
    printf("    schedule %s: %u pre-emption%s, found by schedule %llu, reproduced %u of %u\n",
           schedule, exploration->preemptions, exploration->preemptions == 1 ? "" : "s",
           (unsigned long long)exploration->schedules, exploration->reproduced,
           exploration->attempts);
    printf("    replay   %s %s --scenario %s --size %zu --replay %s\n", program_invocation_name,
           explorer->subject->name, explorer->scenario->name, explorer->size, schedule);
}

static void report_clean(const struct report_request *request,
                         const struct exploration *exploration)
{
    double rate =
        exploration->seconds > 0 ? (double)exploration->schedules / exploration->seconds : 0;
    if (exploration->is_exhausted)
        printf("  exhausted: all %llu schedules with at most %u pre-emptions",
               (unsigned long long)exploration->last_round, request->bound);
    else if (request->is_pct)
        printf("  nothing in %llu schedules of seed %llu with %u change points",
               (unsigned long long)exploration->schedules, (unsigned long long)request->seed,
               request->change_points);
    else
        printf("  not exhausted: %llu schedules, up to %u pre-emptions",
               (unsigned long long)exploration->schedules, exploration->bound);
    printf("; %u branches and %u steps at most, %llu executions, %.0f a second of processor time\n",
           exploration->branches_most, exploration->steps_most,
           (unsigned long long)exploration->schedules, rate);
}

void report_exploration(const struct explorer *explorer, const struct report_request *request,
                        const struct exploration *exploration, bool is_known)
{
    printf("%-8s %s, %s, %zu bytes\n",
           exploration->is_stopped  ? "stopped"
           : !exploration->is_found ? "ok"
           : is_known               ? "known"
                                    : "FINDING",
           explorer->subject->name, explorer->scenario->name, explorer->size);
    if (exploration->is_found)
        report_finding(explorer, exploration);
    else
        report_clean(request, exploration);
    fflush(stdout);
}

struct finding report_make_finding(const struct explorer *explorer,
                                   const struct exploration *exploration)
{
    struct finding finding;
    char schedule[SCHEDULE_TEXT_MAX], names[2][CODE_NAME_MAX];
    schedule_print(&exploration->schedule, schedule);
    /* where no call is at fault, the site is the scenario */
    finding_make(&finding, explorer->subject->name, &exploration->verdict, exploration->output);
    if (finding.site[0] == '\0')
        text_copy_printable(finding.site, sizeof finding.site, explorer->scenario->name);
    finding.reproduced = exploration->reproduced;
    finding.attempts = exploration->attempts;
    finding.extra = json_pack("{s:i, s:s, s:i, s:s, s:s}", "step", (int)exploration->verdict.op,
                              "schedule", schedule, "preemptions", (int)exploration->preemptions,
                              "now", code_name(exploration->codes[0], names[0]), "earlier",
                              code_name(exploration->codes[1], names[1]));
    return finding;
}

json_t *report_exploration_json(const struct explorer *explorer,
                                const struct report_request *request,
                                const struct exploration *exploration,
                                const struct finding *finding)
{
    json_t *object =
        json_pack("{s:s, s:s, s:I, s:s, s:b, s:i, s:I, s:I, s:i, s:i, s:f}", "subject",
                  explorer->subject->name, "scenario", explorer->scenario->name, "size",
                  (json_int_t)explorer->size, "strategy", request->is_pct ? "pct" : "exhaustive",
                  "exhausted", (int)exploration->is_exhausted, "bound",
                  (int)(request->is_pct ? request->change_points : exploration->bound), "schedules",
                  (json_int_t)exploration->schedules, "schedules_of_bound",
                  (json_int_t)exploration->last_round, "branches", (int)exploration->branches_most,
                  "steps", (int)exploration->steps_most, "seconds", exploration->seconds);
    if (object != NULL)
        json_object_set_new(object, "known",
                            json_boolean(finding != NULL && finding->expected != NULL));
    if (object != NULL)
        json_object_set_new(object, "finding",
                            finding != NULL ? finding_to_json(finding) : json_null());
    return object;
}

void report_steps(const struct record *record, bool wants_all)
{
    unsigned last = THREADS_MAX;
    for (uint32_t i = 0; i < record->event_count; i++) {
        const struct event *event = &record->events[i];
        char name[CODE_NAME_MAX];
        if (!wants_all && !event->is_shared && event->thread == last)
            continue;
        if (event->thread != last)
            printf("  thread %u%s\n", event->thread,
                   event->is_in_child ? " in the child of fork" : "");
        last = event->thread;
        printf("    %4u  %-24s", event->step, event->what);
        if (event->place > 4096)
            printf(" %#lx", (unsigned long)event->place);
        printf("%s%s\n", event->code == 0 ? "" : "  ", code_name(event->code, name));
    }
}
