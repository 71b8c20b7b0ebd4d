import type { Pcg64 } from "../../base/pcg64.ts";
import { choice, integerBelow, normal, shuffle } from "../../base/random.ts";
import { CELL_LINES } from "../../datasets/cell-lines.ts";
import { BASES, NO_BASE } from "../../dna/sequence/encoding.ts";
import { TELOMERE } from "./background.ts";
import type { PlantedElement } from "./elements.ts";
import type { SyntheticChromosome } from "./genome.ts";
import { logActivity } from "./grammar.ts";
import { findSites, type MotifName, motifNamed } from "./motifs.ts";
import { logFoldChange } from "./signal.ts";

/** What a variant does to the DNA. */
export type Mechanism = "breaks a site" | "makes a site" | "changes no site" | "outside elements";

/** A single-base variant whose effect is known. */
export interface PlantedVariant {
  readonly chrom: string;
  /** 0-based. */
  readonly position: number;
  readonly reference: string;
  readonly alternative: string;
  readonly mechanism: Mechanism;
  /** The site's factor, of variants that break or make one. */
  readonly motif?: MotifName;
  readonly element?: PlantedElement;
  /** ln(mean cuts with the alternative / with the reference), one per cell line. */
  readonly effects: Float64Array;
  /** The effect in GM12878 as a study would estimate it, with its error, and its p-value. */
  readonly estimate: number;
  readonly p: number;
}

/** The cell line of the QTL studies. */
const STUDIED = CELL_LINES.indexOf("GM12878");
/** Standard error of an estimated effect. */
const STANDARD_ERROR = 0.1;
/** Least effect of a variant that breaks or makes a site, and most of one that does not. */
const LEAST_EFFECT = 0.45;
const MOST_IDLE_EFFECT = 0.01;
/** Variants keep a window of 2,114 bases clear of the telomeres. */
const EDGE = TELOMERE + 1100;

type Change = Pick<
  PlantedVariant,
  "chrom" | "position" | "reference" | "alternative" | "mechanism" | "motif" | "element"
>;

/**
 * Variants of each mechanism, no two at one position.
 *
 * @param wanted  how many of each; fewer come when the genome has no more
 * @returns       in the chromosomes' order, by position
 */
export function plantVariants(
  rng: Pcg64,
  chromosomes: readonly SyntheticChromosome[],
  wanted: Readonly<Record<Mechanism, number>>,
): PlantedVariant[] {
  const places = chromosomes.flatMap((chromosome) =>
    chromosome.elements.map((element) => ({ chromosome, element })),
  );
  shuffle(rng, places);
  const taken = new Set<string>();
  const variants: PlantedVariant[] = [];
  const left = { ...wanted };

  const offer = (change: Change | undefined, { codes }: SyntheticChromosome) => {
    if (change === undefined) return;
    const place = `${change.chrom}:${change.position}`;
    if (taken.has(place)) return;
    const effects = effectsOf(change, codes);
    if (!isMeant(change.mechanism, effects[STUDIED])) return;
    taken.add(place);
    left[change.mechanism]--;
    const estimate = effects[STUDIED] + normal(rng, 0, STANDARD_ERROR);
    variants.push({ ...change, effects, estimate, p: twoSidedNormalTail(estimate / STANDARD_ERROR) });
  };

  const rounds = 40; // each element is visited so often at most: small genomes have few sites to choose from
  for (let round = 0; round < rounds && Object.values(left).some((n) => n > 0); round++) {
    for (const { chromosome, element } of places) {
      if (left["breaks a site"] > 0) offer(breakSite(rng, chromosome, element), chromosome);
      if (left["makes a site"] > 0) offer(makeSite(rng, chromosome, element), chromosome);
      if (left["changes no site"] > 0) offer(idleChange(rng, chromosome, element), chromosome);
      if (left["outside elements"] > 0) offer(outsideChange(rng, chromosome), chromosome);
    }
  }
  const order = new Map(chromosomes.map(({ name }, i) => [name, i]));
  return variants.sort((a, b) => order.get(a.chrom)! - order.get(b.chrom)! || a.position - b.position);
}

