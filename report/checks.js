/* Each check: how often it was evaluated, what it found, and which mutants prove that it can fail. */
function evaluations() {
    const sums = new Map();
    const add = (check, count) => sums.set(check, (sums.get(check) ?? 0) + count);
    const counted = ofKind("replay").filter(entry => entry.document.evaluated);
    counted.forEach(entry =>
        Object.entries(entry.document.evaluated).forEach(([check, count]) => add(check, count)),
    );
    const growth = ofKind("growth"),
        schedules = ofKind("interleave").filter(entry => entry.document.explorations);
    growth.forEach(entry =>
        entry.document.results
            .filter(result => !["skipped", "not run"].includes(result.result))
            .forEach(result => add(result.check, 1)),
    );
    schedules.forEach(entry =>
        entry.document.explorations.forEach(exploration => add("race", exploration.schedules)),
    );
    return {sums, hasData: counted.length + growth.length + schedules.length > 0};
}

function checksSection() {
    const findings = allFindings(),
        {sums, hasData} = evaluations();
    const killed = ofKind("mutants")
        .flatMap(entry => entry.document.mutants)
        .filter(mutant => mutant.killed_by);
    const kills = check => killed.filter(mutant => mutant.killed_by.check === check.check).length;
    const found = check =>
        findings.filter(finding => finding.check === check.check && !finding.isNote).length;
    const times = check => sums.get(check.check) ?? 0;
    const showTimes = check =>
        !hasData
            ? "no data"
            : times(check)
              ? number(times(check))
              : badge("never evaluated", "poor");
    return [
        element(
            "p",
            {class: "quiet"},
            "A check says something only if it compares, and if it can fail: the mutants that it killed show that. ",
            "Evaluated: how often it compared what an allocator did with what it must do, in the traces that were replayed; ",
            "of crash and progress, the calls; of scaling and footprint, also each workload of growth; of race, the schedules. Campaigns are not counted.",
        ),
        table(
            "Checks",
            [
                {name: "check", value: check => check.check},
                {name: "severity", value: check => check.severity},
                {
                    name: "evaluated",
                    number: true,
                    value: check => (hasData ? times(check) : null),
                    show: showTimes,
                },
                {name: "findings", number: true, value: found},
                {
                    name: "mutants killed",
                    number: true,
                    value: kills,
                    show: check => (killed.length ? String(kills(check)) : "no data"),
                },
                {name: "asserts that", wide: true, value: check => check.asserts},
            ],
            data.checks,
        ),
    ];
}
