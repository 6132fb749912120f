/* Coverage by folder and by file; a column for each source, and for what they cover together. */
const sourcesOf = () => Object.keys(data.coverage);
const bestCoverage = () => data.coverage.union ?? Object.values(data.coverage)[0] ?? {};

const sumFiles = files =>
    Object.values(files).reduce(
        (sums, file) => sums.map((sum, i) => sum + file[i]),
        [0, 0, 0, 0, 0, 0],
    );

/* What all paths begin with, up to a slash. */
function commonFolder(paths) {
    if (!paths.length) return "";
    let prefix = paths[0].slice(0, paths[0].lastIndexOf("/") + 1);
    while (prefix && !paths.every(path => path.startsWith(prefix)))
        prefix = prefix.slice(0, prefix.lastIndexOf("/", prefix.length - 2) + 1);
    return prefix;
}

/* Of what any source knows of: one that leaves out a line must not look better than all together. */
const shareColumn = (name, at, files, all) => ({
    name,
    number: true,
    value: row => (all(row)[at] ? files(row)[at + 1] / all(row)[at] : null),
    show: row => share(files(row)[at + 1], all(row)[at]),
});

function coverageSection() {
    const sources = sourcesOf(),
        best = bestCoverage(),
        paths = Object.keys(best);
    if (!paths.length)
        return none(
            "no lcov file (*.info) was in the folders; ci/coverage writes some for this project",
        );
    const root = commonFolder(paths),
        folderOf = path => path.slice(root.length, Math.max(root.length, path.lastIndexOf("/")));
    const folders = [...new Set(paths.map(folderOf))].sort();
    const within = (files, folder) =>
        sumFiles(
            Object.fromEntries(
                Object.entries(files).filter(
                    ([path]) => folder === "" || folderOf(path) === folder,
                ),
            ),
        );
    const file = (files, path) => files[path] ?? [0, 0, 0, 0, 0, 0];
    const columns = pick => [
        ...sources.map(source =>
            shareColumn(
                `lines, ${source}`,
                0,
                row => pick(data.coverage[source], row),
                row => pick(best, row),
            ),
        ),
        shareColumn(
            "functions",
            2,
            row => pick(best, row),
            row => pick(best, row),
        ),
        shareColumn(
            "branches",
            4,
            row => pick(best, row),
            row => pick(best, row),
        ),
        {
            name: "lines not executed",
            number: true,
            value: row => pick(best, row)[0] - pick(best, row)[1],
        },
    ];
    const rows = folders.length > 1 ? ["", ...folders.filter(folder => folder !== "")] : [""];
    return [
        element(
            "p",
            {class: "quiet"},
            "Functions and branches are of ",
            sources.length > 1 ? "all sources together" : sources[0],
            ". A function of a header counts once.",
            data.lines ? [" ", element("a", {href: data.lines}, "Line by line")] : null,
        ),
        element("h3", {}, "By folder"),
        table(
            "Coverage by folder",
            [{name: "folder", value: row => row || "all"}, ...columns(within)],
            rows,
        ),
        element("h3", {}, "By file"),
        table(
            "Coverage by file",
            [{name: "file", wide: true, value: path => path.slice(root.length)}, ...columns(file)],
            paths,
        ),
    ];
}
