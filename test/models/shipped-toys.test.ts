import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packagePath } from "../../src/base/package-file.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { choice, integerBelow } from "../../src/base/sample.ts";
import { dinucleotideShuffle } from "../../src/dna/sequence/shuffle.ts";
import { drawSite, MOTIFS } from "../../src/evaluation/datasets/synthetic/motifs.ts";
import { LANGUAGE_MODELS } from "../../src/models/catalogue.ts";
import { openModel } from "../../src/models/open-model.ts";

const families = LANGUAGE_MODELS.map(({ name }) => name);
const CONTEXT = { trainChromosomes: [], threads: 1 };
const CORRECTED = { protocol: "corrected" } as const;

test.each(families)("%s has a trained toy, small and with room for 2,114 bases", async (family) => {
  expect(statSync(packagePath(`toys/${family}/model.safetensors`)).size).toBeLessThanOrEqual(300_000);
  const model = await openModel(`toy:${family}`, CONTEXT);
  expect(model.name).toBe(`${family}-toy`);
  expect(model.family).toBe(family);
  const [pooled] = await model.pool!(["ACGTTGCA".repeat(265).slice(0, 2114)], {
    ...CORRECTED,
    over: "bases",
  });
  expect(pooled!.every(Number.isFinite)).toBe(true);
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

/** Sites of the synthetic genomes among letters drawn evenly, 300 in all. */
function withSites(rng: Pcg64): string {
  const letters = Array.from({ length: 300 }, () => integerBelow(rng, 4));
  for (let at = 20; at < 270; at += 50) letters.splice(at, 0, ...drawSite(rng, choice(rng, MOTIFS)));
  return letters
    .slice(0, 300)
    .map((code) => "ACGT"[code])
    .join("");
}

test.each(["hyenadna", "mistral-dna"])(
  "the toy of %s knows sites from their letters in another order",
  async (family) => {
    const model = await openModel(`toy:${family}`, CONTEXT);
    const rng = new Pcg64(4);
    const sequences = Array.from({ length: 20 }, () => withSites(rng));
    const shuffled = sequences.map((letters) => dinucleotideShuffle(letters, rng));
    const own = await model.logLikelihood!(sequences, CORRECTED);
    const others = await model.logLikelihood!(shuffled, CORRECTED);
    // of 20 coins 17 show heads in one of 700 trials
    expect(sequences.filter((_, i) => own[i]! > others[i]!).length).toBeGreaterThanOrEqual(17);
    await model.close?.();
  },
);

test("a toy that is not there is refused with those that are", async () => {
  await expect(openModel("toy:enformer", CONTEXT)).rejects.toThrow('there is no toy called "enformer"');
  await expect(openModel("toy:../src", CONTEXT)).rejects.toThrow("there is no toy called");
});
