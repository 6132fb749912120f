/* One section is shown at a time; the address says which, so that it can be linked to. */
const sections = [
    ["overview", "Overview", overviewSection],
    ["coverage", "Coverage", coverageSection],
    ["campaign", "Campaigns", campaignSection],
    ["checks", "Checks", checksSection],
    ["conformance", "Conformance", conformanceSection],
    ["mutants", "Mutants", mutantsSection],
    ["benchmarks", "Benchmarks", benchSection],
    ["trends", "Trends", trendSection],
];

function show() {
    const asked = location.hash.slice(1);
    if (asked === "main") return;
    const chosen = sections.some(([id]) => id === asked) ? asked : "overview";
    sections.forEach(([id]) => {
        document.getElementById(id).hidden = id !== chosen;
    });
    document
        .querySelectorAll("nav a")
        .forEach(link =>
            link.hash === "#" + chosen
                ? link.setAttribute("aria-current", "page")
                : link.removeAttribute("aria-current"),
        );
    drawShown();
}

document.getElementById("made").textContent =
    `made ${when(data.made)} by ${data.tool} on ${machineText(data.machine)}`;
document
    .querySelector("nav")
    .append(...sections.map(([id, title]) => element("a", {href: "#" + id}, title)));
document
    .getElementById("main")
    .replaceChildren(
        ...sections.map(([id, title, make]) =>
            element(
                "section",
                {id, "aria-labelledby": "title-" + id, hidden: true},
                element("h2", {id: "title-" + id}, title),
                ...[make()].flat(Infinity).filter(part => part != null),
            ),
        ),
    );
addEventListener("hashchange", () => {
    show();
    scrollTo(0, 0);
});
show();
