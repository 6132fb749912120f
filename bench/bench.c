/* SPDX-License-Identifier: MIT */
/* Subjects, the order of the runs, and the folder. One run is launch.h. */
#include "bench/bench.h"

#include "bench/counters.h"
#include "bench/launch.h"
#include "harness/base/proc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(char error[SUBJECT_ERROR_MAX], int result, const char *what)
{
    snprintf(error, SUBJECT_ERROR_MAX, "%s: %s", what, strerror(result));
    return result;
}

static int find_child(struct bench *bench)
{
    char own[PATH_MAX / 2];
    if (!proc_own_folder(own, sizeof own))
        return ENOENT;
    snprintf(bench->child, sizeof bench->child, "%s/mallet-bench-child", own);
    return access(bench->child, X_OK) == 0 ? 0 : errno;
}

int bench_init(struct bench *ret_bench, char error[SUBJECT_ERROR_MAX])
{
    const char *temporary = getenv("TMPDIR");
    *ret_bench = (struct bench){.scale = 100};
    snprintf(ret_bench->folder, sizeof ret_bench->folder, "%.3700s/mallet-bench-XXXXXX",
             temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp");
    if (find_child(ret_bench) != 0)
        return fail(error, ENOENT, "no mallet-bench-child beside this program");
    if (mkdtemp(ret_bench->folder) == NULL)
        return fail(error, errno, ret_bench->folder);
    int result = bench_write_inputs(ret_bench->folder);
    if (result != 0)
        bench_done(ret_bench);
    return result != 0 ? fail(error, result, "cannot write the inputs of programs") : 0;
}

static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        (void)unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    rmdir(path);
}

void bench_done(struct bench *bench)
{
    remove_folder(bench->folder);
    free(bench->workloads);
    free(bench->cells);
    bench->workloads = NULL;
    bench->cells = NULL;
}

/* ---- subjects ---- */

static int refuse(char error[SUBJECT_ERROR_MAX], const char *typed, const char *reason)
{
    snprintf(error, SUBJECT_ERROR_MAX, "subject `%.400s`: %s", typed, reason);
    return EINVAL;
}

/* The loader passes over a library that it cannot preload, and one that exports no malloc changes
 * nothing: either would be the libc under another name. */
static int try_out(struct bench *bench, const struct bench_subject *subject, const char *typed,
                   char error[SUBJECT_ERROR_MAX])
{
    static const struct bench_workload trial = {.kind = "lifo", .size = 64};
    const struct launch_order order = {.workload = &trial, .subject = subject, .count = 1};
    struct bench_answer answer;
    char failure[BENCH_FAILURE_MAX], real[PATH_MAX] = "", used[PATH_MAX] = "";
    const char *preload = subject_plan_preload(&subject->plan);
    int result = launch_run(bench, &order, &answer, failure, error);
    if (result != 0)
        return result;
    if (failure[0] != '\0') {
        snprintf(error, SUBJECT_ERROR_MAX, "subject `%.400s`: one malloc and free: %s", typed,
                 failure);
        return EINVAL;
    }
    if (preload == NULL)
        return 0;
    bool is_used = realpath(preload, real) != NULL && realpath(answer.malloc_file, used) != NULL &&
                   strcmp(real, used) == 0;
    return is_used ? 0 : refuse(error, typed, "preloaded, it does not replace malloc");
}

/* Two subjects may come from files of the same name. */
static void name_subject(const struct bench *bench, struct bench_subject *subject)
{
    snprintf(subject->name, sizeof subject->name, "%.60s", subject->plan.name);
    char base[sizeof subject->name];
    memcpy(base, subject->name, sizeof base);
    for (unsigned number = 2, i = 0; i < bench->subject_count; i++)
        if (strcmp(bench->subjects[i].name, subject->name) == 0) {
            snprintf(subject->name, sizeof subject->name, "%.60s (%u)", base, number++);
            i = UINT32_MAX; /* look again from the start */
        }
}

