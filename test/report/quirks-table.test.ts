import { expect, test } from "vitest";
import type { StoredResult } from "../../src/evaluation/runs/stored-results.ts";
import type { QuirkEffect } from "../../src/evaluation/tasks/measurement.ts";
import { panelsOf } from "../../src/report/panels.ts";
import { quirksTable, scoreQuirksTable } from "../../src/report/quirks-table.ts";
import { plainTable } from "../../src/report/table.ts";
import { resultsFixture } from "./results-fixture.ts";

const withQuirks = (stored: StoredResult, quirks: readonly QuirkEffect[]): StoredResult => ({
  ...stored,
  result: { ...stored.result, quirks },
});
const effect = (label: string, paper: number, corrected: number): QuirkEffect => ({
  label,
  description: `what ${label} is`,
  effect: { paper, corrected },
});

test("quirks measured under one or both protocols are listed once", async () => {
  const [corrected, paper] = await resultsFixture([
    { model: "strong", protocol: "corrected", shift: 4 },
    { model: "strong", protocol: "paper", shift: 4 },
  ]);
  const q15 = effect("Q15", 0.25, 0.5);
  // Only the paper protocol's predictions measure the order of vectors (Q2); the corrected entry comes first.
  const [panel] = panelsOf([
    withQuirks(corrected, [q15]),
    withQuirks(paper, [effect("Q2", 0.125, 0.75), q15]),
  ]);
  const lines = plainTable(quirksTable(panel)!).split("\n");
  const rowsOf = (label: string) => lines.filter((line) => line.trim().startsWith(`${label} `));
  expect(rowsOf("Q2")).toEqual([expect.stringMatching(/Q2 +strong +0\.1250 +0\.7500/)]);
  expect(rowsOf("Q15")).toEqual([expect.stringMatching(/Q15 +strong +0\.2500 +0\.5000/)]);

  // The table exists even if the corrected entry has no quirk.
  const [other] = panelsOf([withQuirks(corrected, []), withQuirks(paper, [effect("Q2", 0.125, 0.75)])]);
  expect(plainTable(quirksTable(other)!)).toContain("0.7500");
  expect(quirksTable(panelsOf([withQuirks(corrected, [])])[0])).toBeUndefined();
});

test("models scored under both protocols show the joint effect of the quirks that change their scores", async () => {
  const [corrected, paper, alone] = await resultsFixture([
    { model: "caduceus", protocol: "corrected", shift: 4 },
    { model: "caduceus", protocol: "paper", shift: 1 },
    { model: "single", protocol: "corrected", shift: 2 },
  ]);
  const probedBy = (family: string, { folder, result, timing }: StoredResult): StoredResult => ({
    folder,
    timing,
    result: { ...result, family, cell: { ...result.cell, setting: "probed" } },
  });
  const [panel] = panelsOf([
    probedBy("caduceus", corrected),
    probedBy("caduceus", paper),
    probedBy("hyenadna", alone),
  ]);
  const text = plainTable(scoreQuirksTable(panel)!);
  const [before, after] = [paper, corrected].map(({ result }) => result.metrics[0].value!.toFixed(3));
  expect(text).toMatch(new RegExp(`Q1, Q10 +caduceus +${before} .*${after} `));
  expect(text).toContain("Q1: Caduceus probes see two tokens.");
  expect(text).not.toContain("single");
  // Zero-shot likelihoods of this task are the same under both protocols.
  expect(scoreQuirksTable(panelsOf([corrected, paper])[0])).toBeUndefined();
});
