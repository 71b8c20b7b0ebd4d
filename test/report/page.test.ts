import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredResult } from "../../src/evaluation/runs/result.ts";
import { type PageAssets, renderPage } from "../../src/report/page.ts";
import { gatherReport } from "../../src/report/report.ts";
import { builtAssets } from "./page-assets.ts";
import { CHROMIUM, launchChromium, openFromDisk } from "./page-in-browser.ts";
import { resultsFixture } from "./results-fixture.ts";

const HOSTILE = `</script><script>document.title = "taken"</script><!--<img src=x onerror="document.title='taken'">`;

const tasks = [
  {
    name: "regulatory-elements",
    title: "Regulatory elements",
    asks: "Is a real regulatory element more likely than its control?",
    source: "DART-Eval task 1",
  },
];

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
  page = renderPage(await gatherReport(results, { tasks }), assets);
});

/** The same results with another cell. */
const withCell = (change: Partial<StoredResult["result"]["cell"]>): StoredResult[] =>
  results.map((stored) => {
    const { result } = stored;
    const identity = `${result.identity}${JSON.stringify(change)}`;
    return { ...stored, result: { ...result, identity, cell: { ...result.cell, ...change } } };
  });

describe("page source", () => {
  test("is self-contained", () => {
    const markup = page.replaceAll(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>/g, "");
    expect(markup).not.toMatch(/\ssrc=|\shref="(?!#)|url\(|@import/);
    expect(assets.style).not.toMatch(/url\(|@import/);
  });

  test("counts tasks of the benchmark and custom tasks", async () => {
    const leadOf = async (some: readonly StoredResult[]) =>
      /<p class="lead">(.*?)<\/p>/.exec(renderPage(await gatherReport(some, { tasks }), assets))![1];
    const custom = withCell({ task: "my-task" });
    expect(await leadOf(results)).toBe("2 models on 1 task of the DART-Eval benchmark.");
    expect(await leadOf(custom)).toBe("2 models on 1 custom task.");
    expect(await leadOf([...results, ...custom, ...withCell({ task: "another" })])).toBe(
      "2 models on 1 task of the DART-Eval benchmark and 2 custom tasks.",
    );
  });

  test("its content security policy allows its script by digest only", () => {
    const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)];
    expect(scripts).toHaveLength(1);
    const digest = createHash("sha256").update(scripts[0][1]).digest("base64");
    expect(page).toContain(`script-src &#39;sha256-${digest}&#39;`);
  });

  test("text of a result can neither end the script nor start an element", async () => {
    const [first] = results;
    const hostile: StoredResult = {
      ...first!,
      result: {
        ...first!.result,
        cell: { ...first!.result.cell, model: { name: HOSTILE, identity: HOSTILE } },
        notes: [HOSTILE],
      },
    };
    const text = renderPage(await gatherReport([hostile], { tasks, title: HOSTILE }), assets);
    expect(text.match(/<script/g)).toHaveLength(2);
    expect(text.match(/<\/script/g)).toHaveLength(2);
    expect(text).not.toContain("<img");
    expect(text).not.toContain("<!--");
  });

  test("headings descend one level at a time, and every table has a caption", () => {
    const levels = [...page.matchAll(/<h([1-6])/g)].map((match) => Number(match[1]));
    expect(levels[0]).toBe(1);
    for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
    expect(page.match(/<caption>/g)!.length).toBe(page.match(/<table>/g)!.length);
    expect(page.match(/<figcaption>/g)!.length).toBe(page.match(/<figure>/g)!.length);
  });
});

describe("contents", () => {
  test("a page with one panel has none", () => {
    expect(page).not.toContain("<nav");
  });

  test("link to every panel by task, with escaped names", async () => {
    const many = [
      ...results,
      ...withCell({ task: "variant-effects", dataset: HOSTILE }),
      ...withCell({ setting: "probed" }),
    ];
    const text = renderPage(await gatherReport(many, { tasks }), assets);
    const nav = text.slice(text.indexOf("<nav"), text.indexOf("</nav>"));
    const targets = [...nav.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]);
    expect(targets).toHaveLength(4);
    expect(targets.slice(0, 2)).toEqual([
      "panel-regulatory-elements--zero-shot",
      "panel-regulatory-elements--probed",
    ]);
    for (const id of targets) expect(text.split(`id="${id}"`)).toHaveLength(2);
    expect(text).not.toContain("<img");
  });
});

