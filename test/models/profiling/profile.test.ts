import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { NETWORKS } from "../../../src/models/baselines/networks.ts";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import { languageModelCard } from "../../../src/models/language/catalogue.ts";
import { LanguageModel } from "../../../src/models/language-model.ts";
import { profileModel } from "../../../src/models/profiling/profile.ts";
import { elementCount } from "../../../src/net/arrays/array.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { runCommand } from "../../cli/collecting-terminal.ts";

const root = mkdtempSync(join(tmpdir(), "dart-eval-profile-"));
afterAll(() => rmSync(root, { recursive: true }));
const program = { threads: 1 } as const;

async function toy(family: string) {
  const folder = join(mkdtempSync(join(root, "toy-")), family);
  const card = languageModelCard(family);
  await initCheckpoint(card, { preset: "toy", seed: 0, folder });
  return { folder, card };
}

const small = { batch: 4, length: 60, repeats: 2, available: 8e9, program };
const both = ["forward", "backward"] as const;

test("profiles both passes of a language model, with all weights trained and the dropout of its config", async () => {
  const { folder, card } = await toy("dnabert2");
  const model = await LanguageModel.open(folder, [card], program);
  onTestFinished(() => model.close());
  const said: string[] = [];
  const profile = await profileModel(model, {
    ...small,
    directions: both,
    onProgress: (what) => said.push(what),
  });
  // embeddings, two layers and the classifier, without the pretraining head
  const head = 48 * 48 + 48 + 48 + 1;
  const layer = 4 * 48 * 48 + 4 * 48 + 2 * 96 * 48 + 96 * 48 + 48 + 4 * 48;
  const { vocab_size } = card.toys.toy as { vocab_size: number };
  expect(profile.parameters).toBe((vocab_size + 2) * 48 + 2 * 48 + 2 * layer + head);
  expect(said).toEqual(["timing the forward pass", "timing the backward pass"]);
  for (const cost of [profile.forward, profile.backward!]) {
    expect(cost.repeats).toBe(2);
    expect(cost.seconds.mean).toBeGreaterThan(0);
    expect(cost.seconds.std).toBeLessThan(cost.seconds.mean);
    expect(cost.processorSeconds.mean).toBeGreaterThan(0);
    expect(cost.memory.mean).toBeGreaterThan(50e6);
    expect(cost.memory.mean).toBeLessThan(2e9);
  }
});

test("HyenaDNA's filter is trained too; batches are halved until they fit, but not below one", async () => {
  const { folder, card } = await toy("hyenadna");
  const model = await LanguageModel.open(folder, [card], program);
  onTestFinished(() => model.close());
  const passes = await model.passes(60);
  const one = passes.memory!("backward", 1);
  const four = passes.memory!("backward", 4);
  expect(one).toBeGreaterThan(passes.memory!("forward", 1));
  await passes.close();
  const directions = both;
  const profile = await profileModel(model, {
    ...small,
    repeats: 1,
    directions,
    available: (one + four) / 2,
  });
  expect(profile.batch).toBe(2);
  const filter = 2 * (16 + 5 * 16 + 16 + 2 * (16 * 16 + 16) + 16 * 32);
  expect(profile.parameters).toBeGreaterThan(filter + 2 * (4 * 32 * 32 + 2 * 32 * 64));
  await expect(profileModel(model, { ...small, directions, available: one / 2 })).rejects.toThrow(
    /"hyenadna" needs 0\.0 GiB for one sequence/,
  );
});

test("profiles both passes of an untrained network, and the forward pass of a model without a graph", async () => {
  const network = NETWORKS[0];
  const profile = await profileModel(network, { ...small, directions: both });
  expect(profile.parameters).toBeGreaterThan(1000);
  expect(profile.backward!.seconds.mean).toBeGreaterThan(0);
  const asked: number[] = [];
  const own = {
    name: "own",
    logLikelihood(sequences: readonly string[]) {
      asked.push(sequences.length);
      for (const letters of sequences) expect(letters).toMatch(/^[ACGT]{60}$/);
      return sequences.map(() => 0);
    },
  };
  const only = await profileModel(own, { ...small, directions: both });
  expect(asked).toEqual([4, 4, 4]);
  expect(only).toMatchObject({ parameters: undefined, computes: "logLikelihood" });
  expect(only.backward).toBeUndefined();
  await expect(profileModel({ name: "mute" }, { ...small, directions: both })).rejects.toThrow(
    /has no outputs to profile/,
  );
});

