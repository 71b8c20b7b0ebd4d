import { beforeAll, expect, test } from "vitest";
import { DEMO_RUNS, PLANTED_SIGNALS } from "../../src/demo/catalogue.ts";
import { SITE_NETWORK, siteNetwork } from "../../src/demo/site-network.ts";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { MOTIFS } from "../../src/demo/synthetic/motifs.ts";
import type { Motif } from "../../src/dna/motifs/motif.ts";
import { evaluate } from "../../src/evaluation/evaluate.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { folderOfFile } from "../temporary-folder.ts";

let files: SyntheticFiles;
/** Both tasks train the same network. */
const trained = folderOfFile();

beforeAll(async () => {
  // The demo's genome has seed 0.
  files = await sharedGenome({ seed: 2, scale: 1 });
});

const signalsOf = (task: string) =>
  PLANTED_SIGNALS.filter(({ model, task: of }) => model === SITE_NETWORK && of === task);

/** Lower ends of the intervals of a task's planted signals, evaluated like in the demo. */
async function lowerEnds(task: string, motifs: readonly Motif[]): Promise<readonly number[]> {
  const run = DEMO_RUNS.find(({ models, task: of }) => models.includes(SITE_NETWORK) && of === task)!;
  const { metrics } = await evaluate({
    task,
    inputs: { genome: files.genome, ...run.inputs({ ...files, footprints: "" }) },
    model: siteNetwork(motifs),
    setting: run.setting,
    recipe: run.recipe!,
    trained,
  });
  return signalsOf(task).map(
    (signal) => metrics.find(({ name }) => name === signal.metric)!.intervals[0].low,
  );
}

test.each(["chromatin-activity", "variant-effects"])(
  "recovers the planted signals of %s in another genome",
  async (task) => {
    const signals = signalsOf(task);
    expect(signals.length).toBeGreaterThan(0);
    const lows = await lowerEnds(task, MOTIFS);
    for (const [i, { above }] of signals.entries()) expect(lows[i]).toBeGreaterThan(above!);
  },
);

test("reversed motifs do not recover them", async () => {
  const backwards = MOTIFS.map(({ name, width, probabilities }): Motif => {
    const rows = Array.from({ length: width }, (_, i) => [...probabilities.slice(4 * i, 4 * i + 4)]);
    return { name, width, probabilities: Float64Array.from(rows.toReversed().flat()) };
  });
  const lows = await lowerEnds("chromatin-activity", backwards);
  for (const [i, { above }] of signalsOf("chromatin-activity").entries())
    expect(lows[i]).toBeLessThan(above!);
});
