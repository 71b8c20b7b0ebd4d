import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import { checkVariants, SCORE_COLUMN } from "../../../src/datasets/variants/check.ts";
import { readVariants } from "../../../src/datasets/variants/read.ts";
import { type VariantTable, variantTable } from "../../../src/datasets/variants/table.ts";
import { genomeInMemory } from "../../../src/dna/genome/genome.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { randomGenome, SCORES, type Simulation, simulate, tableText } from "./simulated-tables.ts";

const { write } = scratchFiles();
const sequences = randomGenome(1, 3, 100_000);
const genome = genomeInMemory("random.fa", sequences);

/**
 * Both forms, three kinds of noise, three sizes, with scores from nearly perfect (r 0.98) to weak (r 0.5),
 * and without scores.
 */
const designs: readonly (Omit<Simulation, "seed"> & { readonly scores: boolean; readonly tables: number })[] =
  (["caqtl", "dsqtl"] as const).flatMap((form) =>
    (["normal", "t3", "missed"] as const).flatMap((noise) =>
      [
        { rows: 200, tables: 6 },
        { rows: 1000, tables: 4 },
        { rows: 5000, tables: 1 },
      ].flatMap((size) =>
        [0.1, 0.3, 0.8, Number.NaN].map((scoreNoise) => ({
          form,
          noise,
          ...size,
          causal: form === "caqtl" ? 0.12 : 0.05,
          scores: scoreNoise > 0,
          scoreNoise: scoreNoise > 0 ? scoreNoise : 0.3,
        })),
      ),
    ),
  );

test("264 tables without faults have no finding but the note on allele order", async () => {
  let seed = 100;
  const alarms: string[] = [];
  for (const { tables, scores, ...design } of designs) {
    for (let i = 0; i < tables; i++) {
      const { form } = design;
      const text = tableText(simulate(sequences, { ...design, seed: seed++ }), { form: form!, scores });
      const table = await readVariants(await write("clean.tsv", text), { extra: SCORE_COLUMN });
      const { findings } = await checkVariants(table, genome);
      for (const { kind, level, what } of findings) {
        if (kind === "allele-order" && level === "note" && form === "caqtl") continue;
        alarms.push(`${JSON.stringify(design)}: ${kind}, ${what}`);
      }
    }
  }
  expect(seed - 100).toBe(264);
  expect(alarms).toEqual([]);
});

/** A table of QTLs whose effects and scores are normal with this correlation. */
function normalTable(qtls: number, r: number, wrongSigns: number, seed: number): VariantTable {
  const rng = new Pcg64(seed);
  const scores: string[] = [];
  const rows = Array.from({ length: qtls }, (_, index) => {
    const [position, effect] = [100 + 50 * index, normal(rng)];
    const allele1 = sequences.get("chr1")![position];
    scores.push(String(r * effect + Math.sqrt(1 - r * r) * normal(rng)));
    const sign = rng.nextFloat64() < wrongSigns ? -1 : 1;
    const alleles = { allele1, allele2: allele1 === "A" ? "G" : "A" };
    return {
      index,
      line: index + 2,
      chrom: "chr1",
      position,
      ...alleles,
      significant: true,
      effect: sign * effect,
    };
  });
  return { ...variantTable("normal.tsv", rows), extra: new Map([[SCORES, scores]]) };
}

test("20 % wrong signs are found in most tables of the Yoruban set's size with r 0.7, without false alarms", async () => {
  const share = async (wrongSigns: number) => {
    let found = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { findings } = await checkVariants(normalTable(560, 0.7, wrongSigns, seed), genome);
      found += findings.some(({ kind }) => kind === "effect-signs") ? 1 / 60 : 0;
    }
    return found;
  };
  // 0.85, with a standard error of 0.05.
  expect(await share(0.2)).toBeGreaterThan(0.7);
  expect(await share(0)).toBe(0);
});
