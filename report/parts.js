/* What every section is made of: the data, elements, numbers, tables that can be sorted. */
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);

const ofKind = kind => data.documents.filter(entry => entry.document.document === kind);

/* element("p", {class: "quiet"}, "text", child…): text is always text, never markup. */
function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {}))
        if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
        else if (value !== false && value != null)
            made.setAttribute(name, value === true ? "" : value);
    made.append(...children.flat(Infinity).filter(child => child != null));
    return made;
}

const none = text => element("p", {class: "none"}, "no data: " + text);
const badge = (text, state) => element("span", {class: "badge " + (state ?? "")}, text);
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
const number = value => (value == null ? "-" : Math.round(value).toLocaleString("en"));
const decimal = (value, digits) => (value == null ? "-" : value.toFixed(digits));
const when = text => (text ? text.replace("T", " ").replace("Z", " UTC") : "-");

function seconds(value) {
    if (value == null) return "-";
    if (value < 60) return `${value.toFixed(1)} s`;
    if (value < 3600) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
    return `${Math.floor(value / 3600)} h ${Math.round((value % 3600) / 60)} min`;
}

/* A bar of hit/all, with the numbers. */
function share(hit, all) {
    if (!all) return "-";
    const percent = (100 * hit) / all;
    return element(
        "span",
        {class: "share", style: `--part:${percent.toFixed(1)}%`, title: `${hit} of ${all}`},
        `${percent.toFixed(1)}%`,
    );
}

const facts = pairs =>
    element(
        "dl",
        {},
        pairs.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
    );

function compare(left, right) {
    if (left == null || right == null) return (left == null) - (right == null);
    return typeof left === "number" && typeof right === "number"
        ? left - right
        : String(left).localeCompare(String(right), "en", {numeric: true});
}

/*
 * A frame with a table. columns: [{name, value(row), show(row), number, wide, time}]: value is what is
 * sorted by, show (default: value) what is shown. The first column heads its row.
 */
function table(label, columns, rows) {
    const body = element("tbody");
    const cell = (column, row, i) =>
        element(
            i === 0 ? "th" : "td",
            {
                class: column.number
                    ? "number"
                    : column.wide
                      ? "wide"
                      : column.time
                        ? "time"
                        : null,
                scope: i === 0 ? "row" : null,
            },
            (column.show ?? column.value)(row) ?? "-",
        );
    const fill = list =>
        body.replaceChildren(
            ...list.map(row =>
                element(
                    "tr",
                    {},
                    columns.map((column, i) => cell(column, row, i)),
                ),
            ),
        );
    const heads = columns.map((column, i) =>
        element(
            "th",
            {scope: "col", class: column.number ? "number" : null},
            element("button", {class: "sort", type: "button", onclick: () => sort(i)}, column.name),
        ),
    );
    function sort(at) {
        const goesUp = heads[at].getAttribute("aria-sort") !== "ascending";
        heads.forEach(head => head.removeAttribute("aria-sort"));
        heads[at].setAttribute("aria-sort", goesUp ? "ascending" : "descending");
        fill(
            [...rows].sort(
                (left, right) =>
                    compare(columns[at].value(left), columns[at].value(right)) * (goesUp ? 1 : -1),
            ),
        );
    }
    fill(rows);
    return frame(label, element("table", {}, element("thead", {}, element("tr", {}, heads)), body));
}

/* The keyboard can scroll it. No two have one name. */
let frames = 0;
const frame = (label, content) =>
    element(
        "div",
        {class: "scroll", tabindex: 0, role: "region", "aria-label": `Table ${++frames}: ${label}`},
        content,
    );

const reproduced = finding =>
    finding.reproduced ? `${finding.reproduced.times} of ${finding.reproduced.of}` : "-";

/* Each finding of each document, and the notes, as one list. */
function allFindings() {
    const found = [];
    const take = (entry, list, isNote) =>
        (list ?? []).forEach(
            finding =>
                finding &&
                found.push({
                    ...finding,
                    from: entry.document.document,
                    subject: finding.subject ?? entry.document.subject,
                    isNote: isNote || finding.note != null,
                    isExpected: Boolean(finding.baseline || finding.expected),
                }),
        );
    const inside = list => (list ?? []).map(result => result.finding).filter(Boolean);
    for (const entry of data.documents) {
        const content = entry.document;
        if (content.document === "check" || content.document === "fuzz")
            take(entry, content.findings, false);
        if (content.document === "check") take(entry, content.notes, true);
        if (content.document === "replay") take(entry, inside(content.traces), false);
        if (content.document === "torture") take(entry, inside(content.scenarios), false);
        if (content.document === "growth") take(entry, inside(content.results), false);
        if (content.document === "interleave") take(entry, inside(content.explorations), false);
    }
    return found;
}
