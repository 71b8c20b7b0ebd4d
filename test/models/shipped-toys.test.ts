import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packagePath } from "../../src/base/package.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { choice, integerBelow } from "../../src/base/random.ts";
import { drawSite, MOTIFS, motifNamed } from "../../src/demo/synthetic/motifs.ts";
import { dinucleotideShuffle } from "../../src/dna/sequence/shuffle.ts";
import { readChrombpnet } from "../../src/models/chrombpnet/read-keras.ts";
import { LANGUAGE_MODELS, TOYS } from "../../src/models/language/catalogue.ts";
import { openModel } from "../../src/models/open-model.ts";

const families = LANGUAGE_MODELS.filter(({ toy }) => toy).map(({ name }) => name);
const CONTEXT = { threads: 1 };
const CORRECTED = { protocol: "corrected" } as const;

test.each(families)("%s has a trained toy, small and with room for 2,114 bases", async (family) => {
  expect(statSync(packagePath(`toys/${family}/model.safetensors`)).size).toBeLessThanOrEqual(300_000);
  const model = await openModel(`toy:${family}`, CONTEXT);
  expect(model.name).toBe(`${family}-toy`);
  expect(model.family).toBe(family);
  const [pooled] = await model.pool(["ACGTTGCA".repeat(265).slice(0, 2114)], {
    ...CORRECTED,
    over: "bases",
  });
  expect(pooled.every(Number.isFinite)).toBe(true);
  await model.close?.();
});

test.each(families)("what toys/README.md says of %s is in its record", (family) => {
  const record = JSON.parse(readFileSync(packagePath(join("toys", family, "training.json")), "utf8"));
  const line = readFileSync(packagePath("toys/README.md"), "utf8")
    .split("\n")
    .find((each) => each.startsWith(`| toy:${family} |`));
  const { value, low, high } = record.accuracy;
  expect(line).toContain(`${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`);
  expect(record.losses).toHaveLength(record.recipe.epochs);
});

test("toys/README.md agrees with ChromBPNet's record, and the record with its weights", async () => {
  const record = JSON.parse(readFileSync(packagePath("toys/chrombpnet/training.json"), "utf8"));
  const line = readFileSync(packagePath("toys/README.md"), "utf8")
    .split("\n")
    .find((each) => each.startsWith("| toy:chrombpnet |"));
  for (const { value, low, high } of [record.auroc, record.pearson]) {
    expect(line).toContain(`${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`);
  }
  const { bias, accessibility } = await readChrombpnet(packagePath("toys/chrombpnet/chrombpnet.h5"));
  expect(bias!.sizes).toEqual(record.recipe.bias);
  expect(accessibility!.sizes).toEqual(record.recipe.accessibility);
  const arrays = [...bias!.arrays.values(), ...accessibility!.arrays.values()];
  expect(arrays.reduce((sum, { data }) => sum + data.length, 0)).toBe(record.parameters);
});

test("ChromBPNet's toy is small, and predicts more reads at sites of its cell line", async () => {
  expect(statSync(packagePath("toys/chrombpnet/chrombpnet.h5")).size).toBeLessThanOrEqual(300_000);
  const model = await openModel("toy:chrombpnet", CONTEXT);
  expect([model.name, model.family]).toEqual(["chrombpnet-toy", "chrombpnet"]);
  const rng = new Pcg64(5);
  const letters = () => Array.from({ length: 2114 }, () => integerBelow(rng, 4));
  const asText = (codes: readonly number[]) => codes.map((code) => "ACGT"[code]).join("");
  const [without, withTheirs]: [string[], string[]] = [[], []];
  for (let i = 0; i < 20; i++) {
    const codes = letters();
    without.push(asText(codes));
    for (const [at, name] of [
      [1020, "EBF1"],
      [1037, "RUNX"],
      [1060, "NFKB"],
    ] as const) {
      const site = drawSite(rng, motifNamed(name));
      codes.splice(at, site.length, ...site);
    }
    withTheirs.push(asText(codes));
  }
  const [low, high] = [
    await model.predictActivity(without, CORRECTED),
    await model.predictActivity(withTheirs, CORRECTED),
  ];
  // of 20 coins 17 show heads in one of 700 trials
  expect(Array.from(low).filter((reads, i) => reads < high[i]).length).toBeGreaterThanOrEqual(17);
  await model.close?.();
});

test("exactly the documented toys exist", () => {
  const folders = readdirSync(packagePath("toys"), { withFileTypes: true }).filter((each) =>
    each.isDirectory(),
  );
  expect(folders.map(({ name }) => name).sort()).toEqual(TOYS.map(({ name }) => name).sort());
});

/** Sites of the synthetic genomes in uniform random sequence, 300 bases in total. */
function withSites(rng: Pcg64): string {
  const letters = Array.from({ length: 300 }, () => integerBelow(rng, 4));
  for (let at = 20; at < 270; at += 50) letters.splice(at, 0, ...drawSite(rng, choice(rng, MOTIFS)));
  return letters
    .slice(0, 300)
    .map((code) => "ACGT"[code])
    .join("");
}

test.each(["hyenadna", "mistral-dna"])("the toy of %s prefers sites over shuffled ones", async (family) => {
  const model = await openModel(`toy:${family}`, CONTEXT);
  const rng = new Pcg64(4);
  const sequences = Array.from({ length: 20 }, () => withSites(rng));
  const shuffled = sequences.map((letters) => dinucleotideShuffle(letters, rng));
  const own = await model.logLikelihood(sequences, CORRECTED);
  const others = await model.logLikelihood(shuffled, CORRECTED);
  // of 20 coins 17 show heads in one of 700 trials
  expect(sequences.filter((_, i) => own[i] > others[i]).length).toBeGreaterThanOrEqual(17);
  await model.close?.();
});

test("the error for an unknown toy lists the known ones", async () => {
  await expect(openModel("toy:enformer", CONTEXT)).rejects.toThrow('there is no toy called "enformer"');
  await expect(openModel("toy:../src", CONTEXT)).rejects.toThrow("there is no toy called");
});