test("dart-eval profile prints a table, and JSON with the original's keys", async () => {
  const { folder } = await toy("nucleotide-transformer");
  const words = ["profile", folder, "--batch", "2", "--length", "60", "--repeats", "2", "--threads", "1"];
  const { exitCode, printed } = await runCommand(words);
  expect(exitCode).toBe(0);
  expect(printed).toMatch(/a classifier with one output\n {2}parameters {2}[\d,]+\n/);
  expect(printed).toMatch(/ {2}warm-up {5}1 batch per direction, not recorded\n/);
  expect(printed).toMatch(
    / {2}memory {6}peak resident memory of the process, weights and runtime included\n/,
  );
  expect(printed).toMatch(/backward, including the forward pass, 2 batches\n {2}time +[\d.]+ ± [\d.]+ s/);
  const json = JSON.parse((await runCommand([...words, "--json", "--forward"])).printed);
  expect(Object.keys(json).slice(0, 5)).toEqual([
    ...["num_params", "fwd_mem_mean", "fwd_mem_std", "fwd_time_mean", "fwd_time_std"],
  ]);
  expect(json.bwd_time_mean).toBeUndefined();
  expect(json.forward.hoursPerMillion).toBeCloseTo((1e6 * json.fwd_time_mean) / 2 / 3600, 9);
});

test("warm-up batches are not recorded; all further complete batches of given sequences are", async () => {
  const asked: (readonly string[])[] = [];
  const own = {
    name: "own",
    logLikelihood(sequences: readonly string[]) {
      asked.push(sequences);
      return sequences.map(() => 0);
    },
  };
  // 23 sequences make seven batches of 3; two are left
  const sequences = Array.from({ length: 23 }, (_, i) => "ACGT".repeat(i + 1));
  const options = { batch: 3, length: 60, available: 8e9, program, directions: both, sequences };
  const profile = await profileModel(own, { ...options, warmup: 5 });
  expect(profile).toMatchObject({ warmup: 5, forward: { repeats: 2 } });
  expect(asked.flat()).toEqual(sequences.slice(0, 21));
  asked.length = 0;
  const fewer = await profileModel(own, { ...options, warmup: 0, repeats: 4 });
  expect(fewer.forward.repeats).toBe(4);
  expect(asked).toHaveLength(4);
  await expect(profileModel(own, { ...options, warmup: 7 })).rejects.toThrow(
    "23 sequences make 7 batches of 3, and 8 are needed: 7 to warm up and 1 to record",
  );
  await expect(profileModel(own, { ...options, warmup: 5, repeats: 3 })).rejects.toThrow(/8 are needed/);
});

test("parameters that no output depends on are counted, as in PyTorch", async () => {
  const { folder, card } = await toy("nucleotide-transformer");
  const model = await LanguageModel.open(folder, [card], program);
  onTestFinished(() => model.close());
  const passes = await model.passes(60);
  onTestFinished(() => passes.close());
  await using checkpoint = await openCheckpoint(folder);
  // the classifier: a dense layer and its output; the other head and the rotation's frequencies are not in it
  const width = checkpoint.arrays.get("esm.encoder.emb_layer_norm_after.weight")!.shape[0];
  const base = [...checkpoint.arrays]
    .filter(([name]) => name.startsWith("esm.") && !name.endsWith("inv_freq"))
    .reduce((sum, [, { shape }]) => sum + elementCount(shape), 0);
  expect(base).toBeGreaterThan(10_000);
  expect(passes.parameters).toBe(base + (width * width + width) + (width + 1));
});

test("dart-eval profile runs the windows of a table of peaks in its order", async () => {
  const { folder } = await toy("hyenadna");
  const line = (start: number) =>
    ["chr1", start, start + 2114, start + 557, start + 1557, 557, 1557].join("\t");
  const header = "chr\tinput_start\tinput_end\telem_start\telem_end\telem_relative_start\telem_relative_end";
  const peaks = join(root, "peaks.bed");
  writeFileSync(peaks, `${[header, ...[0, 100, 200, 300, 400].map(line)].join("\n")}\n`);
  const genome = join(root, "genome.fa");
  writeFileSync(genome, `>chr1\n${"ACGTTGCA".repeat(400)}\n`);
  const words = ["profile", folder, "--batch", "2", "--threads", "1", "--forward", "--json"];
  const files = ["--peaks", peaks, "--genome", genome];
  const { exitCode, printed } = await runCommand([...words, ...files]);
  expect([exitCode, JSON.parse(printed)]).toEqual([
    0,
    expect.objectContaining({
      batch: 2,
      length: 2114,
      warmup: 1,
      sequences: peaks,
      memory: "peak resident memory of the process, weights and runtime included",
      forward: expect.objectContaining({ repeats: 1 }),
    }),
  ]);
  const refused = async (more: readonly string[]) => (await runCommand([...words, ...more])).said;
  expect(await refused([...files, "--warmup", "2"])).toMatch(
    /5 sequences make 2 batches of 2, and 3 are needed/,
  );
  expect(await refused(["--peaks", peaks])).toMatch(/--peaks and --genome must be used together/);
  expect(await refused([...files, "--length", "350"])).toMatch(/windows of peaks have 2114 bases/);
  const other = join(root, "other.fa");
  writeFileSync(other, ">2\nACGT\n");
  expect(await refused(["--peaks", peaks, "--genome", other])).toMatch(/the genome has no sequence "chr1"/);
  const { printed: help } = await runCommand(["profile", "--help"]);
  expect(help).toMatch(/DART-Eval: peak GPU memory of PyTorch/);
}, 60_000);
