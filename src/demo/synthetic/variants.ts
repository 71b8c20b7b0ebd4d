import type { Pcg64 } from "../../base/pcg64.ts";
import { choice, integerBelow, normal, shuffle } from "../../base/random.ts";
import { valueAt } from "../../base/record.ts";
import { CELL_LINES } from "../../datasets/cell-lines.ts";
import { BASES, NO_BASE } from "../../dna/sequence/encoding.ts";
import { normalUpperTail } from "../../metrics/distributions.ts";
import { TELOMERE } from "./background.ts";
import type { PlantedElement } from "./elements.ts";
import type { SyntheticChromosome } from "./genome.ts";
import { logActivity } from "./grammar.ts";
import { findSites, type MotifName, motifNamed } from "./motifs.ts";
import { logFoldChange } from "./signal.ts";

/** Effect of a variant on sites. */
export type Mechanism = "breaks a site" | "makes a site" | "changes no site" | "outside elements";

/** Single-base variant with a known effect. */
export interface PlantedVariant {
  readonly chrom: string;
  /** 0-based. */
  readonly position: number;
  readonly reference: string;
  readonly alternative: string;
  readonly mechanism: Mechanism;
  /** Motif of the site that the variant breaks or makes. */
  readonly motif?: MotifName;
  readonly element?: PlantedElement;
  /** ln(mean cuts with the alternative / with the reference), one per cell line. */
  readonly effects: Float64Array;
  /** Estimated effect in GM12878, including sampling error, and its p-value. */
  readonly estimate: number;
  readonly p: number;
}

/** The cell line of the QTL studies. */
const STUDIED = CELL_LINES.indexOf("GM12878");
/** Standard error of an estimated effect. */
const STANDARD_ERROR = 0.1;
/** Smallest absolute effect of a variant that breaks or makes a site, and largest of one that does not. */
const MIN_EFFECT = 0.45;
const MAX_NEUTRAL_EFFECT = 0.01;
/** Distance from the chromosome ends: a window of 2,114 bases around a variant has no telomere. */
const EDGE = TELOMERE + 1100;

type Change = Pick<
  PlantedVariant,
  "chrom" | "position" | "reference" | "alternative" | "mechanism" | "motif" | "element"
>;

/**
 * Draws variants of each mechanism at distinct positions.
 *
 * @param wanted  number per mechanism; small genomes may have fewer
 * @returns       in the chromosomes' order, sorted by position
 */
export function plantVariants(
  rng: Pcg64,
  chromosomes: readonly SyntheticChromosome[],
  wanted: Readonly<Record<Mechanism, number>>,
): PlantedVariant[] {
  const elements = chromosomes.flatMap((chromosome) =>
    chromosome.elements.map((element) => ({ chromosome, element })),
  );
  shuffle(rng, elements);
  const taken = new Set<string>();
  const variants: PlantedVariant[] = [];
  const left = { ...wanted };

  const offer = (change: Change | undefined, { codes }: SyntheticChromosome) => {
    if (change === undefined) return;
    const position = `${change.chrom}:${change.position}`;
    if (taken.has(position)) return;
    const effects = effectsOf(change, codes);
    if (!hasEffectOf(change.mechanism, effects[STUDIED])) return;
    taken.add(position);
    left[change.mechanism]--;
    const estimate = effects[STUDIED] + normal(rng, 0, STANDARD_ERROR);
    const p = 2 * normalUpperTail(Math.abs(estimate / STANDARD_ERROR));
    variants.push({ ...change, effects, estimate, p });
  };

  const rounds = 40; // largest number of visits per element, since small genomes have few sites
  for (let round = 0; round < rounds && Object.values(left).some((n) => n > 0); round++) {
    for (const { chromosome, element } of elements) {
      if (left["breaks a site"] > 0) offer(breakSite(rng, chromosome, element), chromosome);
      if (left["makes a site"] > 0) offer(makeSite(rng, chromosome, element), chromosome);
      if (left["changes no site"] > 0) offer(neutralChange(rng, chromosome, element), chromosome);
      if (left["outside elements"] > 0) offer(outsideChange(rng, chromosome), chromosome);
    }
  }
  const order = new Map(chromosomes.map(({ name }, i) => [name, i]));
  return variants.sort(
    (a, b) => valueAt(order, a.chrom) - valueAt(order, b.chrom) || a.position - b.position,
  );
}

/**
 * True if an effect has the mechanism's sign and size. A change in a site with a mismatch may improve it
 * instead of breaking it.
 */
function hasEffectOf(mechanism: Mechanism, effect: number): boolean {
  if (mechanism === "breaks a site") return effect <= -MIN_EFFECT;
  if (mechanism === "makes a site") return effect >= MIN_EFFECT;
  return Math.abs(effect) <= MAX_NEUTRAL_EFFECT;
}

function effectsOf(change: Change, codes: Uint8Array): Float64Array {
  const { element, position, alternative } = change;
  if (element === undefined) return new Float64Array(CELL_LINES.length);
  const sequence = codes.slice(element.start, element.end);
  const reference = logActivity(sequence, 0, sequence.length);
  sequence[position - element.start] = BASES.indexOf(alternative);
  const changed = logActivity(sequence, 0, sequence.length);
  return reference.map((activity, cell) => logFoldChange(activity, changed[cell]));
}

function changeAt(
  { name, codes }: SyntheticChromosome,
  position: number,
  alternative: number,
  rest: Pick<Change, "mechanism" | "motif" | "element">,
): Change {
  return {
    chrom: name,
    position,
    reference: BASES[codes[position]],
    alternative: BASES[alternative],
    ...rest,
  };
}

const otherBase = (rng: Pcg64, code: number) => (code + 1 + integerBelow(rng, 3)) % 4;

/** Changes a random base of a planted site. */
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

/** Corrects the mismatch of a site with one mismatch. */
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

/** Changes a base of an element between its planted sites. */
function neutralChange(
  rng: Pcg64,
  chromosome: SyntheticChromosome,
  element: PlantedElement,
): Change | undefined {
  const position = element.start + integerBelow(rng, element.end - element.start);
  if (element.sites.some(({ start, end }) => position >= start && position < end)) return undefined;
  const alternative = otherBase(rng, chromosome.codes[position]);
  return changeAt(chromosome, position, alternative, { mechanism: "changes no site", element });
}

/** Changes a base at least 500 bases from every element. */
function outsideChange(rng: Pcg64, chromosome: SyntheticChromosome): Change | undefined {
  const { codes, elements } = chromosome;
  const position = EDGE + integerBelow(rng, codes.length - 2 * EDGE);
  if (codes[position] === NO_BASE) return undefined;
  if (elements.some(({ start, end }) => position > start - 500 && position < end + 500)) return undefined;
  return changeAt(chromosome, position, otherBase(rng, codes[position]), { mechanism: "outside elements" });
}
