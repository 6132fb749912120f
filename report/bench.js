/* Time and memory of allocators beside the reference; a ratio within the interval of the control is a tie. */
const costs = [
    ["cpu_ns", "CPU time", "cpu"],
    ["rss_bytes", "peak memory", "rss"],
];

const verdictBadge = (ratio, verdict) =>
    ratio == null
        ? "-"
        : element(
              "span",
              {},
              ratio.toFixed(2),
              " ",
              verdict && verdict !== "tie"
                  ? badge(verdict, verdict === "less" ? "good" : verdict === "more" ? "poor" : "")
                  : badge(verdict ?? "-"),
          );

function workloadTable(content, [key, title]) {
    const rows = content.workloads.filter(workload => workload.results);
    const cost = (workload, subject) =>
        workload.results.find(result => result.subject === subject)?.[key];
    return [
        element("h4", {}, `${title} of each workload, ${content.reference} = 1`),
        table(
            `${title} of each workload`,
            [
                {name: "workload", value: workload => workload.workload},
                {name: "group", value: workload => workload.group},
                ...content.subjects.map(({subject}) => ({
                    name: subject,
                    number: true,
                    value: workload => cost(workload, subject)?.ratio,
                    show: workload =>
                        verdictBadge(
                            cost(workload, subject)?.ratio,
                            cost(workload, subject)?.verdict,
                        ),
                })),
            ],
            rows,
        ),
    ];
}

function benchSection() {
    const entries = ofKind("bench");
    if (!entries.length) return none("no document of `mallet bench --json` was in the folders");
    return entries.map(({file, document: content}) => [
        element(
            "h3",
            {},
            `${plural(content.subjects.length, "subject")} beside ${content.reference}`,
        ),
        facts([
            ["made", when(content.made)],
            ["machine", machineText(content.machine)],
            ["repeats", number(content.repeats)],
            ["load when it began", decimal(content.load, 1)],
            [
                "ties",
                `CPU time within ${decimal(content.interval_cpu, 3)}, memory within ${decimal(content.interval_rss, 3)} (factors, by the control)`,
            ],
            [
                "noise",
                content.too_noisy
                    ? "too noisy to compare CPU time"
                    : `${plural(content.noisy_workloads, "workload")} too noisy`,
            ],
            ["file", file],
        ]),
        table(
            "Geometric means",
            [
                {name: "subject", value: subject => subject.subject},
                {
                    name: "CPU time (ratio)",
                    number: true,
                    value: subject => subject.geomean_cpu,
                    show: subject => verdictBadge(subject.geomean_cpu, subject.verdict_cpu),
                },
                {
                    name: "peak memory (ratio)",
                    number: true,
                    value: subject => subject.geomean_rss,
                    show: subject => verdictBadge(subject.geomean_rss, subject.verdict_rss),
                },
                {
                    name: "workloads behind",
                    number: true,
                    value: subject => subject.behind_cpu.length + subject.behind_rss.length,
                },
                {name: "failed", number: true, value: subject => subject.failed},
            ],
            content.subjects,
        ),
        costs.map(cost => workloadTable(content, cost)),
    ]);
}
