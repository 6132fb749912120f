/* The harness's own score: which broken allocators it caught, by what, and how soon. */
function mutantsSection() {
    const entries = ofKind("mutants");
    if (!entries.length) return none("no document of `mallet mutants --json` was in the folders");
    return entries.map(({file, document: content}) => {
        const state = result => (result === "killed" ? "good" : result === "MISSED" ? "poor" : "");
        const kills = content.mutants
            .filter(mutant => mutant.result === "killed")
            .map(mutant => mutant.seconds)
            .sort((a, b) => a - b);
        return [
            element(
                "h3",
                {},
                `${plural(content.run, "mutant")}, by ${content.by === "meant" ? "the command that is meant to catch each" : `check, ${content.by} level`}`,
            ),
            element("p", {class: "quiet"}, `${file}, ${when(content.made)}`),
            element(
                "p",
                {},
                content.run
                    ? [
                          "Mutation score: ",
                          share(content.killed, content.run),
                          ` ${content.killed} of ${content.run} killed.`,
                      ]
                    : "None was run.",
            ),
            table(
                "Classes of mutants",
                [
                    {name: "class", value: row => row.class},
                    {name: "killed", number: true, value: row => row.killed},
                    {name: "run", number: true, value: row => row.run},
                    {
                        name: "score",
                        number: true,
                        value: row => (row.run ? row.killed / row.run : null),
                        show: row => share(row.killed, row.run),
                    },
                ],
                content.classes,
            ),
            chart({
                title: "Time to the kill",
                x: "wall time (s)",
                y: "mutants killed",
                times: kills,
                series: [{name: "killed", values: kills.map((time, i) => i + 1)}],
            }),
            table(
                "Mutants",
                [
                    {name: "mutant", value: mutant => mutant.id},
                    {name: "class", value: mutant => mutant.class},
                    {
                        name: "result",
                        value: mutant => mutant.result,
                        show: mutant => badge(mutant.result, state(mutant.result)),
                    },
                    {
                        name: "killed by",
                        value: mutant => mutant.killed_by?.check ?? "",
                        show: mutant =>
                            mutant.killed_by
                                ? `${mutant.killed_by.check} in ${mutant.killed_by.site}`
                                : "-",
                    },
                    {
                        name: "wall time (s)",
                        number: true,
                        value: mutant => mutant.seconds,
                        show: mutant => decimal(mutant.seconds, 1),
                    },
                    {name: "mistake", wide: true, value: mutant => mutant.mistake},
                ],
                content.mutants,
            ),
        ];
    });
}