int bench_add_subject(struct bench *bench, const char *typed, char error[SUBJECT_ERROR_MAX])
{
    struct bench_subject subject;
    struct subject_plan plan;
    if (bench->subject_count == BENCH_SUBJECTS_MAX)
        return refuse(error, typed, "it is one too many");
    int result = subject_resolve(&plan, typed, BIND_AUTO, SUBJECT_WHOLE_PROCESS, error);
    if (result != 0)
        return result;
    if (!subject_plan_whole_process(&plan, &subject.plan))
        return refuse(error, typed, "this build has no shared object of it");
    if (subject_plan_preload(&subject.plan) == NULL && strcmp(plan.spec, "glibc") != 0)
        return refuse(error, typed, "it cannot be preloaded");
    if (subject_plan_compile_option(&plan) != NULL)
        return refuse(error, typed, "the workloads are 64-bit programs, and it has 32 bits");
    char real[PATH_MAX];
    if (realpath(subject.plan.what, real) != NULL) /* runs have a current folder of their own */
        memcpy(subject.plan.what, real, sizeof real);
    name_subject(bench, &subject);
    result = try_out(bench, &subject, typed, error);
    if (result == 0)
        bench->subjects[bench->subject_count++] = subject;
    return result;
}

int bench_add_workload(struct bench *bench, const struct bench_workload *workload)
{
    void *more = realloc(bench->workloads, (bench->workload_count + 1) * sizeof *bench->workloads);
    if (more == NULL)
        return ENOMEM;
    bench->workloads = more;
    bench->workloads[bench->workload_count++] = *workload;
    return 0;
}

/* ---- the runs ---- */

struct bench_cell *bench_cell_at(const struct bench *bench, size_t workload, size_t subject)
{
    return &bench->cells[workload * bench->subject_count + subject];
}

uint64_t bench_scaled_count(const struct bench *bench, const struct bench_workload *workload)
{
    uint64_t count = workload->count * bench->scale / 100;
    return count > 0 ? count : 1;
}

static void add_sample(struct bench_cell *cell, const struct bench_answer *answer)
{
    bool is_own = answer->is_measured;
    uint64_t cpu_ns = is_own ? answer->cpu_ns : answer->process_cpu_ns;
    cell->samples[BENCH_CPU][cell->runs] = (double)(cpu_ns > 0 ? cpu_ns : 1);
    cell->samples[BENCH_RSS][cell->runs] = (double)answer->peak_bytes;
    cell->samples[BENCH_FAULTS][cell->runs] = (double)answer->faults;
    cell->operations = is_own ? answer->operations : 1;
    cell->live_bytes = answer->live_bytes;
    cell->runs++;
}

/* A subject that failed in a workload does not run it again. */
static int run_once(struct bench *bench, size_t w, size_t s, char error[SUBJECT_ERROR_MAX])
{
    struct bench_answer answer;
    struct bench_cell *cell = bench_cell_at(bench, w, s);
    const struct launch_order order = {.workload = &bench->workloads[w],
                                       .subject = &bench->subjects[s],
                                       .count = bench_scaled_count(bench, &bench->workloads[w])};
    if (cell->failure[0] != '\0')
        return 0;
    int result = launch_run(bench, &order, &answer, cell->failure, error);
    if (result == 0 && cell->failure[0] == '\0') {
        add_sample(cell, &answer);
        bench->done++;
    }
    return result;
}

bool bench_is_cancelled(const struct bench *bench)
{
    return bench->is_cancelled != NULL && bench->is_cancelled();
}

static int run_round(struct bench *bench, size_t w, unsigned repeat, char error[SUBJECT_ERROR_MAX])
{
    if (bench->workloads[w].skipped[0] != '\0')
        return 0;
    if (bench->report != NULL)
        bench->report(bench, &bench->workloads[w]);
    for (size_t i = 0; i < bench->subject_count && !bench_is_cancelled(bench); i++) {
        size_t s = (i + repeat + w) % bench->subject_count;
        int result = run_once(bench, w, s, error);
        if (result != 0)
            return result == ECANCELED ? 0 : result;
    }
    return 0;
}

int bench_run(struct bench *bench, char error[SUBJECT_ERROR_MAX])
{
    bench->cells = calloc(bench->workload_count * bench->subject_count, sizeof *bench->cells);
    if (bench->cells == NULL)
        return fail(error, ENOMEM, "no memory for the samples");
    if (getloadavg(&bench->load, 1) != 1)
        bench->load = 0;
    for (size_t w = 0; w < bench->workload_count; w++)
        if (bench->workloads[w].skipped[0] == '\0')
            bench->minimum += bench->repeats * bench->subject_count;
    bench->minimum += counters_runs(bench);
    for (unsigned repeat = 0; repeat < bench->repeats; repeat++)
        for (size_t w = 0; w < bench->workload_count && !bench_is_cancelled(bench); w++) {
            int result = run_round(bench, w, repeat, error);
            if (result != 0)
                return result;
        }
    return counters_run(bench, error);
}
