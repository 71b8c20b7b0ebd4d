import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredResult } from "../../src/evaluation/runs/stored-results.ts";
import { type PageAssets, renderPage } from "../../src/report/page.ts";
import { gatherReport } from "../../src/report/report.ts";
import { builtAssets } from "./page-assets.ts";
import { CHROMIUM, launchChromium, openFromDisk, type PageOptions } from "./page-in-browser.ts";
import { fixturePredictions, resultsFixture } from "./results-fixture.ts";

const HOSTILE = `</script><script>document.title = "taken"</script><!--<img src=x onerror="document.title='taken'">`;

let results: StoredResult[];
let assets: PageAssets;
let page: string;

beforeAll(async () => {
  assets = await builtAssets();
  results = await resultsFixture([
    { model: "strong", protocol: "corrected", shift: 4 },
    { model: "strong", protocol: "paper", shift: 4 },
    { model: "weak", protocol: "corrected", shift: 0.2 },
  ]);
  page = await pageOf(results);
});

const pageOf = async (some: readonly StoredResult[], title?: string) =>
  renderPage(
    await gatherReport(some, {
      predictions: fixturePredictions,
      ...(title === undefined ? {} : { title }),
    }),
    assets,
  );

/** The same results with another cell. */
const withCell = (change: Partial<StoredResult["result"]["cell"]>): StoredResult[] =>
  results.map((stored) => {
    const { result } = stored;
    const identity = `${result.identity}${JSON.stringify(change)}`;
    return { ...stored, result: { ...result, identity, cell: { ...result.cell, ...change } } };
  });

