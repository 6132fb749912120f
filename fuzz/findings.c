/* SPDX-License-Identifier: MIT */
/* A small table of the known classes. The folder is read again once a second, for what other jobs
 * have found. */
#include "fuzz/findings.h"

#include "harness/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    CLASSES_MAX = 256,
    FOLDER_MAX = 3072,
    PATH_LENGTH_MAX = 4096,
    AVOID_HITS = 32,    /* hits of a class before its op is avoided … */
    HANG_WEIGHT = 16,   /* … where one that costs its whole CPU limit counts as so many */
    AVOID_PATTERNS = 4, /* for each class */
    MILLISECONDS_PER_SECOND = 1000
};

/* An op as it keeps failing: its kind and the magnitudes of its numbers. */
struct pattern {
    uint8_t kind, size_bits, extra_bits;
    uint32_t hits;
};

struct class
{
    char name[VERDICT_CLASS_MAX]; /* <check>-<site>: also the name of its file */
    uint32_t check;
    char site[VERDICT_SITE_MAX]; /* as a verdict has it; "": none was seen in this process */
    struct pattern patterns[AVOID_PATTERNS];
};

static struct {
    char folder[FOLDER_MAX];
    struct class classes[CLASSES_MAX];
    size_t count;
    uint32_t checks; /* mask of the checks of all classes */
    bool avoids;
    uint64_t executions, known_hits, saved;
    uint8_t seen[RUN_FEATURES];
    uint64_t features;
    uint64_t flushed_ms;
} state;

/* ---- names ---- */

static struct class *class_find(const char *name)
{
    for (size_t i = 0; i < state.count; i++)
        if (strcmp(state.classes[i].name, name) == 0)
            return &state.classes[i];
    return NULL;
}

static void class_add(const char *name, uint32_t check)
{
    if (class_find(name) != NULL || state.count == CLASSES_MAX)
        return;
    struct class *class = &state.classes[state.count++];
    *class = (struct class){.check = check};
    snprintf(class->name, sizeof(class->name), "%s", name);
    if (check < CHECK_COUNT)
        state.checks |= UINT32_C(1) << check;
}

static void class_learn_site(struct class *class, const struct verdict *verdict)
{
    if (class != NULL)
        memcpy(class->site, verdict->site, sizeof(class->site));
}

/* ---- the folder ---- */

/* "overlap-malloc.trace" → the class overlap-malloc. */
static void class_add_file(const char *file)
{
    char name[VERDICT_CLASS_MAX], check[VERDICT_CLASS_MAX];
    const char *end = strstr(file, ".trace"), *dash = strchr(file, '-');
    if (end == NULL || strcmp(end, ".trace") != 0 || dash == NULL || dash > end ||
        end - file >= VERDICT_CLASS_MAX)
        return;
    snprintf(name, sizeof(name), "%.*s", (int)(end - file), file);
    snprintf(check, sizeof(check), "%.*s", (int)(dash - file), file);
    class_add(name, check_find(check));
}

static void folder_read(void)
{
    DIR *folder = state.folder[0] != '\0' ? opendir(state.folder) : NULL;
    if (folder == NULL)
        return;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        class_add_file(entry->d_name);
    closedir(folder);
}

