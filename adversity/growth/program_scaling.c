/* SPDX-License-Identifier: MIT */
/* The main of an exported program about costs: each number of blocks in a process of its own. Exits
 * with 1 if they show what the finding says. */

enum { LEAST_NS = 500 }; /* what a few misses of the machine's caches cost grows with N anyway */

static struct growth_report *measure(size_t count)
{
    int status;
    *growth_report = (struct growth_report){0};
    pid_t child = fork();
    if (child == 0) {
        measure_scaling(&the_workload, count, SIZE, IS_COUNTING);
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        printf("%zu blocks: the process died of signal %d\n", count, WTERMSIG(status));
        exit(1);
    }
    return growth_report;
}

static int show_os_calls(void)
{
    struct growth_report *report = measure(COUNT);
    double all = (double)report->os_calls / (double)report->operations;
    double worst = (double)report->worst_calls / (double)report->worst_operations;
    printf("%u blocks: %.3f OS calls an operation, %.3f in the worst stretch, number %u\n",
           (unsigned)COUNT, all, worst, (unsigned)report->worst_window + 1);
    return IS_COST && worst >= OS_CALLS_LEAST ? 1 : 0;
}

static int show_times(void)
{
    double costs[4];
    for (int i = 0; i < 4; i++) {
        struct growth_report *report = measure((size_t)COUNT << i);
        costs[i] = (double)report->cpu_ns / (double)report->operations;
        printf("%u blocks: %.0f ns of CPU time an operation\n", (unsigned)COUNT << i, costs[i]);
    }
    double base = IS_ONE_BLOCK ? costs[0] : 0, least = costs[IS_ONE_BLOCK] - base;
    bool grows = costs[3] - base > 3 * least && costs[3] - base > 1.6 * (costs[2] - base) &&
                 costs[3] - base > LEAST_NS;
    return IS_COST && grows ? 1 : 0;
}

int main(void)
{
    growth_report = mmap(NULL, sizeof *growth_report, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return IS_COUNTING ? show_os_calls() : show_times();
}