/** Serious and critical findings of axe. */
async function seriousIn(opened: Page): Promise<readonly string[]> {
  await opened.evaluate(axe.source);
  const found = (await opened.evaluate("axe.run().then(({ violations }) => violations)")) as {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
  const shown = found.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html}`);
  return shown.filter((one) => /^(serious|critical)/.test(one));
}

describe("page source", () => {
  test("is self-contained", () => {
    const markup = page.replaceAll(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>/g, "");
    expect(markup).not.toMatch(/\ssrc=|\shref="(?!#)|url\(|@import/);
    expect(assets.style).not.toMatch(/url\(|@import/);
  });

  test("counts tasks of the benchmark and custom tasks", async () => {
    const leadOf = async (some: readonly StoredResult[]) =>
      /<p class="lead">(.*?\.) Brackets/.exec(await pageOf(some))![1];
    const custom = withCell({ task: "my-task" });
    expect(await leadOf(results)).toBe("2 models on 1 task of the DART-Eval benchmark.");
    expect(await leadOf(custom)).toBe("2 models on 1 custom task.");
    expect(await leadOf([...results, ...custom, ...withCell({ task: "another" })])).toBe(
      "2 models on 1 task of the DART-Eval benchmark and 2 custom tasks.",
    );
  });

  test("the heat map is pale where the interval contains chance", async () => {
    const fixture = await resultsFixture([
      { model: "strong", protocol: "corrected", shift: 4 },
      { model: "guess", protocol: "corrected", shift: 0 },
    ]);
    const shades = [
      ...(await pageOf(fixture)).matchAll(/class="cell[^"]*" style="--heat:(\d+)%" title="([^"]+)"/g),
    ].map(([, heat, title]) => ({ heat: Number(heat), low: Number(/\[([\d.]+),/.exec(title)![1]) }));
    expect(shades.some(({ low }) => low > 0.5)).toBe(true);
    expect(shades.some(({ low }) => low < 0.5)).toBe(true);
    for (const { heat, low } of shades) {
      // Percent of the way from chance, 0.5, to 1; `low` has three digits.
      const shade = 200 * Math.max(0, low - 0.5);
      expect(Math.abs(heat - shade)).toBeLessThanOrEqual(0.6);
    }
  });

  test("the heat map begins with the model that exceeds chance on more data", async () => {
    const fixture = await resultsFixture([
      { model: "one", protocol: "corrected", shift: 6 },
      { model: "both", protocol: "corrected", shift: 4 },
    ]);
    const { result, ...stored } = fixture[1];
    const other = { ...result, identity: "f".repeat(64), cell: { ...result.cell, dataset: "other" } };
    const map = /<table class="map">(.*?)<\/table>/s.exec(
      await pageOf([...fixture, { ...stored, result: other }]),
    )?.[1];
    expect([...(map ?? "").matchAll(/data-model="(\w+)"/g)].map(([, model]) => model)).toEqual([
      "both",
      "one",
    ]);
  });

  test("the legend of a leaderboard has its columns and symbols", () => {
    const legend = /<\/table>\s*<\/div>\s*<ul class="key">(.*?)<\/ul>\s*<details/s.exec(page)?.[1] ?? "";
    expect([...legend.matchAll(/<b>(.*?)<\/b>/g)].map(([, term]) => term)).toEqual(["dotted line"]);
  });

  test("its content security policy allows its script by digest only", () => {
    const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)];
    expect(scripts).toHaveLength(1);
    const digest = createHash("sha256").update(scripts[0][1]).digest("base64");
    expect(page).toContain(`script-src &#39;sha256-${digest}&#39;`);
  });

  test("text of a result can neither end the script nor start an element", async () => {
    const [first] = results;
    const { result } = first;
    const cell = { ...result.cell, dataset: HOSTILE, model: { name: HOSTILE, identity: HOSTILE } };
    const hostile: StoredResult = { ...first, result: { ...result, cell, notes: [HOSTILE] } };
    const text = await pageOf([hostile], HOSTILE);
    // The figures' data, the rows and the script.
    expect(text.match(/<script/g)).toHaveLength(3);
    expect(text.match(/<\/script/g)).toHaveLength(3);
    expect(text).not.toContain("<img");
    expect(text).not.toContain("<!--");
  });

  test("every table has a caption, every figure a caption and a title", () => {
    expect(page.match(/<caption[ >]/g)!.length).toBe(page.match(/<table[ >]/g)!.length);
    expect(page.match(/<figcaption>/g)!.length).toBe(page.match(/<figure[ >]/g)!.length);
  });

  test("contents link to every task and panel, with ids that occur once", async () => {
    const many = [
      ...results,
      ...withCell({ task: "variant-effects", dataset: HOSTILE }),
      ...withCell({ setting: "probed" }),
    ];
    const text = await pageOf(many);
    const nav = text.slice(text.indexOf("<nav"), text.indexOf("</nav>"));
    const targets = [...nav.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]);
    expect(targets.slice(0, 4)).toEqual([
      "overview",
      "task-regulatory-elements",
      "panel-regulatory-elements--zero-shot-details",
      "panel-regulatory-elements--probed-details",
    ]);
    for (const id of targets) expect(text.split(`id="${id}"`)).toHaveLength(2);
    expect(text).not.toContain("<img");
  });
});

