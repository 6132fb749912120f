/* SPDX-License-Identifier: MIT */
/* Schedules as text: "12:2,31:1" is thread 2 from step 12 on, thread 1 from step 31 on. */
#include "explore.h"

#include <stdio.h>
#include <string.h>

static const char no_decision[] = "default";

void schedule_print(const struct schedule *schedule, char ret_text[SCHEDULE_TEXT_MAX])
{
    size_t length = (size_t)snprintf(ret_text, SCHEDULE_TEXT_MAX, "%s",
                                     schedule->count == 0 ? no_decision : "");
    for (uint32_t i = 0; i < schedule->count && length < SCHEDULE_TEXT_MAX; i++)
        length += (size_t)snprintf(ret_text + length, SCHEDULE_TEXT_MAX - length, "%s%u:%u",
                                   i == 0 ? "" : ",", schedule->decisions[i].step,
                                   schedule->decisions[i].thread);
}

static bool parse_decision(const char **text, struct decision *ret_decision)
{
    int length = 0;
    if (sscanf(*text, "%9u:%1u%n", &ret_decision->step, &ret_decision->thread, &length) != 2 ||
        ret_decision->thread >= THREADS_MAX)
        return false;
    *text += length;
    return **text == 0 || *(*text)++ == ',';
}

bool schedule_parse(const char *text, struct schedule *ret_schedule,
                    char error[VERDICT_SENTENCE_MAX])
{
    struct schedule schedule = {0};
    const char *rest = text;
    bool is_default = strcmp(text, no_decision) == 0;
    bool is_list = text[0] != 0 && text[strspn(text, "0123456789:,")] == 0;
    while (!is_default && (*rest != 0 || !is_list)) {
        struct decision decision;
        uint32_t last = schedule.count == 0 ? 0 : schedule.decisions[schedule.count - 1].step;
        if (!is_list || schedule.count == DECISIONS_MAX || !parse_decision(&rest, &decision) ||
            decision.step <= last) {
            snprintf(
                error, VERDICT_SENTENCE_MAX,
                "`%.100s` is no schedule: STEP:THREAD,STEP:THREAD,… with rising steps, or `%s`",
                text, no_decision);
            return false;
        }
        schedule.decisions[schedule.count++] = decision;
    }
    *ret_schedule = schedule;
    return true;
}
