/* The matrix of clauses by subjects, with evidence, a search, failures only, and the difference of two runs. */
const stateOfVerdict = verdict =>
    ["pass", "detected"].includes(verdict)
        ? "good"
        : ["fail", "error"].includes(verdict)
          ? "poor"
          : ["weak", "late", "silent"].includes(verdict)
            ? "weak"
            : "";
const isFailure = result => result.verdict === "fail" || result.verdict === "error";

/* A column for each subject of each document, newest first. */
function conformColumns() {
    const columns = [];
    for (const entry of ofKind("conform"))
        for (const subject of new Set(entry.document.results.map(result => result.subject))) {
            const results = new Map();
            entry.document.results
                .filter(result => result.subject === subject)
                .forEach(result =>
                    results.set(result.clause, [...(results.get(result.clause) ?? []), result]),
                );
            columns.push({
                subject,
                entry,
                results,
                name: `${subject}, ${when(entry.document.made)}`,
            });
        }
    return columns.sort((left, right) =>
        compare(right.entry.document.made, left.entry.document.made),
    );
}

function newestOfEach(columns) {
    const newest = new Map();
    columns.forEach(column => newest.has(column.subject) || newest.set(column.subject, column));
    return [...newest.values()].sort((left, right) => compare(left.subject, right.subject));
}

const words = (column, clause) =>
    (column.results.get(clause) ?? []).map(result => result.verdict).join(", ");

function verdictCell(column, clause) {
    const results = column.results.get(clause) ?? [];
    return element(
        "td",
        {},
        results.length
            ? results.flatMap(result => [
                  badge(
                      result.verdict + (result.baseline ? ", expected" : ""),
                      result.baseline ? "weak" : stateOfVerdict(result.verdict),
                  ),
                  " ",
              ])
            : "-",
    );
}

function evidenceRow(columns, clause) {
    const texts = columns.flatMap(column =>
        (column.results.get(clause) ?? []).map(result =>
            element(
                "p",
                {},
                element("strong", {}, column.name),
                ` (${result.profile}): ${result.verdict}. ${result.evidence || "No evidence is needed."}`,
                result.baseline ? ` Expected: ${result.baseline}` : "",
            ),
        ),
    );
    return element(
        "tr",
        {class: "evidence"},
        element(
            "td",
            {colspan: columns.length + 1},
            texts,
            element("p", {class: "quiet"}, `mallet clauses ${clause} explains it.`),
        ),
    );
}

function clauseRow(columns, clause, strength) {
    const button = element(
        "button",
        {class: "reveal", type: "button", "aria-expanded": "false"},
        clause,
    );
    const row = element(
        "tr",
        {},
        element("th", {scope: "row"}, button, element("div", {class: "quiet"}, strength)),
        columns.map(column => verdictCell(column, clause)),
    );
    button.addEventListener("click", () => {
        const isOpen = button.getAttribute("aria-expanded") === "true";
        button.setAttribute("aria-expanded", String(!isOpen));
        if (isOpen) row.nextSibling.remove();
        else row.after(evidenceRow(columns, clause));
    });
    return row;
}

function matrix(all) {
    const state = {columns: newestOfEach(all), failures: false, search: "", differ: false};
    const place = element("div"),
        count = element("p", {class: "quiet", role: "status"});
    const clauses = new Map(
        all.flatMap(column =>
            [...column.results.values()].map(results => [results[0].clause, results[0].strength]),
        ),
    );
    const matches = clause => {
        const results = state.columns.flatMap(column => column.results.get(clause) ?? []);
        return (
            results.length > 0 &&
            (!state.failures || results.some(isFailure)) &&
            (!state.differ ||
                new Set(state.columns.map(column => words(column, clause))).size > 1) &&
            (!state.search ||
                [
                    clause,
                    ...results.flatMap(result => [
                        result.evidence,
                        result.verdict,
                        result.strength,
                    ]),
                ]
                    .join(" ")
                    .toLowerCase()
                    .includes(state.search))
        );
    };
    const update = change => {
        Object.assign(state, change);
        const chosen = [...clauses].filter(([clause]) => matches(clause));
        const head = element(
            "tr",
            {},
            element("th", {scope: "col"}, "clause"),
            state.columns.map(column =>
                element(
                    "th",
                    {scope: "col"},
                    column.subject,
                    element("div", {class: "quiet"}, when(column.entry.document.made)),
                ),
            ),
        );
        place.replaceChildren(
            frame(
                "Conformance matrix",
                element(
                    "table",
                    {class: "matrix"},
                    element("thead", {}, head),
                    element(
                        "tbody",
                        {},
                        chosen.map(([clause, strength]) =>
                            clauseRow(state.columns, clause, strength),
                        ),
                    ),
                ),
            ),
        );
        count.textContent = `${plural(chosen.length, "clause")} of ${clauses.size} shown.`;
    };
    const option = (column, i) => element("option", {value: i}, column.name);
    const first = element(
        "select",
        {id: "first", onchange: () => compareRuns()},
        element("option", {value: ""}, "the newest of each"),
        all.map(option),
    );
    const second = element(
        "select",
        {id: "second", onchange: () => compareRuns()},
        all.map(option),
    );
    const compareRuns = () =>
        first.value === ""
            ? update({columns: newestOfEach(all), differ: false})
            : update({columns: [all[first.value], all[second.value]], differ: true});
    const search = element("input", {
        type: "search",
        id: "search",
        oninput: event => update({search: event.target.value.toLowerCase()}),
    });
    const failures = element("input", {
        type: "checkbox",
        id: "failures",
        onchange: event => update({failures: event.target.checked}),
    });
    update({});
    return [
        element(
            "div",
            {class: "controls"},
            element("label", {for: "search"}, "Search ", search),
            element("label", {for: "failures"}, failures, " failures only"),
            all.length > 1 ? element("label", {for: "first"}, "Difference of ", first) : null,
            all.length > 1 ? element("label", {for: "second"}, "and ", second) : null,
        ),
        count,
        place,
    ];
}

const countVerdicts = (column, test) => [...column.results.values()].flat().filter(test).length;

function conformanceSection() {
    const columns = conformColumns();
    if (!columns.length) return none("no document of `mallet conform --json` was in the folders");
    const of = verdict => ({
        name: verdict,
        number: true,
        value: column => countVerdicts(column, result => result.verdict === verdict),
    });
    return [
        table(
            "Runs",
            [
                {name: "subject", value: column => column.subject},
                {
                    name: "made",
                    time: true,
                    value: column => column.entry.document.made,
                    show: column => when(column.entry.document.made),
                },
                of("pass"),
                of("detected"),
                of("weak"),
                of("fail"),
                {
                    name: "fail, and counts",
                    number: true,
                    value: column =>
                        countVerdicts(column, result => result.counts && !result.baseline),
                },
                of("unsupported"),
                of("not-run"),
                {
                    name: "machine",
                    wide: true,
                    value: column => machineText(column.entry.document.machine),
                },
            ],
            columns,
        ),
        element("h3", {}, "Matrix"),
        element("p", {class: "quiet"}, "Press a clause to see the evidence."),
        matrix(columns),
    ];
}