describe.skipIf(!existsSync(CHROMIUM))("page in a browser [needs Chromium]", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const open = (html: string, options: PageOptions = {}) =>
    openFromDisk(browser, dirname(results[0].folder), html, options);

  test("draws its figures without errors or requests", async () => {
    const { opened, complaints } = await open(page);
    await opened.getByRole("link", { name: "Regulatory elements" }).first().click();
    await expect.poll(() => opened.locator(".chart > svg").count()).toBe(3);
    expect(await opened.locator(".chart > svg").first().getAttribute("aria-label")).toBe(
      "Element minus control, nats, strong",
    );
    expect(complaints).toEqual([]);
  });

  test("shows one view at a time, and opens the fold that a link points into", async () => {
    const text = await pageOf([...results, ...withCell({ setting: "probed" })]);
    const { opened } = await open(text, { viewport: { width: 1400, height: 800 } });
    const views = () => opened.locator("main > .view:visible").evaluateAll((all) => all.map((one) => one.id));
    expect(await views()).toEqual(["overview"]);
    await opened.locator(".map a.cell").last().click();
    await expect.poll(views).toEqual(["task-regulatory-elements"]);
    await opened.locator(".contents").getByRole("link", { name: "probed" }).click();
    const details = opened.locator("#panel-regulatory-elements--probed-details");
    await expect.poll(() => details.getAttribute("open")).toBe("");
    expect(await opened.locator(".contents [aria-current]").textContent()).toBe("probed");
    await opened.goBack();
    await opened.goBack();
    await expect.poll(views).toEqual(["overview"]);
  });

  test("the protocol switch replaces rows, also without scripts", async () => {
    for (const javaScriptEnabled of [true, false]) {
      const { opened } = await open(page, { javaScriptEnabled });
      if (javaScriptEnabled) await opened.getByRole("link", { name: "Regulatory elements" }).first().click();
      const intervals = () =>
        opened
          .locator(".board tbody tr:has(th:text-is('strong')):visible .figure + .detail")
          .allTextContents();
      const corrected = await intervals();
      expect(corrected).toHaveLength(1);
      await opened.getByText("paper", { exact: true }).first().click();
      const paper = await intervals();
      expect(paper).toHaveLength(1);
      expect(paper).not.toEqual(corrected);
      // A model with one protocol is always shown.
      expect(await opened.locator(".board tr[data-model=weak]:visible").count()).toBe(1);
    }
  });

  test("nothing is wider than the page on a desktop or a phone", async () => {
    for (const width of [1280, 380]) {
      const { opened } = await open(page, { viewport: { width, height: 800 }, javaScriptEnabled: false });
      expect(await opened.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    }
  });

  test("without scripts all views are visible and have their tables", async () => {
    const { opened } = await open(page, { javaScriptEnabled: false });
    expect(await opened.locator("main > .view:visible").count()).toBe(4);
    expect(await opened.locator("th[scope=row]", { hasText: "strong" }).first().isVisible()).toBe(true);
    expect(await opened.getByText("This figure needs JavaScript").first().isVisible()).toBe(true);
  });

  test("axe finds nothing serious in light and dark mode, with all folds open", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { opened } = await open(page, { colorScheme, bypassCSP: true });
      await opened.evaluate(
        "document.documentElement.classList.remove('routed'); for (const fold of document.querySelectorAll('details')) fold.open = true",
      );
      await expect.poll(() => opened.locator(".chart > svg").count()).toBe(3);
      expect(await seriousIn(opened)).toEqual([]);
    }
  });

  test("rows: filtered, sorted, followed to a genome browser, copied", async () => {
    const hg38 = results.map((stored) => ({
      ...stored,
      result: { ...stored.result, origins: { genome: { file: "hg38.fa", source: "hg38" } } },
    }));
    const { opened, complaints } = await open(await pageOf(hg38));
    await opened.locator(".contents").getByRole("link", { name: "Rows" }).click();
    const lines = opened.locator("table.rows tbody tr:not(.gap)");
    const count = opened.locator("#explorer > p.quiet");
    await expect.poll(() => count.textContent()).toMatch(/^1,187 of 1,187 rows/);
    expect(await lines.count()).toBeLessThan(60);
    expect(await lines.first().textContent()).toContain("chr1:1-350");
    await opened.getByLabel("locus").fill("chr2:100,001-103,000");
    expect(await count.textContent()).toMatch(/^1 of 1,187 rows/);
    await opened.getByLabel("locus").fill("chr2");
    await opened.getByRole("button", { name: "strong", exact: true }).click();
    const scores = async () =>
      (await opened.locator("table.rows tbody tr:not(.gap) td:nth-child(3)").allTextContents()).map((text) =>
        Number(text.replace("−", "-")),
      );
    const sorted = await scores();
    expect(sorted).toEqual(sorted.toSorted((a, b) => b - a));
    expect(await opened.locator("table.rows [aria-sort]").textContent()).toBe("strong");
    await opened.getByRole("button", { name: "Worst rows" }).click();
    expect((await scores())[0]).toBeLessThan(0);
    const locus = (await lines.first().textContent())!;
    const [, chromosome, start, end] = /(chr\d):([\d,]+)-([\d,]+)/
      .exec(locus)!
      .map((part) => part.replaceAll(",", ""));
    const links = await lines
      .first()
      .locator("a")
      .evaluateAll((all) => all.map((one) => one.getAttribute("href")));
    expect(links).toEqual([
      `https://genome.ucsc.edu/cgi-bin/hgTracks?db=hg38&position=${chromosome}%3A${start}-${end}`,
      `https://igv.org/app/?genome=hg38&locus=${chromosome}%3A${start}-${end}`,
    ]);
    await opened.locator(".rows-scroll").focus();
    for (const key of ["j", "ArrowDown", "k"]) await opened.keyboard.press(key);
    expect(await opened.locator("table.rows tr.selected").getAttribute("aria-rowindex")).toBe("2");
    await opened.evaluate("navigator.clipboard.writeText = async (text) => { globalThis.copied = text; }");
    await opened.getByRole("button", { name: "Copy as TSV" }).click();
    const copied = String(await opened.evaluate("globalThis.copied"))
      .trimEnd()
      .split("\n");
    expect(copied[0]).toBe("row\tchromosome\tstart\tlength\tstrong\tweak");
    expect(copied).toHaveLength(397);
    expect(complaints).toEqual([]);
  });

  test("rows: the bases of a row, by click and by Enter, as letters and as numbers", async () => {
    const report = await gatherReport(results, { predictions: fixturePredictions });
    const track = (member: string, bases: string, scores: readonly number[]) => ({
      member,
      length: 350,
      from: 10,
      bases,
      scores,
    });
    const sequences = [
      track("element", "ACGT", [-0.1, -1.4, -3, -0.7]),
      track("control", "ACCT", [-0.1, -1.4, -2, -0.7]),
    ];
    const row = { row: 2, sequences: [...sequences, { ...sequences[0], spans: [3, 1], scores: [-3, -1] }] };
    const scored = report.panels.map((panel) => {
      const { identity } = panel.entries.find(({ label }) => label === "strong")!.result;
      const kind = { format: "dart-eval position scores", formatVersion: 1 } as const;
      return { ...panel, positions: new Map([[identity, { ...kind, identity, rows: [row] }]]) };
    });
    const { opened, complaints } = await open(renderPage({ ...report, panels: scored }, assets), {
      colorScheme: "dark",
      bypassCSP: true,
    });
    await opened.locator(".contents").getByRole("link", { name: "Rows" }).click();
    await opened.getByLabel("only rows with base scores (1)").check();
    await expect.poll(() => opened.locator("#explorer > p.quiet").textContent()).toMatch(/^1 of 1,187/);
    await opened.getByRole("button", { name: "Row 2: show its bases" }).click();
    const bases = opened.getByRole("region", { name: /^Bases of row 2, chr/ });
    expect(await opened.evaluate("document.activeElement.className")).toBe("bases");
    const drawings = bases.getByRole("img");
    expect(await drawings.count()).toBe(3);
    // 5.2 nats of 4 bases are 2 − 5.2/(4 ln 2) = 0.12 bits per base.
    expect(await drawings.first().getAttribute("aria-label")).toBe(
      "element: 4 bases, −5.20 nats, 0.12 bits per base above uniform bases",
    );
    expect(await drawings.first().locator("use").count()).toBe(4);
    expect(await drawings.first().locator(".marked").count()).toBe(1);
    await bases.getByText("Numbers").click();
    expect(await bases.locator("tbody tr").nth(2).allInnerTexts()).toEqual([
      "13\tG\t−3.000\tC\t−2.000\tG\t−1.000",
    ]);
    expect(await drawings.first().locator(".axis").allTextContents()).toEqual(["+2 bits", "0", "−2"]);
    expect(await seriousIn(opened)).toEqual([]);
    await bases.getByRole("button", { name: "Close" }).click();
    expect(await bases.isVisible()).toBe(false);
    for (const key of ["j", "Enter"]) await opened.keyboard.press(key);
    expect(await bases.isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("the model filter and the keys", async () => {
    const { opened, complaints } = await open(page);
    // The page follows the change of its address.
    const view = () => opened.locator(".contents > .current > a").textContent();
    await opened.keyboard.press("j");
    await expect.poll(view).toBe("Regulatory elements");
    await expect.poll(() => opened.locator(".chart > svg:visible").count()).toBe(3);
    await opened.keyboard.press("/");
    await opened.keyboard.type("wea");
    expect(await opened.locator(".board tbody tr[data-model]:visible").count()).toBe(1);
    // The chart of speeds remains, with one model.
    expect(await opened.locator(".chart > svg:visible").count()).toBe(2);
    await opened.locator("#model-filter").fill("");
    expect(await opened.locator(".chart > svg:visible").count()).toBe(3);
    await opened.locator("#model-filter").blur();
    await opened.keyboard.press("?");
    expect(await opened.locator("dialog").isVisible()).toBe(true);
    await opened.keyboard.press("Escape");
    await opened.keyboard.press("k");
    await expect.poll(view).toBe("Overview");
    const [download] = await Promise.all([
      opened.waitForEvent("download"),
      opened.evaluate("document.querySelector('.downloads button').click()"),
    ]);
    const svg = await readFile(await download.path(), "utf8");
    expect(download.suggestedFilename()).toBe("panel-regulatory-elements--zero-shot-scores.svg");
    expect(svg).toMatch(/^<\?xml .*\?>\n<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).not.toContain("var(--");
    expect(complaints.filter((one) => !one.startsWith("requested blob:"))).toEqual([]);
  });

  test("prints all views on few pages, with figures, without controls", async () => {
    const { opened } = await open(page);
    const pdf = (await opened.pdf({ format: "A4" })).toString("latin1");
    expect(pdf.match(/\/Type\s*\/Page\b/g)!.length).toBeLessThanOrEqual(3);
    await opened.emulateMedia({ media: "print" });
    expect(await opened.locator("main > .view:visible").count()).toBe(3);
    expect(await opened.locator(".chart > svg:visible").count()).toBe(3);
    expect(await opened.locator(".sidebar").isVisible()).toBe(false);
    expect(await opened.locator(".key:visible").count()).toBe(2);
  });

  test("the theme switch overrides the system's", async () => {
    const { opened } = await open(page, { colorScheme: "light" });
    const ground = () => opened.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = await ground();
    await opened.getByText("dark", { exact: true }).click();
    expect(await ground()).not.toBe(light);
    await opened.getByText("auto", { exact: true }).click();
    expect(await ground()).toBe(light);
  });

  test("a malicious name stays text, and no other script runs", async () => {
    const [first] = results;
    const cell = { ...first.result.cell, model: { name: HOSTILE, identity: null } };
    const hostile = { ...first, result: { ...first.result, cell } };
    const { opened, complaints } = await open(await pageOf([hostile]));
    await opened.getByRole("link", { name: "Regulatory elements" }).first().click();
    await expect.poll(() => opened.locator(".chart > svg").count()).toBe(1);
    expect(await opened.title()).toBe("DNA language models on regulatory DNA");
    expect(await opened.locator(".board th[scope=row]").first().textContent()).toBe(HOSTILE);
    expect(complaints).toEqual([]);
  });
});
