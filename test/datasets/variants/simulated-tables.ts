import { Pcg64 } from "../../../src/base/pcg64.ts";
import { choice, integerBelow, normal, uniform } from "../../../src/base/random.ts";
import { normalUpperTail } from "../../../src/metrics/distributions.ts";

/**
 * A variant of a simulated study, before its table's conventions: reference, alternative, and the
 * alternative's effect.
 */
export interface SimulatedVariant {
  readonly chrom: string;
  /** 1-based. */
  readonly position: number;
  readonly allele1: string;
  readonly allele2: string;
  readonly label: string;
  readonly used: string;
  readonly p: number;
  readonly effect: number;
  readonly score: number;
}

export type SimulatedForm = "caqtl" | "dsqtl";

/** Correlation of scores with effects, distribution of the noise, and sizes. */
export interface Simulation {
  readonly seed: number;
  readonly rows: number;
  /** Share of variants with a causal effect. */
  readonly causal: number;
  /** Standard deviation of the scores' noise; 0.3 gives r of about 0.7 among QTLs. */
  readonly scoreNoise: number;
  /**
   * Normal noise, Student's t with 3 degrees of freedom, or scores that miss a fifth of the causal variants.
   */
  readonly noise?: "normal" | "t3" | "missed";
  readonly form?: SimulatedForm;
}

export const SCORES = "chrombpnet.encsr000emt.variantscore.logfc";
const COLUMNS = {
  caqtl: ["chr_hg38", "pos_hg38", "allele1", "allele2", "label", "IsUsed", "pval", "beta", SCORES],
  dsqtl: [
    "var.chrom",
    "var.pos",
    "var.allele1",
    "var.allele2",
    "var.label",
    "var.isused",
    "obs.estimate",
    SCORES,
  ],
};

export const complement = (bases: string) => "TGCA"["ACGT".indexOf(bases)];

/** Random sequences with 41 % G and C. */
export function randomGenome(seed: number, chromosomes: number, length: number): ReadonlyMap<string, string> {
  const rng = new Pcg64(seed);
  const bases = "AAAAAAAAATTTTTTTTTCCCCCCGGGGGG";
  return new Map(
    Array.from({ length: chromosomes }, (_, i) => [
      `chr${i + 1}`,
      Array.from({ length }, () => bases[integerBelow(rng, bases.length)]).join(""),
    ]),
  );
}

/**
 * Variants of a simulated QTL study as the published tables have them. Effects are sums of a causal effect
 * and an error of the row's own standard error; p is that of their ratio. A QTL has p < 1e-4 and a control p
 * > 0.01; others are not used. Two thirds are transitions. In the African form `effect` and `score` are the
 * alternative's and 18 % of rows have the reference second; in the Yoruban form they are allele 1's, half of
 * the rows have the reference second, and controls have no effect.
 */
export function simulate(sequences: ReadonlyMap<string, string>, simulation: Simulation): SimulatedVariant[] {
  const { rows, causal, scoreNoise, noise = "normal", form = "caqtl" } = simulation;
  const rng = new Pcg64(simulation.seed);
  const draw = () => {
    if (noise !== "t3") return normal(rng);
    const chi = normal(rng) ** 2 + normal(rng) ** 2 + normal(rng) ** 2;
    return normal(rng) / Math.sqrt(chi);
  };
  const names = [...sequences.keys()];
  const perChromosome = Math.ceil(rows / names.length);
  return Array.from({ length: rows }, (_, i) => {
    const chrom = names[Math.floor(i / perChromosome)];
    const sequence = sequences.get(chrom)!;
    const step = (sequence.length - 200) / perChromosome;
    const position = 100 + Math.floor((i % perChromosome) * step + uniform(rng, 0, Math.max(step - 1, 0)));
    const reference = sequence[position];
    const alternative = alternativeOf(reference, rng);
    const truth = trueEffect(causal, rng);
    const error = 0.06 * Math.exp(normal(rng, 0, 0.4));
    const estimate = truth + error * draw();
    const p = 2 * normalUpperTail(Math.abs(estimate) / error);
    const missed = noise === "missed" && rng.nextFloat64() < 0.2;
    const score = (missed ? 0 : truth) + scoreNoise * (missed ? 0.3 : 1) * draw();
    const qtl = p < 1e-4;
    const swapped = rng.nextFloat64() < (form === "caqtl" ? 0.18 : 0.5);
    const [allele1, allele2] = swapped ? [alternative, reference] : [reference, alternative];
    const turn = form === "caqtl" || swapped ? 1 : -1;
    return {
      chrom,
      position: position + 1,
      allele1,
      allele2,
      p,
      score: turn * score,
      label: qtl ? "True" : "False",
      used: qtl || p > 0.01 ? "True" : "False",
      effect: form === "dsqtl" && !qtl ? Number.NaN : turn * estimate,
    };
  });
}

/** Large for a share of the variants, near 0 for the others; of either sign. */
function trueEffect(causal: number, rng: Pcg64): number {
  const strength =
    rng.nextFloat64() < causal
      ? 0.15 - 0.35 * Math.log(1 - rng.nextFloat64())
      : Math.abs(normal(rng, 0, 0.03));
  return rng.nextFloat64() < 0.5 ? strength : -strength;
}

/** A transition in two of three cases. */
function alternativeOf(reference: string, rng: Pcg64): string {
  const transition = "GTAC"["ACGT".indexOf(reference)];
  if (rng.nextFloat64() < 2 / 3) return transition;
  return choice(
    rng,
    [..."ACGT"].filter((base) => base !== reference && base !== transition),
  );
}

/** Text of a table in one of the published forms, with or without ChromBPNet's column. */
export function tableText(
  variants: readonly SimulatedVariant[],
  { form = "caqtl", scores = true }: { readonly form?: SimulatedForm; readonly scores?: boolean } = {},
): string {
  const columns = COLUMNS[form].slice(0, scores ? undefined : -1);
  const lines = variants.map(({ chrom, position, allele1, allele2, label, used, p, effect, score }) => {
    const coded = form === "dsqtl" ? ({ True: "1", False: "-1" }[label] ?? label) : label;
    const values = form === "caqtl" ? [p, effect, score] : [effect, score];
    return [chrom, position, allele1, allele2, coded, used, ...values].slice(0, columns.length).join("\t");
  });
  return `${[columns.join("\t"), ...lines].join("\n")}\n`;
}
