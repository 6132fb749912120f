/* SPDX-License-Identifier: MIT */
/*
 * What only a sanitizer sees: replays an input in the instrumented target itself, takes the verdict
 * from its summary line, and makes the trace small by removing stretches of it. Each replay starts
 * a process, so it is bounded to some hundred; sizes are left as they are.
 */
#include "mallet/campaign_internal.h"

#include "harness/base/clock.h"
#include "harness/finding/finding.h"
#include "harness/finding/shrink_list.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    OUTPUT_MAX = 1 << 16,
    REPLAY_LIMIT_MS = 30000,
    POLL_MS = 100,
    STOP_LIMIT_MS = 3000,
    SHRINK_REPLAYS = 200
};

/* Keeps the first OUTPUT_MAX bytes of all; the rest is read and dropped, so that the target never
 * blocks. */
static void read_output(struct process *target, char text[OUTPUT_MAX], size_t *length)
{
    char bytes[4096];
    size_t got;
    while ((got = process_read(target, bytes, sizeof(bytes))) > 0) {
        size_t room = OUTPUT_MAX - 1 - *length;
        memcpy(text + *length, bytes, got < room ? got : room);
        *length += got < room ? got : room;
    }
    text[*length] = '\0';
}

/* Waits for its end, or asks it to end. */
static void follow(struct process *target, char text[OUTPUT_MAX])
{
    uint64_t end_ms = clock_now_ms() + REPLAY_LIMIT_MS;
    size_t length = 0;
    while (!process_has_ended(target) && clock_now_ms() < end_ms && !campaign_is_stopped()) {
        process_poll(&target, 1, POLL_MS);
        read_output(target, text, &length);
    }
    process_stop(target, SIGTERM, STOP_LIMIT_MS);
    read_output(target, text, &length);
}

/* "SUMMARY: AddressSanitizer: heap-use-after-free /a/b/slab.c:12:3 in slab_take" → site slab_take,
 * the sentence without folders. */
static void take_summary(const char *text, struct verdict *ret_verdict)
{
    char what[VERDICT_SENTENCE_MAX / 2] = "", place[1024] = "", function[VERDICT_SITE_MAX] = "";
    *ret_verdict = (struct verdict){.check = CHECK_CRASH, .op = VERDICT_NO_OP, .site = "target"};
    const char *summary = strstr(text, "SUMMARY: ");
    if (summary == NULL ||
        sscanf(summary, "SUMMARY: %127[^\n/] %1023s in %39s", what, place, function) < 1) {
        snprintf(ret_verdict->sentence, sizeof(ret_verdict->sentence),
                 "the instrumented target died without a summary");
        return;
    }
    const char *slash = strrchr(place, '/');
    if (function[0] != '\0')
        snprintf(ret_verdict->site, sizeof(ret_verdict->site), "%s", function);
    if (strstr(what, "timeout") != NULL)
        ret_verdict->check = CHECK_PROGRESS;
    snprintf(ret_verdict->sentence, sizeof(ret_verdict->sentence), "%s%s%.60s", what,
             place[0] != '\0' ? "at " : "", slash != NULL ? slash + 1 : place);
}

bool campaign_replay_target(struct campaign *campaign, const char *path,
                            struct verdict *ret_verdict)
{
    static char text[OUTPUT_MAX];
    struct process target;
    if (campaign_spawn_target(campaign, path, &target) != 0)
        return false;
    follow(&target, text);
    process_release(&target);
    if (campaign_is_stopped() || (WIFEXITED(target.status) && WEXITSTATUS(target.status) == 0))
        return false;
    take_summary(text, ret_verdict);
    return true;
}

/* ---- shrinking ---- */

static bool shows(struct campaign *campaign, const struct trace *trace,
                  const struct verdict *verdict)
{
    char path[CAMPAIGN_PATH_MAX];
    struct verdict seen;
    size_t length = trace_encode(trace, NULL, 0);
    uint8_t *bytes = malloc(length + 1);
    campaign_path(path, "%s/.candidate", campaign->output);
    bool shown = bytes != NULL && trace_encode(trace, bytes, length) == length &&
                 campaign_write_file(path, bytes, length) == 0 &&
                 campaign_replay_target(campaign, path, &seen) && verdict_is_same(&seen, verdict);
    free(bytes);
    unlink(path);
    return shown;
}

struct target_shrink {
    struct campaign *campaign;
    struct trace *trace;
    struct trace spare; /* storage of our own */
    const struct verdict *verdict;
    unsigned replays; /* so far */
};

static size_t ops_left(void *context)
{
    return ((const struct target_shrink *)context)->trace->count;
}

static bool is_spent(void *context)
{
    return ((const struct target_shrink *)context)->replays >= SHRINK_REPLAYS ||
           campaign_is_stopped();
}

static bool remove_ops(void *context, size_t start, size_t end)
{
    struct target_shrink *shrink = context;
    struct trace *trace = shrink->trace, *spare = &shrink->spare;
    memcpy(spare->ops, trace->ops, start * sizeof(*spare->ops));
    memcpy(spare->ops + start, trace->ops + end, (trace->count - end) * sizeof(*spare->ops));
    spare->count = trace->count - (end - start);
    trace_normalize(spare, NORMALIZE_DROP);
    shrink->replays++;
    if (spare->count == 0 || !shows(shrink->campaign, spare, shrink->verdict))
        return false;
    memcpy(trace->ops, spare->ops, spare->count * sizeof(*spare->ops));
    trace->count = spare->count;
    return true;
}

void campaign_shrink_target(struct campaign *campaign, struct trace *trace,
                            const struct verdict *verdict)
{
    struct target_shrink shrink = {.campaign = campaign,
                                   .trace = trace,
                                   .spare = {.ops = calloc(trace->count + 1, sizeof *trace->ops),
                                             .capacity = trace->count + 1},
                                   .verdict = verdict};
    const struct shrink_list ops = {
        .count = ops_left, .remove = remove_ops, .is_spent = is_spent, .context = &shrink};
    if (shrink.spare.ops != NULL)
        (void)shrink_list(&ops);
    free(shrink.spare.ops);
}
