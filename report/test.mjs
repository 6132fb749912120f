// SPDX-License-Identifier: MIT
/*
 * Opens pages of `mallet report` from disk in Debian's Chromium, in both themes, at 390 px and on a
 * wide screen: every link leads somewhere, every chart is drawn, nothing is fetched, the console
 * stays silent, nothing scrolls sideways, tables sort, clauses unfold by the keyboard, and axe-core
 * finds nothing.
 *
 * usage: node test.mjs [--empty] PAGE [FOLDER for screenshots]; --empty: a page that has data for
 * nothing but one section, so that others say "no data"
 */
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";
import {chromium} from "playwright-core";

const words = process.argv.slice(2);
const isEmpty = words[0] === "--empty" && words.shift();
const [page_path, folder] = words;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let passed = 0,
    failed = 0;

function expect(what, holds, details = "") {
    if (holds) passed++;
    else {
        failed++;
        console.log(`FAILED: ${what}${details === "" ? "" : `: ${details}`}`);
    }
}

const isCovered = canvas => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const seen = new Set();
    for (let i = 0; i < pixels.length; i += 4)
        if (pixels[i + 3] > 0) seen.add(`${pixels[i]},${pixels[i + 1]},${pixels[i + 2]}`);
    return seen.size > 3; // axes, grid, and a series
};

async function tryCharts(page, name) {
    const figures = await page.locator("section:not([hidden]) figure.chart").all();
    for (const figure of figures) {
        const canvas = figure.locator("canvas");
        expect(`${name}: a chart has a canvas`, (await canvas.count()) === 1);
        if ((await canvas.count()) === 1)
            expect(`${name}: a chart is drawn`, await canvas.evaluate(isCovered));
    }
    return figures.length;
}

async function tryAxe(page, name) {
    const {violations} = await page.evaluate(() =>
        window.axe.run(document, {resultTypes: ["violations"]}),
    );
    expect(
        `${name}: axe-core`,
        violations.length === 0,
        violations
            .map(
                violation =>
                    `${violation.id} (${violation.nodes
                        .slice(0, 2)
                        .map(node => node.html.slice(0, 120))
                        .join(" | ")})`,
            )
            .join("; "),
    );
}

const isSorted = cells =>
    cells.every(
        (cell, i) => i === 0 || cells[i - 1].localeCompare(cell, "en", {numeric: true}) <= 0,
    );

async function tryTables(page, name) {
    for (const frame of await page.locator("section:not([hidden]) .scroll:has(.sort)").all()) {
        if (!(await frame.isVisible())) continue;
        const button = frame.locator(".sort").first(),
            rows = frame.locator("tbody tr");
        const count = await rows.count();
        await button.focus();
        await page.keyboard.press("Enter");
        const first = await rows.locator("th").allTextContents();
        expect(
            `${name}: a table sorts by the keyboard`,
            isSorted(first) && first.length === count,
            first.slice(0, 5).join(),
        );
    }
}

/* A page with replayed traces says of each check how often, and of those that no trace reaches that they never were. */
async function tryChecks(page, name) {
    const cells = await page.locator("#checks tbody tr td:nth-child(3)").allTextContents();
    const never = cells.filter(cell => cell === "never evaluated").length,
        counted = cells.filter(cell => /^[1-9][0-9,]*$/.test(cell)).length;
    if (isEmpty)
        return expect(
            `${name}: no data on checks`,
            cells.length > 0 && cells.every(cell => cell === "no data"),
            cells.join(),
        );
    expect(
        `${name}: checks that were evaluated, and others`,
        counted > 10 && never > 0 && counted + never === cells.length,
        cells.join(),
    );
}

async function tryMatrix(page, name) {
    const reveal = page.locator("#conformance .reveal");
    if ((await reveal.count()) === 0) return expect(`${name}: a matrix`, isEmpty);
    const all = await reveal.count();
    await reveal.first().focus();
    await page.keyboard.press("Enter");
    expect(
        `${name}: evidence unfolds`,
        (await page.locator("#conformance tr.evidence").count()) === 1,
    );
    await page.keyboard.press("Enter");
    expect(`${name}: and folds`, (await page.locator("#conformance tr.evidence").count()) === 0);
    await page.locator("#failures").check();
    const failures = await reveal.count(),
        shown = await page.locator("#conformance .matrix tbody tr").allTextContents();
    expect(
        `${name}: failures only`,
        failures < all && shown.every(row => /fail|error/.test(row)),
        `${failures} of ${all}`,
    );
    await page.locator("#failures").uncheck();
    await page.locator("#search").fill("calloc");
    const found = await reveal.count();
    expect(`${name}: search`, found > 0 && found < all, `${found} of ${all}`);
    await page.locator("#search").fill("");
    await page.locator("#first").selectOption({index: 1});
    await page.locator("#second").selectOption({index: 1});
    expect(
        `${name}: two runs that differ`,
        (await reveal.count()) > 0 && (await reveal.count()) < all,
    );
    await page.locator("#second").selectOption({index: 0});
    expect(`${name}: a run does not differ from itself`, (await reveal.count()) === 0);
    await page.locator("#first").selectOption({index: 0});
}

async function tryPage(browser, scheme, width) {
    const name = `${scheme}, ${width} px`,
        said = [];
    const page = await browser.newPage({colorScheme: scheme, viewport: {width, height: 900}});
    page.on(
        "console",
        message => ["error", "warning"].includes(message.type()) && said.push(message.text()),
    );
    page.on("pageerror", error => said.push(String(error)));
    page.on(
        "request",
        request => /^(file|data):/.test(request.url()) || said.push("fetched " + request.url()),
    );
    await page.goto(pathToFileURL(page_path).href);
    await page.evaluate(axe);
    let charts = 0,
        empty = 0;
    const links = await page.locator("nav a").all();
    expect(`${name}: eight sections`, links.length === 8);
    for (const link of links) {
        const target = await link.getAttribute("href"),
            at = `${name}, ${target}`;
        await link.click();
        const section = page.locator(target);
        const shown = page.waitForFunction(id => {
            const sections = [...document.querySelectorAll("section:not([hidden])")];
            return sections.length === 1 && "#" + sections[0].id === id;
        }, target); // the page learns of the click later
        expect(`${at}: is shown, alone`, await shown.then(() => true, () => false));
        expect(`${at}: has content`, (await section.innerText()).length > 60);
        const excess = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(`${at}: no sideways scroll`, excess <= 0, `${excess} px`);
        charts += await tryCharts(page, at);
        empty += await section.locator(":scope > .none").count();
        await tryAxe(page, at);
        if (folder)
            await page.screenshot({path: `${folder}/${target.slice(1)}-${scheme}-${width}.png`});
        await tryTables(page, at);
        if (target === "#checks") await tryChecks(page, at);
        if (target === "#conformance") await tryMatrix(page, at);
    }
    for (const link of await page.locator("a[href^='#']").all())
        expect(
            `${name}: a link's target`,
            (await page.locator(await link.getAttribute("href")).count()) === 1,
        );
    if (isEmpty) expect(`${name}: what is missing is said`, empty >= 3, `${empty} times`);
    else
        expect(
            `${name}: charts`,
            charts >= 5 && empty === 0,
            `${charts} charts, ${empty} sections without data`,
        );
    expect(
        `${name}: nothing fetched, nothing in the console`,
        said.length === 0,
        said.slice(0, 3).join("; "),
    );
    await page.close();
}

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
});
for (const scheme of ["light", "dark"])
    for (const width of [390, 1280]) await tryPage(browser, scheme, width);
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
