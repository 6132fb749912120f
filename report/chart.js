/*
 * Charts over time. uPlot draws them; where mallet was built without it, the numbers alone are
 * there, as a table. The table is there in any case, for those who do not see a chart.
 */
const colours = [
    "#2f81f7",
    "#d1700a",
    "#1a7f37",
    "#bf3989",
    "#8250df",
    "#9a6700",
    "#0a7a8a",
    "#cf222e",
];
const isDrawable = typeof uPlot === "function";

const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function short(value) {
    const units = [
        [1e9, "G"],
        [1e6, "M"],
        [1e3, "k"],
    ];
    const unit = units.find(([size]) => Math.abs(value) >= size);
    return unit ? `${+(value / unit[0]).toPrecision(3)} ${unit[1]}` : String(+value.toPrecision(4));
}

function axis(label, size, names) {
    return {
        label,
        size,
        ...(names ? {incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500]} : {}),
        labelSize: 22,
        stroke: () => style("--text"),
        grid: {stroke: () => style("--line"), width: 1},
        ticks: {stroke: () => style("--line")},
        values: (plot, values) =>
            values.map(value => (value == null ? "" : names ? (names[value] ?? "") : short(value))),
    };
}

/* The range of an axis that shows small changes: a tenth more on both sides. */
const around = (low, high) => [
    low - Math.max((high - low) / 10, Math.abs(low) / 100),
    high + Math.max((high - low) / 10, Math.abs(high) / 100),
];

function draw(place, spec) {
    const plot = new uPlot(
        {
            width: Math.max(place.clientWidth, 200),
            height: 240,
            ...(spec.names ? {padding: [null, 40, null, null]} : {}),
            scales: {
                x: {time: false},
                y: {
                    range: (plot, low, high) =>
                        spec.isClose ? around(low, high) : [0, high > 0 ? high * 1.05 : 1],
                },
            },
            axes: [axis(spec.x, 40, spec.names), axis(spec.y, 52)],
            series: [
                {
                    label: spec.x,
                    value: (plot, value) =>
                        value == null ? "-" : (spec.names?.[value] ?? short(value)),
                },
                ...spec.series.map((series, i) => ({
                    label: series.name,
                    stroke: colours[i % colours.length],
                    width: 2,
                    spanGaps: true,
                    points: {show: spec.times.length < 40},
                    value: (plot, value) => (value == null ? "-" : short(value)),
                })),
            ],
        },
        [spec.times, ...spec.series.map(series => series.values)],
        place,
    );
    new ResizeObserver(
        () => place.clientWidth > 0 && plot.setSize({width: place.clientWidth, height: 240}),
    ).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
        plot.redraw(false, true),
    );
}

/* spec: {title, x, y: names of the axes with units, times, series: [{name, values}]}; names: what stands on the x axis for the times 0, 1, …;
 * digits: of the values; isClose: the y axis need not begin at 0 */
function chart(spec) {
    if (spec.times.length < 2)
        return element(
            "figure",
            {},
            element("figcaption", {}, spec.title),
            none("fewer than two points in time"),
        );
    const place = element("div", {
        class: "plot",
        role: "img",
        "aria-label": `Chart: ${spec.title}; the numbers stand below`,
    });
    const columns = [
        {
            name: spec.x,
            number: true,
            value: i => spec.times[i],
            show: i => spec.names?.[spec.times[i]] ?? decimal(spec.times[i], 1),
        },
        ...spec.series.map(series => ({
            name: series.name,
            number: true,
            value: i => series.values[i],
            show: i =>
                spec.digits ? decimal(series.values[i], spec.digits) : number(series.values[i]),
        })),
    ];
    const numbers = element(
        "details",
        {open: !isDrawable},
        element("summary", {}, `Numbers: ${spec.title}, ${spec.y}`),
    );
    numbers.append(
        table(
            spec.title,
            columns,
            spec.times.map((time, i) => i),
        ),
    );
    if (isDrawable) shown(place, () => draw(place, spec));
    return element(
        "figure",
        {class: "chart"},
        element("figcaption", {}, spec.title),
        isDrawable ? place : null,
        numbers,
    );
}

/* A hidden section has no width: its charts are drawn when it is first shown. */
const waiting = [];
const shown = (place, act) => waiting.push({place, act});
function drawShown() {
    for (let i = waiting.length - 1; i >= 0; i--)
        if (waiting[i].place.offsetParent !== null) waiting.splice(i, 1)[0].act();
}
