/* Numbers over commits, from trend.tsv: [date, commit, chart, series, value], oldest first. Of two points of one commit the later holds. */
function trendChart(title) {
    const points = data.trend.filter(point => point[2] === title);
    const commits = [...new Set(points.map(point => point[1]))],
        series = [...new Set(points.map(point => point[3]))];
    const value = (commit, name) =>
        points.filter(point => point[1] === commit && point[3] === name).at(-1)?.[4] ?? null;
    const [, text, unit] = title.match(/^(.*?) *\((.*)\)$/) ?? [title, title, title];
    return chart({
        title: text,
        x: "commit",
        y: unit,
        digits: 2,
        isClose: true,
        times: commits.map((commit, i) => i),
        names: commits,
        series: series.map(name => ({name, values: commits.map(commit => value(commit, name))})),
    });
}

function trendSection() {
    const titles = [...new Set(data.trend.map(point => point[2]))];
    if (!titles.length)
        return none(
            "no trend.tsv was in the folders; ci/dashboard adds a point to one for each commit that it looks at",
        );
    return [
        element(
            "p",
            {class: "quiet"},
            `From ${when(data.trend[0][0])} to ${when(data.trend.at(-1)[0])}, a point for each commit that was looked at.`,
        ),
        element("div", {class: "charts"}, titles.map(trendChart)),
    ];
}
