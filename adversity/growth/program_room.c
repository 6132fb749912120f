/* SPDX-License-Identifier: MIT */
/* The main of an exported program about room: exits with 1 if what is resident is more than the
 * bound allows. */

int main(void)
{
    static struct growth_report report;
    growth_report = &report;
    measure_room(&the_workload, COUNT, SIZE);
    printf("%.1f MiB resident, %.1f MiB live%s%s\n", (double)report.resident / (1 << 20),
           (double)report.live / (1 << 20), report.sentence[0] != '\0' ? ": " : "",
           report.sentence);
    return IS_COST && (double)report.resident > BOUND * (double)report.live + (2 << 20) ? 1 : 0;
}
