import { expect, test } from "vitest";
import type { StoredResult } from "../../src/evaluation/runs/result.ts";
import { reportDocument } from "../../src/report/documents.ts";
import { renderPage } from "../../src/report/page.ts";
import { gatherReport } from "../../src/report/report.ts";
import { resultsFixture } from "./results-fixture.ts";

const tasks = [{ name: "regulatory-elements", title: "Regulatory elements", asks: "", source: "" }];

/** A result as of the benchmark's own table, by a model of a family. */
function ofBenchmark({ result, ...rest }: StoredResult, family: string, value: number): StoredResult {
  const [main, ...others] = result.metrics;
  const rows = { ...result.rows, inTable: 2_348_854 };
  return { ...rest, result: { ...result, family, rows, metrics: [{ ...main!, value }, ...others] } };
}

const both = await resultsFixture([
  { model: "my-caduceus", protocol: "corrected", shift: 4 },
  { model: "my-caduceus", protocol: "paper", shift: 4 },
]);
const results = [ofBenchmark(both[0]!, "caduceus", 0.953), ofBenchmark(both[1]!, "caduceus", 0.9711)];

test("published, ours under each protocol, and which quirks count, in text and LaTeX", async () => {
  const text = reportDocument(await gatherReport(results, { tasks }), "text");
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith("What was published"));
  expect(lines[at + 2]).toMatch(
    /model +metric +published +paper +corrected +ours − published +the published number is +quirks/,
  );
  expect(lines[at + 4]).toMatch(
    /^my-caduceus +paired accuracy +0\.971 +0\.971 \[.*\] +0\.953 \[.*\] +0\.000 +the same +Q14, Q15$/,
  );
  expect(text).toContain("The same means within 0.001");
  expect(text).toContain("Published: arXiv 2412.05430v1 (Dec 2024) Table 3");
  expect(reportDocument(await gatherReport(results, { tasks }), "latex")).toContain(
    "paired accuracy & 0.971 & 0.971 [",
  );
});

test("one protocol is one column", async () => {
  const text = reportDocument(await gatherReport(results.slice(0, 1), { tasks }), "text");
  expect(text).toMatch(/metric +published +corrected +ours − published/);
  expect(text).toContain("Without a run under the paper protocol");
});

test("other data and other models have no such table", async () => {
  expect(reportDocument(await gatherReport(both, { tasks }), "text")).not.toContain("What was published");
  const other = [ofBenchmark(both[0]!, "kmer-markov", 0.9)];
  expect(reportDocument(await gatherReport(other, { tasks }), "text")).not.toContain("What was published");
});

test("the page has it under a heading of its own", async () => {
  const assets = { script: "", style: "" };
  const page = renderPage(await gatherReport(results, { tasks }), assets);
  expect(page).toMatch(/<h3>Beside what was published<\/h3>[\s\S]*<td class="number">0\.971<\/td>/);
  expect(renderPage(await gatherReport(both, { tasks }), assets)).not.toContain("Beside what was published");
});
