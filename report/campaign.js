/*
 * Fuzz campaigns: what each came to, and its course from progress.tsv, whose lines are `seconds
 * instance executions corpus coverage features findings`, and a `#` before each run in the folder.
 */
/* `mallet check` keeps what its campaign printed, and the campaign its own: once is enough. */
function distinctCampaigns() {
    const known = new Map();
    for (const entry of ofKind("fuzz")) {
        const content = entry.document,
            key = [content.subject, content.engine, content.executions, content.seconds].join();
        if (!known.has(key) || entry.progress) known.set(key, entry);
    }
    return [...known.values()];
}

/* {instance: [point…]}; the time of a later run in the same folder goes on where the last one ended. */
function readProgress(text) {
    const instances = {};
    let base = 0,
        last = 0;
    for (const line of text.split("\n")) {
        if (line.startsWith("#")) {
            base = last;
            continue;
        }
        const [time, instance, executions, corpus, coverage, features, findings] = line.split("\t");
        if (findings === undefined) continue;
        last = base + Number(time);
        const points = (instances[instance] ??= []),
            before = points[points.length - 1];
        if (instance !== "all" && before?.executions === +executions) continue; // its engine said nothing new
        if (before?.time === last) points.pop();
        points.push({
            time: last,
            run: base,
            executions: +executions,
            corpus: +corpus,
            coverage: +coverage,
            features: +features,
            findings: +findings,
        });
    }
    return instances;
}

/* Executions a second between two points of one run. */
const speeds = points =>
    points.map((point, i) => {
        const before =
            i > 0 && points[i - 1].run === point.run
                ? points[i - 1]
                : {time: point.run, executions: 0};
        return point.time > before.time
            ? (point.executions - before.executions) / (point.time - before.time)
            : null;
    });

/* Instances are written at the same times, but a first or last point may lack some. */
function perInstance(instances, values) {
    const names = Object.keys(instances).filter(name => name !== "all");
    const times = [
        ...new Set(names.flatMap(name => instances[name].map(point => point.time))),
    ].sort((a, b) => a - b);
    const series = names.map(name => {
        const at = new Map(
            instances[name].map((point, i) => [point.time, values(instances[name])[i]]),
        );
        return {name: `instance ${name}`, values: times.map(time => at.get(time) ?? null)};
    });
    return {times, series};
}

function progressCharts(instances) {
    const all = instances.all ?? [],
        times = all.map(point => point.time),
        x = "time (s)";
    const line = (title, y, names) =>
        chart({
            title,
            x,
            y,
            times,
            series: names.map(([name, key]) => ({name, values: all.map(point => point[key])})),
        });
    const charts = [
        chart({
            title: "Speed",
            x,
            y: "executions a second",
            times,
            series: [{name: "executions a second", values: speeds(all)}],
        }),
        line("Executions", "executions", [["executions", "executions"]]),
        line("Corpus", "inputs kept", [["inputs", "corpus"]]),
        line("Coverage and behaviour", "edges, features", [
            ["edges covered", "coverage"],
            ["behaviours seen", "features"],
        ]),
        line("Findings", "classes of findings", [["classes", "findings"]]),
    ];
    const own = perInstance(instances, speeds);
    if (own.series.length > 1)
        charts.push(chart({title: "Speed of each instance", x, y: "executions a second", ...own}));
    return element("div", {class: "charts"}, charts);
}

function instanceTable(instances) {
    const rows = Object.entries(instances)
        .filter(([name]) => name !== "all")
        .map(([name, points]) => ({name, ...points[points.length - 1]}));
    if (rows.length < 2) return null;
    return [
        element("h4", {}, "Instances, as their engine counts"),
        table(
            "Instances",
            [
                {name: "instance", value: row => row.name},
                {
                    name: "executions",
                    number: true,
                    value: row => row.executions,
                    show: row => number(row.executions),
                },
                {name: "corpus (inputs)", number: true, value: row => row.corpus},
                {name: "coverage (edges)", number: true, value: row => row.coverage},
                {name: "features", number: true, value: row => row.features},
            ],
            rows,
        ),
    ];
}

function campaignPart(entry) {
    const content = entry.document,
        instances = entry.progress ? readProgress(entry.progress) : null;
    const rate = content.seconds > 0 ? content.executions / content.seconds : null;
    return [
        element(
            "h3",
            {},
            `${content.subject} with ${content.engine === "afl" ? "AFL++" : "libFuzzer"}`,
        ),
        facts([
            ["made", when(content.made)],
            [
                "time of the engine",
                seconds(content.seconds) + (content.interrupted ? ", interrupted" : ""),
            ],
            ["executions", `${number(content.executions)}, ${number(rate)} a second`],
            ["corpus", plural(content.corpus, "input")],
            [
                "coverage",
                content.coverage ? plural(content.coverage, "edge") : "no counters in the subject",
            ],
            ["behaviour", plural(content.features, "feature")],
            ["findings", number(content.findings.length)],
            ["not triaged", number(content.untriaged)],
            ["crashes that did not repeat", number(content.unexplained_crashes)],
        ]),
        instances ? progressCharts(instances) : none("the campaign's folder has no progress.tsv"),
        instances ? instanceTable(instances) : null,
    ];
}

function campaignSection() {
    const campaigns = distinctCampaigns();
    if (!campaigns.length)
        return none("no campaign's summary.json was in the folders; `mallet fuzz` writes one");
    return campaigns.map(campaignPart);
}
