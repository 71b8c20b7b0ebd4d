import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { htmlTable } from "../../src/report/html.ts";
import type { Table } from "../../src/report/table.ts";
import { builtAssets } from "./page-assets.ts";
import { CHROMIUM, launchChromium, openFromDisk } from "./page-in-browser.ts";

const ROWS: readonly (readonly [string, string, string, string])[] = [
  ["kmer-10", "0.898", "1,200", "1.8×10⁻⁵³"],
  ["kmer-5", "–", "987", "0.132"],
  ["kmer-1", "−0.200", "60", "–"],
  ["alpha", "0.500", "987", "< 10⁻³⁰⁰"],
];
const table: Table = {
  caption: "Four models: best first",
  columns: [
    { heading: "model", align: "left" },
    { heading: "difference ↑", align: "right" },
    { heading: "n", align: "right" },
    { heading: "p", align: "right" },
  ],
  rows: ROWS.map(([model, difference, n, p]) => [
    model,
    difference === "–" ? difference : { text: difference, detail: "[−0.300, 0.950]" },
    n,
    p,
  ]),
};
const asItCame = ROWS.map(([model]) => model);

describe.skipIf(!existsSync(CHROMIUM))("tables in a browser [needs Chromium]", () => {
  let browser: Browser;
  let folder: string;
  let page: string;
  let opened: Page;
  let complaints: string[];

  beforeAll(async () => {
    const { script, style } = await builtAssets();
    folder = await mkdtemp(join(tmpdir(), "dart-eval-sortable-"));
    const single = { ...table, rows: table.rows.slice(0, 1) };
    page = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><style>${style}</style><main>${htmlTable(table)}${htmlTable(single)}</main><script>${script}</script>`;
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    ({ opened, complaints } = await openFromDisk(browser, folder, page));
  });
  afterEach(() => expect(complaints).toEqual([]));

  const heading = (name: string) =>
    opened.locator("table").first().getByRole("button", { name, exact: true });
  const models = () => opened.locator("table").first().locator("tbody th").allTextContents();
  const sorts = () =>
    opened.evaluate(
      "[...document.querySelector('thead tr').cells].map((th) => th.getAttribute('aria-sort'))",
    );

  test("three clicks: ascending, descending, original order; undefined values last", async () => {
    await heading("difference ↑").click();
    expect(await models()).toEqual(["kmer-1", "alpha", "kmer-10", "kmer-5"]);
    await heading("difference ↑").click();
    expect(await models()).toEqual(["kmer-10", "alpha", "kmer-1", "kmer-5"]);
    await heading("difference ↑").click();
    expect(await models()).toEqual(asItCame);
  });

  test("numbers by value, equal ones in original order", async () => {
    await heading("n").click();
    expect(await models()).toEqual(["kmer-1", "kmer-5", "alpha", "kmer-10"]);
    await heading("n").click();
    expect(await models()).toEqual(["kmer-10", "kmer-5", "alpha", "kmer-1"]);
  });

  test("powers of ten and bounds by value", async () => {
    await heading("p").click();
    expect(await models()).toEqual(["alpha", "kmer-10", "kmer-5", "kmer-1"]);
  });

  test("text in natural order", async () => {
    await heading("model").click();
    expect(await models()).toEqual(["alpha", "kmer-1", "kmer-5", "kmer-10"]);
  });

  test("by keyboard, announced to screen readers", async () => {
    await heading("n").focus();
    await opened.keyboard.press("Enter");
    expect(await sorts()).toEqual([null, null, "ascending", null]);
    await opened.keyboard.press("Space");
    expect(await sorts()).toEqual([null, null, "descending", null]);
    expect(await opened.evaluate("document.activeElement.textContent")).toBe("n");
    expect(await opened.locator("caption").first().textContent()).toBe(
      "Four models: best first (now sorted by n, descending)",
    );
    await heading("p").click();
    expect(await sorts()).toEqual([null, null, null, "ascending"]);
    await heading("p").press("Enter");
    await heading("p").press("Space");
    expect(await sorts()).toEqual([null, null, null, null]);
    expect(await opened.locator("caption").first().textContent()).toBe(table.caption);
  });

  test("print keeps the order and its mark only", async () => {
    await heading("n").click();
    await opened.emulateMedia({ media: "print" });
    expect(await models()).toEqual(["kmer-1", "kmer-5", "alpha", "kmer-10"]);
    const marks = await opened.evaluate(
      "[...document.querySelectorAll('thead button')].map((button) => getComputedStyle(button, '::after').content)",
    );
    expect(marks).toEqual(["none", "none", expect.stringContaining("▲"), "none"]);
  });

  test("a table with one row is not sortable", async () => {
    expect(await opened.locator("table").nth(1).getByRole("button").count()).toBe(0);
  });
});
