/* SPDX-License-Identifier: MIT */
/*
 * What only a sanitizer sees: replays an input in the instrumented target itself, takes the verdict
 * from its summary line, and makes the trace small by removing stretches of it. Each replay starts
 * a process, so it is bounded to some hundred; sizes are left as they are.
 */
#include "mallet/campaign_internal.h"

#include "harness/finding/finding.h"
#include "harness/finding/shrink_list.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 1 << 16, REPLAY_LIMIT_MS = 30000, POLL_MS = 100, SHRINK_REPLAYS = 200 };

static _Noreturn void exec_target(const struct campaign *campaign, const char *path, int output)
{
    char target[CAMPAIGN_PATH_MAX], input[CAMPAIGN_PATH_MAX];
    setpgid(0, 0);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    campaign_set_environment(campaign);
    campaign_path(target, "%s", campaign->target);
    campaign_path(input, "%s", path);
    char *const arguments[] = {target, input, NULL};
    execv(target, arguments);
    _exit(0);
}

/* The first OUTPUT_MAX bytes; the rest is read and dropped, so that the target never blocks. */
static void read_output(int file, char text[OUTPUT_MAX], int64_t end_ms)
{
    size_t length = 0;
    char rest[4096];
    struct pollfd wait = {.fd = file, .events = POLLIN};
    while (campaign_now_ms() < end_ms && !campaign_is_stopped()) {
        if (poll(&wait, 1, POLL_MS) <= 0)
            continue;
        bool has_room = length + 1 < OUTPUT_MAX;
        ssize_t got = read(file, has_room ? text + length : rest,
                           has_room ? OUTPUT_MAX - 1 - length : sizeof(rest));
        if (got <= 0)
            break;
        length += has_room ? (size_t)got : 0;
    }
    text[length] = '\0';
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
    int ends[2], status = 0;
    if (pipe(ends) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0)
        exec_target(campaign, path, ends[1]);
    close(ends[1]);
    if (pid > 0) {
        read_output(ends[0], text, campaign_now_ms() + REPLAY_LIMIT_MS);
        kill(-pid, SIGTERM);
        waitpid(pid, &status, 0);
        kill(-pid, SIGKILL);
    }
    close(ends[0]);
    if (pid < 0 || campaign_is_stopped() || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
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
