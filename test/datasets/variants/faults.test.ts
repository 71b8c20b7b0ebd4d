import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { integerBelow, shuffle } from "../../../src/base/random.ts";
import { checkVariants, SCORE_COLUMN } from "../../../src/datasets/variants/check.ts";
import type { FindingKind, FindingLevel } from "../../../src/datasets/variants/checks/finding.ts";
import { readVariants } from "../../../src/datasets/variants/read.ts";
import { genomeInMemory } from "../../../src/dna/genome/genome.ts";
import { scratchFiles } from "../../scratch-files.ts";
import {
  complement,
  randomGenome,
  type SimulatedForm,
  type SimulatedVariant,
  simulate,
  tableText,
} from "./simulated-tables.ts";

const { write } = scratchFiles();
const LENGTH = 400_000;
const sequences = randomGenome(1, 4, LENGTH);
const genome = genomeInMemory("random.fa", sequences);

/** About 560 and 390 QTLs; the published tables have 6,821 and 560. */
const clean = {
  caqtl: simulate(sequences, { seed: 3, rows: 6_000, causal: 0.12, scoreNoise: 0.3 }),
  dsqtl: simulate(sequences, { seed: 4, rows: 10_000, causal: 0.05, scoreNoise: 0.3, form: "dsqtl" }),
};

interface Options {
  readonly form?: SimulatedForm;
  readonly scores?: boolean;
}

let tables = 0;
async function findingsOf(variants: readonly SimulatedVariant[], options: Options = {}) {
  const path = await write(`simulated-${tables++}.tsv`, tableText(variants, options));
  const { findings } = await checkVariants(await readVariants(path, { extra: SCORE_COLUMN }), genome);
  // The order of alleles of the published African form is no fault.
  return findings.filter(({ kind, level }) => kind !== "allele-order" || level !== "note");
}

type Plant = (variants: readonly SimulatedVariant[]) => readonly SimulatedVariant[];

const inAfrican = new Map<Plant, ReturnType<typeof findingsOf>>();
/** Findings of the African table with a fault, checked once. */
function findingsWith(plant: Plant): ReturnType<typeof findingsOf> {
  const findings = inAfrican.get(plant) ?? findingsOf(plant(clean.caqtl));
  inAfrican.set(plant, findings);
  return findings;
}

type Change = (variant: SimulatedVariant) => SimulatedVariant;

/** Changes a random share of the rows. */
function some(share: number, change: Change, seed = 11) {
  return (variants: readonly SimulatedVariant[]) => {
    const rng = new Pcg64(seed);
    return variants.map((variant) => (rng.nextFloat64() < share ? change(variant) : variant));
  };
}

/** Gives the rows that `which` selects each other's values of a column. */
function permuted(column: "effect" | "p", which: (variant: SimulatedVariant) => boolean = () => true) {
  return (variants: readonly SimulatedVariant[]) => {
    const values = variants.filter(which).map((variant) => variant[column]);
    shuffle(new Pcg64(12), values);
    let next = 0;
    return variants.map((variant) => (which(variant) ? { ...variant, [column]: values[next++] } : variant));
  };
}

const turned: Change = (variant) => ({ ...variant, effect: -variant.effect });
const flipped: Change = (variant) => ({ ...variant, label: variant.label === "True" ? "False" : "True" });
const onOtherStrand: Change = (variant) => ({
  ...variant,
  allele1: complement(variant.allele1),
  allele2: complement(variant.allele2),
});
const moved =
  (by: number): Change =>
  (variant) => ({ ...variant, position: 1 + ((variant.position - 1 + by + LENGTH) % LENGTH) });
const renamed: Change = (variant) => ({ ...variant, chrom: `chr${1 + (Number(variant.chrom[3]) % 4)}` });
const mixedUp = (): Change => {
  const rng = new Pcg64(13);
  return (variant) => ({
    ...variant,
    chrom: `chr${1 + ((Number(variant.chrom[3]) + Math.floor(3 * rng.nextFloat64())) % 4)}`,
  });
};
const isQtl = ({ label }: SimulatedVariant) => label === "True";

type Fault = readonly [name: string, kind: FindingKind, level: FindingLevel, plant: Plant, options?: Options];

const wrongSigns = { fifth: some(0.2, turned), half: some(0.5, turned) };
const otherAssembly = some(0.05, moved(2350));
const nextChromosome = some(0.05, renamed);

/** Moves a share of the rows to positions that no other row has. */
const atRandomPositions = (share: number) => (variants: readonly SimulatedVariant[]) => {
  const rng = new Pcg64(14);
  const taken = new Set(variants.map(({ chrom, position }) => `${chrom}:${position}`));
  return some(share, (variant) => {
    let position = variant.position;
    while (taken.has(`${variant.chrom}:${position}`)) position = 1 + integerBelow(rng, LENGTH);
    taken.add(`${variant.chrom}:${position}`);
    return { ...variant, position };
  })(variants);
};

