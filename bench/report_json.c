/* SPDX-License-Identifier: MIT */
#include "bench/report.h"

#include <unistd.h>

static json_t *number_or_null(double number)
{
    return number > 0 ? json_real(number) : json_null();
}

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *value_to_json(const struct results_value *value, bool is_compared)
{
    json_t *object = json_pack("{s:f, s:f, s:f}", "median", value->median, "min", value->low, "max",
                               value->high);
    if (is_compared) {
        json_object_set_new(object, "ratio", number_or_null(value->ratio));
        json_object_set_new(object, "verdict", text_or_null(results_verdict_name(value->verdict)));
    }
    return object;
}

static void add_counts(json_t *object, const struct bench_cell *cell)
{
    static const char *const names[BENCH_COUNTERS] = {"instructions", "os_calls"};
    static const char *const failures[BENCH_COUNTERS] = {"instructions_failure",
                                                         "os_calls_failure"};
    for (unsigned i = 0; i < BENCH_COUNTERS; i++) {
        if (cell->counts[i].is_known)
            json_object_set_new(object, names[i], json_real(cell->counts[i].number));
        if (cell->counts[i].failure[0] != '\0')
            json_object_set_new(object, failures[i], json_string(cell->counts[i].failure));
    }
}

static json_t *cell_to_json(const struct bench *bench, const struct results *results, size_t w,
                            size_t s)
{
    const struct bench_cell *cell = bench_cell_at(bench, w, s);
    const struct results_value *values = results->rows[w].values[s];
    json_t *object =
        json_pack("{s:s, s:i}", "subject", bench->subjects[s].name, "runs", (int)cell->runs);
    if (cell->failure[0] != '\0')
        json_object_set_new(object, "failure", json_string(cell->failure));
    if (cell->failure[0] != '\0' || cell->runs == 0)
        return object;
    json_object_set_new(object, "operations", json_integer((json_int_t)cell->operations));
    json_object_set_new(object, "cpu_ns", value_to_json(&values[BENCH_CPU], true));
    json_object_set_new(object, "rss_bytes", value_to_json(&values[BENCH_RSS], true));
    json_object_set_new(object, "faults", value_to_json(&values[BENCH_FAULTS], false));
    add_counts(object, cell);
    if (cell->live_bytes > 0)
        json_object_set_new(object, "rss_per_live",
                            json_real(values[BENCH_RSS].median / (double)cell->live_bytes));
    return object;
}

static json_t *workload_to_json(const struct bench *bench, const struct results *results, size_t w)
{
    const struct bench_workload *workload = &bench->workloads[w];
    json_t *object = json_pack("{s:s, s:s}", "workload", workload->name, "group", workload->group);
    json_object_set_new(object, "counts", json_boolean(results->rows[w].counts));
    if (workload->skipped[0] != '\0') {
        json_object_set_new(object, "skipped", json_string(workload->skipped));
        return object;
    }
    json_t *list = json_array();
    for (size_t s = 0; s < bench->subject_count; s++)
        json_array_append_new(list, cell_to_json(bench, results, w, s));
    json_object_set_new(object, "interval_cpu", json_real(results->rows[w].interval[BENCH_CPU]));
    json_object_set_new(object, "interval_rss", json_real(results->rows[w].interval[BENCH_RSS]));
    json_object_set_new(object, "results", list);
    return object;
}

static json_t *behind_to_json(const struct bench *bench, const struct results *results, size_t s,
                              enum bench_cost cost)
{
    json_t *list = json_array();
    for (size_t w = 0; w < bench->workload_count; w++)
        if (results->rows[w].counts && results_is_behind(bench, results, w, s, cost))
            json_array_append_new(list, json_string(bench->workloads[w].name));
    return list;
}

static json_t *subject_to_json(const struct bench *bench, const struct results *results, size_t s)
{
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:i, s:o, s:o}", "subject", bench->subjects[s].name, "file",
        bench->subjects[s].plan.spec, "geomean_cpu", number_or_null(results->geomean[s][BENCH_CPU]),
        "geomean_rss", number_or_null(results->geomean[s][BENCH_RSS]), "verdict_cpu",
        text_or_null(results_verdict_name(results->verdict[s][BENCH_CPU])), "verdict_rss",
        text_or_null(results_verdict_name(results->verdict[s][BENCH_RSS])), "failed",
        (int)results->failed[s], "behind_cpu", behind_to_json(bench, results, s, BENCH_CPU),
        "behind_rss", behind_to_json(bench, results, s, BENCH_RSS));
}

json_t *report_json(const struct bench *bench, const struct results *results)
{
    json_t *subjects = json_array(), *workloads = json_array();
    for (size_t s = 0; s < bench->subject_count; s++)
        json_array_append_new(subjects, subject_to_json(bench, results, s));
    for (size_t w = 0; w < bench->workload_count; w++)
        json_array_append_new(workloads, workload_to_json(bench, results, w));
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:f, s:f, s:f, s:b, s:i, s:o, s:o}", "reference",
                     bench->subjects[BENCH_REFERENCE].name, "control",
                     bench->subjects[BENCH_CONTROL].name, "repeats", (int)bench->repeats, "scale",
                     (int)bench->scale, "processors", (int)sysconf(_SC_NPROCESSORS_ONLN), "load",
                     bench->load, "interval_cpu", results->interval[BENCH_CPU], "interval_rss",
                     results->interval[BENCH_RSS], "too_noisy", (int)results->is_too_noisy,
                     "noisy_workloads", (int)results->noisy, "subjects", subjects, "workloads",
                     workloads);
}
