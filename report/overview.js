/* The state in plain sentences, the findings, and the documents that the page is made of. */
const inWords = {
    fuzz: "fuzzing",
    check: "checking",
    torture: "torture",
    growth: "growth",
    replay: "replay",
    interleave: "interleaving",
};

function subjects() {
    const names = new Set();
    for (const {document: content} of data.documents) {
        if (["check", "fuzz", "torture", "growth", "replay"].includes(content.document))
            names.add(content.subject);
        if (content.document === "conform")
            content.results.forEach(result => names.add(result.subject));
    }
    return [...names].sort();
}

/* Of its newest run. */
const clausesOf = (subject, matches) =>
    newestOfEach(conformColumns())
        .filter(column => column.subject === subject)
        .flatMap(column => [...column.results.values()].flat())
        .filter(matches);

function stateOf(subject, findings) {
    const own = findings.filter(finding => finding.subject === subject);
    const classes = list =>
        new Set(list.map(finding => finding.check + " in " + finding.site)).size;
    const state = {
        subject,
        counted: classes(own.filter(finding => !finding.isNote && !finding.isExpected)),
        notes: classes(own.filter(finding => finding.isNote)),
        expected: classes(own.filter(finding => finding.isExpected && !finding.isNote)),
    };
    const campaigns = distinctCampaigns().filter(entry => entry.document.subject === subject);
    state.campaigns = campaigns.length;
    state.executions = campaigns.reduce((sum, entry) => sum + entry.document.executions, 0);
    const checks = ofKind("check").filter(entry => entry.document.subject === subject);
    state.checks = checks.length;
    state.incomplete = checks.filter(entry => !entry.document.complete).length;
    state.failing = clausesOf(subject, result => result.counts && !result.baseline).length;
    state.holding = clausesOf(subject, result => result.verdict === "pass").length;
    return state;
}

function sentenceOf(state) {
    const bad = [];
    if (state.counted)
        bad.push(plural(state.counted, "class").replace("classs", "classes") + " of findings");
    if (state.failing)
        bad.push(
            `${plural(state.failing, "clause")} that ${state.failing === 1 ? "fails" : "fail"}`,
        );
    const done = [];
    if (state.checks) done.push(plural(state.checks, "check"));
    if (state.campaigns)
        done.push(
            `${number(state.executions)} executions in ${plural(state.campaigns, "campaign")}`,
        );
    if (state.holding)
        done.push(
            `${plural(state.holding, "clause")} that ${state.holding === 1 ? "holds" : "hold"}`,
        );
    const result = bad.length ? `has ${bad.join(" and ")}` : "has no finding that counts";
    const open = state.incomplete
        ? ` ${plural(state.incomplete, "check")} did less than its minimum.`
        : "";
    return `${state.subject} ${result}${done.length ? `, after ${done.join(", ")}` : ""}.${open}`;
}

function mutantSentence() {
    const sums = ofKind("mutants").reduce(
        (sum, {document: content}) => ({
            killed: sum.killed + content.killed,
            run: sum.run + content.run,
        }),
        {killed: 0, run: 0},
    );
    return sums.run
        ? `The harness caught ${number(sums.killed)} of ${plural(sums.run, "mutant")}.`
        : null;
}

function coverageSentence() {
    const sums = sumFiles(bestCoverage());
    return sums[0]
        ? `${((100 * sums[1]) / sums[0]).toFixed(1)}% of ${plural(sums[0], "line")} of source were executed.`
        : null;
}

function findingCard(finding) {
    const state = finding.isNote
        ? badge("note")
        : finding.isExpected
          ? badge("expected", "weak")
          : badge("finding", "poor");
    const trace = finding.trace && finding.trace.includes("\n") ? finding.trace : null;
    const program = finding.program && finding.program.includes("\n") ? finding.program : null;
    return element(
        "article",
        {class: "finding"},
        element(
            "p",
            {},
            state,
            " ",
            element("strong", {}, `${finding.check} in ${finding.site}`),
            ` of ${finding.subject}, by ${inWords[finding.from] ?? finding.from}`,
        ),
        element("p", {}, finding.sentence),
        element(
            "p",
            {class: "quiet"},
            `reproduced ${reproduced(finding)}`,
            finding.confirmed_by_program ? "; its own C program shows it too" : "",
            finding.note ? `; ${finding.note}` : "",
            finding.baseline ? `; expected: ${finding.baseline}` : "",
        ),
        trace
            ? element(
                  "details",
                  {},
                  element("summary", {}, "Trace"),
                  element("pre", {tabindex: 0}, trace),
              )
            : null,
        program
            ? element(
                  "details",
                  {},
                  element("summary", {}, "C program"),
                  element("pre", {tabindex: 0}, program),
              )
            : null,
        !program && finding.program ? element("p", {class: "quiet"}, finding.program) : null,
    );
}

function overviewSection() {
    const findings = allFindings(),
        states = subjects().map(subject => stateOf(subject, findings));
    const sentences = [...states.map(sentenceOf), mutantSentence(), coverageSentence()].filter(
        Boolean,
    );
    return [
        element(
            "div",
            {class: "state"},
            sentences.length
                ? sentences.map(sentence => element("p", {}, sentence))
                : none("nothing was tested yet"),
        ),
        states.length
            ? table(
                  "Subjects",
                  [
                      {name: "subject", value: state => state.subject},
                      {
                          name: "findings",
                          number: true,
                          value: state => state.counted,
                          show: state => (state.counted ? badge(state.counted, "poor") : "0"),
                      },
                      {name: "expected", number: true, value: state => state.expected},
                      {name: "notes", number: true, value: state => state.notes},
                      {
                          name: "executions",
                          number: true,
                          value: state => state.executions,
                          show: state => number(state.executions),
                      },
                      {name: "clauses hold", number: true, value: state => state.holding},
                      {
                          name: "clauses fail",
                          number: true,
                          value: state => state.failing,
                          show: state => (state.failing ? badge(state.failing, "poor") : "0"),
                      },
                  ],
                  states,
              )
            : null,
        element("h3", {}, "Findings"),
        findings.length
            ? findings.map(findingCard)
            : element("p", {class: "quiet"}, "None in these documents."),
        element("h3", {}, "What this page is made of"),
        table(
            "Documents",
            [
                {name: "file", value: entry => entry.file, wide: true},
                {name: "command", value: entry => entry.document.document},
                {
                    name: "made",
                    time: true,
                    value: entry => entry.document.made,
                    show: entry => when(entry.document.made),
                },
                {name: "by", value: entry => entry.document.tool},
                {name: "machine", wide: true, value: entry => machineText(entry.document.machine)},
            ],
            data.documents,
        ),
    ];
}

const machineText = machine =>
    machine
        ? `${machine.system}, ${plural(machine.processors, "processor")} (${machine.processor || "of no name"}), ${machine.libc}`
        : "-";
