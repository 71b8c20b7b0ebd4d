import { expect, test } from "vitest";
import { panelsOf } from "../../src/report/panels.ts";
import { provenanceSection } from "../../src/report/provenance.ts";
import { gatherReport } from "../../src/report/report.ts";
import { resultsFixture } from "./results-fixture.ts";

test("lists every cell under its task and setting, collapsed", async () => {
  const results = await resultsFixture([
    { model: "strong", protocol: "corrected", shift: 4 },
    { model: "strong", protocol: "paper", shift: 4 },
  ]);
  const text = String(provenanceSection(await gatherReport(results)));
  expect(panelsOf(results)).toHaveLength(1);
  expect(text.match(/<h2>/g)).toHaveLength(1);
  expect(text).toContain("<h2>Regulatory elements, zero-shot</h2>");
  expect(text.match(/<details>/g)).toHaveLength(2);
  expect(text).toContain("<summary>strong, paper protocol</summary>");
});

test("a cell with reused predictions says so instead of a speed", async () => {
  const [stored] = await resultsFixture([{ model: "strong", protocol: "paper", shift: 4 }]);
  const timing = stored.timing.map((shard) => ({ ...shard, timedRows: 0, seconds: 0.001 }));
  const text = String(provenanceSection(await gatherReport([{ ...stored, timing }])));
  expect(text).toContain("predictions were reused");
  expect(text).not.toMatch(/\d rows\/s/);
});

test("has the command line and the dates of the shards", async () => {
  const [stored] = await resultsFixture([{ model: "strong", protocol: "paper", shift: 4 }]);
  const [shard] = stored.timing;
  const timing = [
    { ...shard, started: "2026-05-04T09:12:30.000Z", finished: "2026-05-04T10:40:00.000Z" },
    { ...shard, started: "2026-05-04T09:10:00.000Z", finished: "2026-05-04T10:20:00.000Z" },
  ].map((one, i) => ({ ...one, command: `dart-eval run --model <m> --shard ${i + 1}/2` }));
  const text = String(provenanceSection(await gatherReport([{ ...stored, timing }])));
  expect(text).toContain("<dt>date</dt><dd>2026-05-04 09:10 to 10:40 UTC</dd>");
  for (const i of [1, 2])
    expect(text).toContain(`<dt>command</dt><dd>dart-eval run --model &lt;m&gt; --shard ${i}/2</dd>`);
});