/** A site that was drawn with a letter off may also get better: then it was not broken. */
function isMeant(mechanism: Mechanism, effect: number): boolean {
  if (mechanism === "breaks a site") return effect <= -LEAST_EFFECT;
  if (mechanism === "makes a site") return effect >= LEAST_EFFECT;
  return Math.abs(effect) <= MOST_IDLE_EFFECT;
}

function effectsOf(change: Change, codes: Uint8Array): Float64Array {
  const { element, position, alternative } = change;
  if (element === undefined) return new Float64Array(CELL_LINES.length);
  const letters = codes.slice(element.start, element.end);
  const reference = logActivity(letters, 0, letters.length);
  letters[position - element.start] = BASES.indexOf(alternative);
  const changed = logActivity(letters, 0, letters.length);
  return reference.map((activity, cell) => logFoldChange(activity, changed[cell]));
}

function changeAt(
  { name, codes }: SyntheticChromosome,
  position: number,
  alternative: number,
  rest: Pick<Change, "mechanism" | "motif" | "element">,
): Change {
  return {
    ...{ chrom: name, position, reference: BASES[codes[position]], alternative: BASES[alternative] },
    ...rest,
  };
}

const otherBase = (rng: Pcg64, code: number) => (code + 1 + integerBelow(rng, 3)) % 4;

/** Any other letter at an informative position of a planted site. */
function breakSite(rng: Pcg64, chromosome: SyntheticChromosome, element: PlantedElement): Change | undefined {
  const site = choice(rng, element.sites);
  const position = site.start + integerBelow(rng, site.end - site.start);
  const alternative = otherBase(rng, chromosome.codes[position]);
  return changeAt(chromosome, position, alternative, {
    mechanism: "breaks a site",
    motif: site.motif,
    element,
  });
}

/** The letter that a site with one letter off lacks. */
function makeSite(rng: Pcg64, chromosome: SyntheticChromosome, element: PlantedElement): Change | undefined {
  const { codes } = chromosome;
  const halfSites = findSites(codes, element.start, element.end, 0.1).filter(
    ({ occupancy }) => occupancy < 0.4,
  );
  if (halfSites.length === 0) return undefined;
  const { motif, start, strand } = choice(rng, halfSites);
  const { width, forward, reverse } = motifNamed(motif);
  const scores = strand === "+" ? forward : reverse;
  let most = { gain: 0, position: start, code: 0 };
  for (let i = 0; i < width; i++) {
    for (let code = 0; code < 4; code++) {
      const gain = scores[4 * i + code] - scores[4 * i + codes[start + i]];
      if (gain > most.gain) most = { gain, position: start + i, code };
    }
  }
  return changeAt(chromosome, most.position, most.code, { mechanism: "makes a site", motif, element });
}

/** A letter of an element between its sites. */
function idleChange(
  rng: Pcg64,
  chromosome: SyntheticChromosome,
  element: PlantedElement,
): Change | undefined {
  const position = element.start + integerBelow(rng, element.end - element.start);
  if (element.sites.some(({ start, end }) => position >= start && position < end)) return undefined;
  const alternative = otherBase(rng, chromosome.codes[position]);
  return changeAt(chromosome, position, alternative, { mechanism: "changes no site", element });
}

/** A letter that lies 500 bases or more from every element. */
function outsideChange(rng: Pcg64, chromosome: SyntheticChromosome): Change | undefined {
  const { codes, elements } = chromosome;
  const position = EDGE + integerBelow(rng, codes.length - 2 * EDGE);
  if (codes[position] === NO_BASE) return undefined;
  if (elements.some(({ start, end }) => position > start - 500 && position < end + 500)) return undefined;
  return changeAt(chromosome, position, otherBase(rng, codes[position]), { mechanism: "outside elements" });
}

/**
 * P(|Z| > |z|) of a standard normal number: Laplace's continued fraction of Mills' ratio, and below 2 the series of
 * the distribution around 0.
 *
 * @see Abramowitz & Stegun 1964, 26.2.11 and 26.2.14
 */
export function twoSidedNormalTail(z: number): number {
  const x = Math.abs(z);
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x >= 2) {
    let fraction = x;
    for (let k = 100; k > 0; k--) fraction = x + k / fraction;
    return (2 * density) / fraction;
  }
  let sum = x;
  for (let term = x, k = 3; term > 1e-17; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 1 - 2 * density * sum;
}