describe.skipIf(!existsSync(CHROMIUM))("page in a browser", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const open = (html: string, options: Parameters<Browser["newPage"]>[0] = {}) =>
    openFromDisk(browser, results[0].folder, html, options);

  test("draws every chart without errors or requests", async () => {
    const { opened, complaints } = await open(page);
    await expect.poll(() => opened.locator(".chart > svg").count()).toBe(3);
    const forest = opened.locator(".chart").first();
    expect(await forest.locator("circle").count()).toBeGreaterThanOrEqual(3);
    expect(await forest.locator("svg").getAttribute("aria-label")).toMatch(/paired accuracy of each model/i);
    expect(complaints).toEqual([]);
    await opened.close();
  });

  test("nothing is wider than the page on a desktop or a phone", async () => {
    for (const width of [1280, 380]) {
      const { opened } = await open(page, { viewport: { width, height: 800 } });
      await expect.poll(() => opened.locator(".chart > svg").count()).toBe(3);
      expect(await opened.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      await opened.close();
    }
  });

  test("contents link to their sections, also without scripts", async () => {
    const two = await gatherReport([...results, ...withCell({ setting: "probed" })], { tasks });
    const { opened } = await open(renderPage(two, assets), {
      javaScriptEnabled: false,
      viewport: { width: 1400, height: 800 },
    });
    // On a wide screen, the contents are next to the sections and stay visible.
    await opened.getByRole("link", { name: "probed" }).click();
    const heading = await opened
      .getByRole("heading", { name: "Regulatory elements, probed" })
      .first()
      .boundingBox();
    const nav = await opened.locator("nav").boundingBox();
    expect(heading!.y).toBeGreaterThanOrEqual(0);
    expect(heading!.y).toBeLessThan(200);
    expect(nav!.y).toBe(0);
    expect(nav!.x + nav!.width).toBeLessThanOrEqual(heading!.x);
    await opened.close();
  });

  test("the caption of a wide table is fully visible on a phone", async () => {
    const { opened } = await open(page, { viewport: { width: 380, height: 800 } });
    const widest = await opened.evaluate(
      "Math.max(...[...document.querySelectorAll('caption')].map((one) => one.getBoundingClientRect().right))",
    );
    expect(widest).toBeLessThanOrEqual(380);
    await opened.close();
  });

  test("print omits the contents and expands the provenance", async () => {
    const two = await gatherReport([...results, ...withCell({ setting: "probed" })], { tasks });
    const { opened } = await open(renderPage(two, assets));
    expect(await opened.locator("nav").isVisible()).toBe(true);
    const facts = opened.locator("details dl").first();
    expect(await facts.isVisible()).toBe(false);
    await opened.emulateMedia({ media: "print" });
    expect(await opened.locator("nav").isVisible()).toBe(false);
    expect((await facts.boundingBox())!.height).toBeGreaterThan(50);
    await opened.close();
  });

  test("text has a WCAG contrast of 4.5 in light and dark mode", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { opened } = await open(page, { colorScheme });
      const colours = (await opened.evaluate(`(() => {
        const of = (selector, what) => getComputedStyle(document.querySelector(selector))[what];
        return { sheet: of("main > section", "backgroundColor"), ink: of("body", "color"), soft: of("caption", "color") };
      })()`)) as Record<"sheet" | "ink" | "soft", string>;
      expect(contrast(colours.ink, colours.sheet)).toBeGreaterThan(4.5);
      expect(contrast(colours.soft, colours.sheet)).toBeGreaterThan(4.5);
      await opened.close();
    }
  });

  test("without scripts, all tables are present, and charts have a placeholder", async () => {
    const { opened } = await open(page, { javaScriptEnabled: false });
    expect(await opened.locator("table").count()).toBeGreaterThanOrEqual(4);
    expect(await opened.locator("th[scope=row]", { hasText: "strong" }).first().isVisible()).toBe(true);
    expect(await opened.getByText("This chart needs JavaScript").first().isVisible()).toBe(true);
    await opened.close();
  });

  test("a malicious name stays text, and no other script runs", async () => {
    const [first] = results;
    const cell = { ...first!.result.cell, model: { name: HOSTILE, identity: null } };
    const hostile = { ...first!, result: { ...first!.result, cell } };
    const { opened, complaints } = await open(renderPage(await gatherReport([hostile], { tasks }), assets));
    await expect.poll(() => opened.locator(".chart > svg").count()).toBe(2);
    expect(await opened.title()).toBe("DNA language models on regulatory DNA");
    expect(await opened.locator("th[scope=row]").first().textContent()).toBe(HOSTILE);
    expect(complaints).toEqual([]);
    await opened.close();
  });
});

/** Ratio of WCAG 2.2 between two `rgb(r, g, b)` colours. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const [r, g, blue] = colour.match(/\d+/g)!.map((part) => {
      const c = Number(part) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * blue!;
  };
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}
