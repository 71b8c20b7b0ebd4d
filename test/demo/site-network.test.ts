import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PLANTED_SIGNALS } from "../../src/demo/planted-signals.ts";
import { DEMO_RUNS } from "../../src/demo/runs.ts";
import { SITE_NETWORK, siteNetwork } from "../../src/demo/site-network.ts";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { MOTIFS } from "../../src/demo/synthetic/motifs.ts";
import { writeSyntheticGenome } from "../../src/demo/synthetic/write.ts";
import type { Motif } from "../../src/dna/motifs/motif.ts";
import { evaluate } from "../../src/evaluation/evaluate.ts";

let root: string;
let files: SyntheticFiles;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "dart-eval-sites-"));
  // Another genome than the demo's, whose seed is 0.
  files = (await writeSyntheticGenome(root, { seed: 2, scale: 1 })).files;
});
afterAll(() => rm(root, { recursive: true }));

const truthsOf = (task: string) =>
  PLANTED_SIGNALS.filter(({ model, task: of }) => model === SITE_NETWORK && of === task);

/** Lower ends of the intervals of what the demo's truths about a task name, as it asks them. */
async function found(task: string, motifs: readonly Motif[]): Promise<readonly number[]> {
  const question = DEMO_RUNS.find(({ models, task: of }) => models.includes(SITE_NETWORK) && of === task)!;
  const { metrics } = await evaluate({
    task,
    inputs: { genome: files.genome, ...question.inputs({ ...files, footprints: "" }) },
    model: siteNetwork(motifs),
    setting: question.setting,
    recipe: question.recipe!,
  });
  return truthsOf(task).map((truth) => metrics.find(({ name }) => name === truth.metric)!.intervals[0].low);
}

test.each(["chromatin-activity", "variant-effects"])(
  "what the demo expects of %s is true of another genome, too",
  async (task) => {
    const truths = truthsOf(task);
    expect(truths.length).toBeGreaterThan(0);
    const lows = await found(task, MOTIFS);
    for (const [i, { above }] of truths.entries()) expect(lows[i]).toBeGreaterThan(above!);
  },
);

test("motifs read from their end to their beginning find none of it", async () => {
  const backwards = MOTIFS.map(({ name, width, probabilities }): Motif => {
    const rows = Array.from({ length: width }, (_, i) => [...probabilities.slice(4 * i, 4 * i + 4)]);
    return { name, width, probabilities: Float64Array.from(rows.toReversed().flat()) };
  });
  const lows = await found("chromatin-activity", backwards);
  for (const [i, { above }] of truthsOf("chromatin-activity").entries()) expect(lows[i]).toBeLessThan(above!);
});