const faults: readonly Fault[] = [
  ["random sign errors in 20 % of the rows", "effect-signs", "error", wrongSigns.fifth],
  ["random sign errors in 20 % of the rows", "effect-signs", "error", some(0.2, turned), { form: "dsqtl" }],
  ["random sign errors in 50 % of the rows", "effect-signs", "error", wrongSigns.half],
  ["random sign errors in 50 % of the rows", "effect-signs", "error", some(0.5, turned), { form: "dsqtl" }],
  ["effects shuffled over all rows", "shuffled-effects", "error", permuted("effect")],
  ["effects shuffled over all rows", "shuffled-effects", "warning", permuted("effect"), { scores: false }],
  ["effects shuffled among QTLs", "shuffled-effects", "error", permuted("effect", isQtl), { form: "dsqtl" }],
  ["labels flipped in 20 % of the rows", "label-errors", "error", some(0.2, flipped)],
  ["labels flipped in 20 % of the rows", "label-errors", "error", some(0.2, flipped), { scores: false }],
  ["labels flipped in 20 % of the rows", "label-errors", "error", some(0.2, flipped), { form: "dsqtl" }],
  ["p-values shuffled over all rows", "p-values", "error", permuted("p")],
  [
    "p-values of controls in 20 % of the QTLs",
    "p-values",
    "error",
    some(0.2, (v) => (isQtl(v) ? { ...v, p: 0.5 } : v)),
  ],
  ["−log10 p in place of p", "p-values", "error", some(1, (v) => ({ ...v, p: -Math.log10(v.p + 1e-300) }))],
  [
    "effects × 1,000 in all rows",
    "effect-scale",
    "warning",
    some(1, (v) => ({ ...v, effect: 1000 * v.effect })),
  ],
  [
    "effects × 1,000 in 5 % of the rows",
    "effect-scale",
    "error",
    some(0.05, (v) => ({ ...v, effect: 1000 * v.effect })),
  ],
  [
    "effects × 1,000 in 5 % of the rows",
    "effect-scale",
    "error",
    some(0.05, (v) => ({ ...v, effect: 1000 * v.effect })),
    { form: "dsqtl" },
  ],
  [
    "N as allele 2 in 5 % of the rows",
    "ambiguous-alleles",
    "error",
    some(0.05, (v) => ({ ...v, allele2: "N" })),
  ],
  [
    "N as allele 1 in 5 % of the rows",
    "ambiguous-alleles",
    "error",
    some(0.05, (v) => ({ ...v, allele1: "N" })),
  ],
  [
    "5 % of the rows with positions 2,350 bases off, as of another assembly",
    "other-assembly",
    "error",
    otherAssembly,
  ],
  [
    "15 % of the rows with positions 91,000 bases off",
    "other-assembly",
    "error",
    some(0.15, moved(-91_000)),
    { form: "dsqtl" },
  ],
  ["all rows with positions of another assembly", "other-assembly", "error", some(1, moved(777))],
  ["5 % of the rows on the next chromosome", "wrong-chromosome", "error", nextChromosome],
  [
    "all rows of one chromosome under another name",
    "wrong-chromosome",
    "error",
    (rows) => rows.map((v) => (v.chrom === "chr2" ? { ...v, chrom: "chr3" } : v)),
  ],
  ["5 % of the rows on a random other chromosome", "wrong-chromosome", "error", some(0.05, mixedUp())],
  [
    "1 % of the rows beyond the end",
    "beyond-end",
    "error",
    some(0.01, (v) => ({ ...v, position: LENGTH + v.position })),
  ],
  ["2 % of the rows on the other strand", "other-strand", "error", some(0.02, onOtherStrand)],
  [
    "2 % of the rows on the other strand",
    "other-strand",
    "error",
    some(0.02, onOtherStrand),
    { form: "dsqtl" },
  ],
  ["2 % of the positions 0-based", "shifted-positions", "error", some(0.02, moved(-1))],
  ["1 % of the rows at random positions", "reference-mismatch", "warning", atRandomPositions(0.01)],
  ["10 % of the rows at random positions", "reference-mismatch", "error", atRandomPositions(0.1)],
];

describe("a fault planted in a simulated table of realistic size gives exactly one finding", () => {
  for (const [name, kind, level, plant, options] of faults) {
    const { form = "caqtl", scores = true } = options ?? {};
    test(`${name} (${form}${scores ? "" : ", no scores"}): ${kind}`, async () => {
      const findings = await (options === undefined
        ? findingsWith(plant)
        : findingsOf(plant(clean[form]), options));
      expect(findings.map((found) => [found.level, found.kind])).toEqual([[level, kind]]);
    });
  }

  test.each(["caqtl", "dsqtl"] as const)("the clean %s table has none", async (form) => {
    expect(await findingsOf(clean[form], { form })).toEqual([]);
    expect(await findingsOf(clean[form], { form, scores: false })).toEqual([]);
  });
});

test("findings name the cause of mismatches", async () => {
  const whatOf = async (plant: Plant) => (await findingsWith(plant))[0].what;
  expect(await whatOf(otherAssembly)).toMatch(/(\d+) of \1 tried on chr\d have one 2350 bases before/);
  expect(await whatOf(nextChromosome)).toMatch(/(\d+) of \1 rows of chr2 fit chr1/);
});

test("findings estimate the share of wrong signs", async () => {
  for (const [share, plant] of [
    [0.2, wrongSigns.fifth],
    [0.5, wrongSigns.half],
  ] as const) {
    const [found] = await findingsWith(plant);
    const estimate = Number(/about (\d+) % of the signs/.exec(found.what)![1]) / 100;
    expect(Math.abs(estimate - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / 185));
  }
});
