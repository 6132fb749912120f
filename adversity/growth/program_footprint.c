/* SPDX-License-Identifier: MIT */
/* The main of an exported program about memory. Prints what the process held, and exits with 1 if
 * it grew as the finding says. */

int main(void)
{
    static struct growth_report report;
    growth_report = &report;
    measure_footprint(&the_workload, ROUNDS, 0);
    for (uint32_t i = 0; i < report.sample_count; i += report.sample_count / 8 + 1)
        printf("after %u of %u samples: %.1f MiB resident\n", i + 1, report.sample_count,
               (double)report.samples[i].resident / (1 << 20));
    double first = (double)report.samples[0].resident,
           last = report.sample_count > 0 ? (double)report.samples[report.sample_count - 1].resident
                                          : 0;
    printf("at last %.1f MiB resident, %.1f MiB live at most%s%s\n", last / (1 << 20),
           (double)report.peak_live / (1 << 20), report.sentence[0] != '\0' ? ": " : "",
           report.sentence);
    return last > 2 * first + (2 << 20) ? 1 : 0;
}
