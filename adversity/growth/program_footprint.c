/* SPDX-License-Identifier: MIT */
/* The main of an exported program about memory. Prints what the process held, and exits with 1 if
 * it grew as the finding says, by the rule that the finding was judged by; with 2 if the time was
 * over before that could be told. */

static int judge(const struct growth_report *report)
{
    struct footprint footprint = footprint_of(report);
    bool is_whole = report->round + 1 == ROUNDS || footprint.highest >= RESIDENT_MAX;
    if (!footprint_is_growing(&footprint, footprint.quarters))
        return is_whole ? 0 : 2;
    return footprint_is_past_plateaus(&footprint) ? 1 : 2;
}

int main(void)
{
    static struct growth_report report;
    growth_report = &report;
    report.refusal_status = IS_COST;
    measure_footprint(&the_workload, ROUNDS, 0);
    for (uint32_t i = 0; i < report.sample_count; i += report.sample_count / 8 + 1)
        printf("after %u of %u samples: %.1f MiB resident\n", i + 1, report.sample_count,
               (double)report.samples[i].resident / (1 << 20));
    double last =
        report.sample_count > 0 ? (double)report.samples[report.sample_count - 1].resident : 0;
    printf("at last %.1f MiB resident, %.1f MiB live at most%s%s\n", last / (1 << 20),
           (double)report.peak_live / (1 << 20), report.sentence[0] != '\0' ? ": " : "",
           report.sentence);
    return IS_COST ? judge(&report) : 0;
}
