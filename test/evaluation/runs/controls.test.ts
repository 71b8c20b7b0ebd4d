import { describe, expect, test } from "vitest";
import { genomeInMemory } from "../../../src/dna/genome/genome.ts";
import { controlsFor, openControls, settingsWithControls } from "../../../src/evaluation/runs/controls.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { abInitio } from "../../../src/evaluation/settings/ab-initio.ts";
import { settingNamed } from "../../../src/evaluation/settings/catalogue.ts";
import type { Setting } from "../../../src/evaluation/settings/setting.ts";
import { zeroShot } from "../../../src/evaluation/settings/zero-shot.ts";
import { chromatinActivity } from "../../../src/evaluation/tasks/chromatin-activity/chromatin-activity.ts";
import { motifFootprinting } from "../../../src/evaluation/tasks/motif-footprinting/motif-footprinting.ts";
import { regulatoryElements } from "../../../src/evaluation/tasks/regulatory-elements/regulatory-elements.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";
import { NETWORKS } from "../../../src/models/baselines/networks.ts";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import { languageModelCard } from "../../../src/models/language/catalogue.ts";
import { openModel } from "../../../src/models/open-model.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

const scratch = scratchFiles();
process.env.DART_EVAL_CACHE = scratch.path("cache");

const genome = genomeInMemory("memory", new Map([["chr1", "ACGTTGCAAC".repeat(50)]]));

/** A custom model with a custom twin. */
const withTwin = fakeModel({
  name: "mine",
  identity: "mine",
  untrained: async ({ seed }) => fakeModel({ name: "any", identity: `mine untrained ${seed}` }),
});

/** A custom setting that trains nothing here, but may. */
const trainedSetting: Setting = { ...zeroShot, name: "trained", takesWeights: true };

const task: Task = (() => {
  const plain = fakeTask();
  const setting = { recipe: { score: "log-likelihood" }, defaultSplit: "test" as const };
  return { ...plain, settings: { ...plain.settings, trained: setting } };
})();

async function planned(request: Partial<Parameters<typeof planRun>[0]>) {
  const plan = await planRun({
    tasks: [{ task, inputs: {} }],
    models: [withTwin],
    timing: false,
    ...request,
  });
  await plan.close();
  return plan.cells.map(({ record: { cell, control } }) => [cell.model.name, cell.setting, control]);
}

test("a custom model gets its twin and a Markov model; controls of other settings are left out without a note", async () => {
  const { controls, notes } = await openControls([withTwin], { genome, seed: 3 });
  expect(notes).toEqual(["no motif counts as a control: they need --motifs FILE"]);
  expect(await planned({ controls })).toEqual([
    ["mine", "zero-shot", undefined],
    ["kmer-markov-5", "zero-shot", "k-mer Markov model"],
    ["mine-untrained", "zero-shot", "untrained twin of mine, seed 3"],
  ]);
  expect(await planned({ controls, settings: [trainedSetting] })).toEqual([
    ["mine", "trained", undefined],
    ["kmer-markov-5", "trained", "k-mer Markov model"],
    ["mine-untrained", "trained", "untrained twin of mine, seed 3"],
  ]);
});

test("a control does not change identities, and is not added to itself", async () => {
  const { controls } = await openControls([withTwin], { genome });
  const cells = async (request: Partial<Parameters<typeof planRun>[0]>) => {
    const plan = await planRun({
      tasks: [{ task, inputs: {} }],
      models: [withTwin],
      timing: false,
      ...request,
    });
    await plan.close();
    return plan.cells.map(({ record }) => record.identity);
  };
  const [{ model: markov }] = (await openControls([], { genome })).controls;
  const alone = await cells({ models: [withTwin, markov] });
  const controlled = await cells({ controls });
  expect(controlled.slice(0, 2)).toEqual(alone);
  expect(await planned({ models: [withTwin, markov], controls })).toEqual([
    ["mine", "zero-shot", undefined],
    ["kmer-markov-5", "zero-shot", undefined],
    ["mine-untrained", "zero-shot", "untrained twin of mine, seed 0"],
  ]);
});

test("where a setting trains, the task's own network is trained from scratch, and no other", () => {
  const [probed, zero] = [settingNamed("probed"), settingNamed("zero-shot")];
  const of = (task: Task, settings: readonly Setting[]) =>
    settingsWithControls(task, settings, abInitio).map(({ name }) => name);
  expect(of(chromatinActivity, [probed])).toEqual(["probed", "ab-initio"]);
  expect(of(regulatoryElements, [zero])).toEqual(["zero-shot"]);
  expect(of(motifFootprinting, [zero])).toEqual(["zero-shot"]);
  const networks = NETWORKS.map((model) => ({ model, control: "ab initio network" }));
  const names = (task: Task) =>
    controlsFor(task.settings["ab-initio"], networks, []).map(({ model }) => model.name);
  expect(names(regulatoryElements)).toEqual(["probing-head-like"]);
  expect(names(chromatinActivity)).toEqual(["chrombpnet-like"]);
});

test("without a genome there is no Markov model, with a note", async () => {
  const { controls, notes } = await openControls([], {});
  expect(controls.map(({ control }) => control)).toEqual(["ab initio network", "ab initio network"]);
  expect(notes[0]).toMatch(/no k-mer Markov model/);
});

describe("the untrained twin of a checkpoint", () => {
  test("has the weights of models init with the same sizes and seed", async () => {
    const own = scratch.path("own");
    const [preset] = Object.keys(languageModelCard("hyenadna").toys);
    await initCheckpoint(languageModelCard("hyenadna"), { preset, seed: 5, folder: own });
    await using model = await openModel(own);
    const twin = await model.untrained!({ seed: 5 });
    expect(twin.identity).toBe(model.identity);
    const other = await model.untrained!({ seed: 6 });
    expect(other.identity).not.toBe(model.identity);
    const again = await model.untrained!({ seed: 6 });
    expect(again.identity).toBe(other.identity);
    const [first, second] = await Promise.all(
      [twin, other].map((one) => one.logLikelihood!(["ACGTACGTTT"], { protocol: "corrected" })),
    );
    expect(Number.isFinite(first[0])).toBe(true);
    expect(first[0]).not.toBe(second[0]);
    for (const one of [twin, other, again]) await one.close?.();
  });
});