static void write_text(int file, const char *text)
{
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

static void write_trace(int file, const struct verdict *verdict, const struct trace *trace,
                        const char *note)
{
    char line[VERDICT_SENTENCE_MAX + TRACE_LINE_MAX];
    write_text(file, "# found-by: mallet fuzz\n");
    snprintf(line, sizeof(line), "# check: %s\n# site: %s\n",
             verdict->check < CHECK_COUNT ? check_name(verdict->check) : "unknown", verdict->site);
    write_text(file, line);
    snprintf(line, sizeof(line), "# sentence: %s\n%s%s%s", verdict->sentence,
             note != NULL ? "# note: " : "", note != NULL ? note : "", note != NULL ? "\n" : "");
    write_text(file, line);
    for (size_t i = 0; i < trace->count; i++) {
        size_t length = trace_format_op(&trace->ops[i], line);
        line[length] = '\n';
        line[length + 1] = '\0';
        write_text(file, line);
    }
}

void findings_save(const struct verdict *verdict, const struct trace *trace, const char *note)
{
    char name[VERDICT_CLASS_MAX], path[PATH_LENGTH_MAX], beside[PATH_LENGTH_MAX];
    verdict_class_name(verdict, name);
    if (class_find(name) == NULL)
        state.saved++;
    class_add(name, verdict->check);
    class_learn_site(class_find(name), verdict);
    if (state.folder[0] == '\0')
        return;
    snprintf(path, sizeof(path), "%s/%s.trace", state.folder, name);
    snprintf(beside, sizeof(beside), "%s/.%s.%d", state.folder, name, (int)getpid());
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return;
    write_trace(file, verdict, trace, note);
    close(file);
    /* link, unlike rename, leaves the file of a job that was first */
    if (link(beside, path) != 0 && errno != EEXIST)
        rename(beside, path);
    unlink(beside);
    findings_flush();
}

void findings_open(const char *folder)
{
    memset(&state, 0, sizeof(state));
    snprintf(state.folder, sizeof(state.folder), "%s", folder != NULL ? folder : "");
    folder_read();
}

/* ---- what an input gets ---- */

uint64_t findings_hash(const uint8_t *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t i = 0;
    for (uint64_t word; i + sizeof(word) <= size; i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 47; /* what a word has in its high bits must reach the low ones */
    }
    for (; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* A quarter of the inputs runs unmuted, half with everything known muted, a quarter with some of
 * it. */
uint32_t findings_muted(uint64_t hash)
{
    uint32_t some = (uint32_t)(hash >> 32);
    switch (hash >> 8 & 3) {
    case 0:
        return 0;
    case 1:
        return state.checks & some;
    default:
        return state.checks;
    }
}

/* What is wrong about a result alone: all that follows can be trusted. */
static bool leaves_heap_intact(uint32_t check)
{
    return check == CHECK_ALIGNMENT || check == CHECK_ZEROED || check == CHECK_NULL ||
           check == CHECK_ERRNO || check == CHECK_POLICY;
}

void findings_mute_classes(struct run_options *options)
{
    options->muted_class_count = 0;
    for (size_t i = 0; i < state.count && options->muted_class_count < RUN_MUTED_MAX; i++) {
        const struct class *class = &state.classes[i];
        if (class->site[0] == '\0' || !leaves_heap_intact(class->check))
            continue;
        struct verdict_class *muted = &options->muted_classes[options->muted_class_count++];
        muted->check = class->check;
        memcpy(muted->site, class->site, sizeof(muted->site));
    }
}

static uint8_t magnitude(uint64_t number)
{
    return number == 0 ? 0 : (uint8_t)((64 - __builtin_clzll(number) + 3) / 4);
}

static struct pattern pattern_of(const struct trace_op *op)
{
    bool is_exact = op->size_base == SIZE_EXACT;
    return (struct pattern){op->kind, is_exact ? magnitude(op->size) : UINT8_MAX,
                            magnitude(op->extra), 0};
}

static bool pattern_matches(const struct pattern *pattern, const struct pattern *op)
{
    return pattern->kind == op->kind && pattern->size_bits == op->size_bits &&
           pattern->extra_bits == op->extra_bits;
}

static bool op_is_avoided(const struct trace_op *op)
{
    struct pattern wanted = pattern_of(op);
    for (size_t i = 0; i < state.count; i++)
        for (size_t j = 0; j < AVOID_PATTERNS; j++)
            if (state.classes[i].patterns[j].hits >= AVOID_HITS &&
                pattern_matches(&state.classes[i].patterns[j], &wanted))
                return true;
    return false;
}

void findings_avoid(struct trace *trace, uint64_t hash)
{
    size_t kept = 0;
    if (!state.avoids || (hash >> 16 & 3) == 0)
        return;
    for (size_t i = 0; i < trace->count; i++)
        if (!op_is_avoided(&trace->ops[i]))
            trace->ops[kept++] = trace->ops[i];
    trace->count = kept;
    trace_normalize(trace, NORMALIZE_DROP);
}

bool findings_is_known(const struct verdict *verdict)
{
    char name[VERDICT_CLASS_MAX];
    verdict_class_name(verdict, name);
    return class_find(name) != NULL;
}

/* Counts in the slot of the same pattern, else takes over the one with the fewest hits. */
void findings_hit(const struct verdict *verdict, const struct trace *trace)
{
    char name[VERDICT_CLASS_MAX];
    state.known_hits++;
    verdict_class_name(verdict, name);
    struct class *class = class_find(name);
    class_learn_site(class, verdict);
    if (class == NULL || verdict->op >= trace->count)
        return;
    uint32_t weight = verdict->check == CHECK_PROGRESS ? HANG_WEIGHT : 1;
    struct pattern pattern = pattern_of(&trace->ops[verdict->op]);
    struct pattern *slot = &class->patterns[0];
    for (size_t i = 0; i < AVOID_PATTERNS; i++) {
        if (class->patterns[i].hits > 0 && pattern_matches(&class->patterns[i], &pattern)) {
            class->patterns[i].hits += weight;
            state.avoids |= class->patterns[i].hits >= AVOID_HITS;
            return;
        }
        if (class->patterns[i].hits < slot->hits)
            slot = &class->patterns[i];
    }
    if (slot->hits >= AVOID_HITS)
        return;
    *slot = pattern;
    slot->hits = weight;
}

/* ---- statistics ---- */

void findings_flush(void)
{
    char text[256], path[PATH_LENGTH_MAX], beside[PATH_LENGTH_MAX];
    state.flushed_ms = clock_now_ms();
    if (state.folder[0] == '\0')
        return;
    snprintf(text, sizeof(text),
             "executions=%llu\nfeatures=%llu\nknown_hits=%llu\nsaved=%llu\nclasses=%zu\n",
             (unsigned long long)state.executions, (unsigned long long)state.features,
             (unsigned long long)state.known_hits, (unsigned long long)state.saved, state.count);
    snprintf(path, sizeof(path), "%s/stats-%d", state.folder, (int)getpid());
    snprintf(beside, sizeof(beside), "%s/.stats-%d", state.folder, (int)getpid());
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return;
    write_text(file, text);
    close(file);
    rename(beside, path);
}

enum { FEATURES_AT_ONCE = 64 };
_Static_assert(RUN_FEATURES % FEATURES_AT_ONCE == 0, "whole stretches");

/* Few are new: first a stretch is asked as a whole. */
static void count_features(const uint8_t *features)
{
    for (size_t i = 0; i < RUN_FEATURES; i += FEATURES_AT_ONCE) {
        uint8_t any = 0;
        for (size_t j = i; j < i + FEATURES_AT_ONCE; j++)
            any |= (uint8_t)(features[j] & ~state.seen[j]);
        if (any == 0)
            continue;
        for (size_t j = i; j < i + FEATURES_AT_ONCE; j++) {
            state.features += features[j] != 0 && state.seen[j] == 0;
            state.seen[j] |= features[j];
        }
    }
}

void findings_count(const uint8_t *features)
{
    state.executions++;
    count_features(features);
    if (clock_now_ms() - state.flushed_ms < MILLISECONDS_PER_SECOND)
        return;
    findings_flush();
    folder_read();
}
