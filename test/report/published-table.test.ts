import { expect, test } from "vitest";
import type { StoredResult } from "../../src/evaluation/runs/stored-results.ts";
import { reportDocument } from "../../src/report/documents.ts";
import { renderPage } from "../../src/report/page.ts";
import { gatherReport } from "../../src/report/report.ts";
import { benchmarkResult, type ResultForm } from "../evaluation/published/benchmark-result.ts";
import { resultsFixture } from "./results-fixture.ts";

/** A result on the benchmark's data with the numbers of a fixture. */
function onBenchmark(
  { result, ...rest }: StoredResult,
  value: number,
  change: Partial<ResultForm> = {},
): StoredResult {
  const [main, ...others] = result.metrics;
  const family = "caduceus";
  const form = { task: "regulatory-elements", setting: "zero-shot", family, model: "my-caduceus" };
  const cell = { protocol: result.cell.protocol, ...change.cell };
  const { identity: _, metrics: __, ...known } = benchmarkResult({ ...form, ...change, cell });
  const { published, quirks, counts } = result;
  const own = { identity: result.identity, published, quirks, counts };
  return { ...rest, result: { ...known, ...own, metrics: [{ ...main, value }, ...others] } };
}

const both = await resultsFixture([
  { model: "my-caduceus", protocol: "corrected", shift: 4 },
  { model: "my-caduceus", protocol: "paper", shift: 4 },
]);
const results = [onBenchmark(both[0], 0.953), onBenchmark(both[1], 0.9711)];
const textOf = async (some: readonly StoredResult[]) => reportDocument(await gatherReport(some), "text");
const pageOf = async (some: readonly StoredResult[]) =>
  renderPage(await gatherReport(some), { script: "", style: "" });

test("published number, source, ours under the paper protocol, and quirks, in text and LaTeX", async () => {
  const text = await textOf(results);
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith("Published values"));
  expect(lines[at + 2]).toMatch(
    /model +metric +published in +published +ours, paper protocol +ours − published +agreement +quirks/,
  );
  expect(lines[at + 4]).toMatch(
    /^my-caduceus +paired accuracy +Table 3 +0\.971 +0\.971 \[.*\] +0\.000 +same +Q14, Q15$/,
  );
  expect(text).toContain('"same" means within 0.001');
  expect(text).toContain("Published: arXiv 2412.05430v1 (Dec 2024) Table 3");
  expect(reportDocument(await gatherReport(results), "latex")).toContain(
    "paired accuracy & Table 3 & 0.971 & 0.971 [",
  );
});

test("a corrected result has no published number, with the reason", async () => {
  expect(await textOf(results.slice(0, 1))).not.toContain("0.971");
  const page = await pageOf(results.slice(0, 1));
  expect(page).not.toContain("<h3>Published values</h3>");
  expect(page).toContain("No published value is shown for my-caduceus (the published values are those of");
});

test.each([
  ["custom data of the same number of rows", { sources: {} }, "custom data: elements.tsv, genome.tsv"],
  ["other weights of the family", { checkpoint: null }, "my-caduceus is not known to be kuleshov-group/"],
])("%s: no published number and no source", async (_, change, why) => {
  const [, paper] = both;
  const result = onBenchmark(paper, 0.9711, change).result;
  const some = [{ ...paper, result: { ...result, rows: { ...result.rows, inTable: 2_348_854 } } }];
  expect(await textOf(some)).not.toContain("Published values");
  const page = await pageOf(some);
  expect(page).toContain(`No published value is shown for my-caduceus (${why}`);
  if ("sources" in change) expect(page).not.toMatch(/ENCFF420VPZ|ENCODE/);
});

test("the page names a source only for data with its digest", async () => {
  const page = await pageOf(results);
  expect(page).toMatch(/<h3>Published values<\/h3>[\s\S]*<td class="number">0\.971<\/td>/);
  expect(page).toContain("Data: elements from ENCODE ENCFF420VPZ");
  expect(page).toContain("; genome from hg38 (GRCh38 without alternative contigs");
  expect(await pageOf(both)).toContain("Data: genome of unrecorded origin; elements of unrecorded origin.");
});

test("a model without published family has no reason", async () => {
  const other = [onBenchmark(both[1], 0.9, { family: "kmer-markov" })];
  expect(await pageOf(other)).not.toContain("published value");
});
