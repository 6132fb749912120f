/* SPDX-License-Identifier: MIT */
/*
 * What only a sanitizer sees: replays an input in the instrumented target itself, takes the verdict
 * from its summary line, and makes the trace small by removing stretches of it. Each replay starts
 * a process, so it is bounded to some hundred; sizes are left as they are.
 */
#include "mallet/campaign_internal.h"

#include "harness/finding/finding.h"

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

/* Removes ops start..end if the rest still shows the verdict. */
static void try_without(struct campaign *campaign, struct trace *trace, struct trace *spare,
                        size_t start, size_t end, const struct verdict *verdict)
{
    memcpy(spare->ops, trace->ops, start * sizeof(*spare->ops));
    memcpy(spare->ops + start, trace->ops + end, (trace->count - end) * sizeof(*spare->ops));
    spare->count = trace->count - (end - start);
    trace_normalize(spare, NORMALIZE_DROP);
    if (spare->count == 0 || !shows(campaign, spare, verdict))
        return;
    memcpy(trace->ops, spare->ops, spare->count * sizeof(*spare->ops));
    trace->count = spare->count;
}

void campaign_shrink_target(struct campaign *campaign, struct trace *trace,
                            const struct verdict *verdict)
{
    struct trace spare = {.ops = calloc(trace->count + 1, sizeof(struct trace_op)),
                          .capacity = trace->count + 1};
    unsigned replays = 0;
    for (size_t length = trace->count / 2; spare.ops != NULL && length > 0; length /= 2)
        for (size_t end = trace->count;
             end > 0 && replays < SHRINK_REPLAYS && !campaign_is_stopped(); replays++) {
            size_t start = end > length ? end - length : 0;
            try_without(campaign, trace, &spare, start, end, verdict);
            end = start;
        }
    free(spare.ops);
}
