import { expect, test } from "vitest";
import type { StoredResult } from "../../src/evaluation/runs/result.ts";
import type { QuirkEffect } from "../../src/evaluation/tasks/measurement.ts";
import { panelsOf } from "../../src/report/panels.ts";
import { quirksTable } from "../../src/report/quirks-table.ts";
import { plainTable } from "../../src/report/tables/plain.ts";
import { resultsFixture } from "./results-fixture.ts";

const withQuirks = (stored: StoredResult, quirks: readonly QuirkEffect[]): StoredResult => ({
  ...stored,
  result: { ...stored.result, quirks },
});
const effect = (label: string, paper: number, corrected: number): QuirkEffect => ({
  label,
  says: `what ${label} is`,
  effect: { paper, corrected },
});

test("a quirk that one protocol's answers alone can tell is told beside those that both tell, each once", async () => {
  const [corrected, paper] = await resultsFixture([
    { model: "strong", protocol: "corrected", shift: 4 },
    { model: "strong", protocol: "paper", shift: 4 },
  ]);
  const q15 = effect("Q15", 0.25, 0.5);
  // The order of vectors (Q2) is told by the paper's answers, which have both; the corrected entry comes first.
  const [panel] = panelsOf([
    withQuirks(corrected!, [q15]),
    withQuirks(paper!, [effect("Q2", 0.125, 0.75), q15]),
  ]);
  const lines = plainTable(quirksTable(panel!)!).split("\n");
  const rowsOf = (label: string) => lines.filter((line) => line.trim().startsWith(`${label} `));
  expect(rowsOf("Q2")).toEqual([expect.stringMatching(/Q2 +strong +0\.1250 +0\.7500/)]);
  expect(rowsOf("Q15")).toEqual([expect.stringMatching(/Q15 +strong +0\.2500 +0\.5000/)]);

  // Where the corrected entry tells of none, there is a table all the same.
  const [other] = panelsOf([withQuirks(corrected!, []), withQuirks(paper!, [effect("Q2", 0.125, 0.75)])]);
  expect(plainTable(quirksTable(other!)!)).toContain("0.7500");
  expect(quirksTable(panelsOf([withQuirks(corrected!, [])])[0]!)).toBeUndefined();
});
