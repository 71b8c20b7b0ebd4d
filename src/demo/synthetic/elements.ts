import type { Pcg64 } from "../../base/pcg64.ts";
import { choice, integerBelow, shuffle } from "../../base/random.ts";
import { type Composition, CPG_ISLAND, drawChain, TELOMERE } from "./background.ts";
import { exponential, integerIn, weightedIndex } from "./draws.ts";
import { ELEMENT_KINDS, type ElementKind } from "./grammar.ts";
import { drawSite, type MotifName, motifNamed } from "./motifs.ts";

/** Planted site; 0-based, half-open, on the chromosome. */
export interface PlantedSite {
  readonly motif: MotifName;
  readonly start: number;
  readonly end: number;
  readonly strand: "+" | "-";
}

/** Planted element; 0-based, half-open. */
export interface PlantedElement {
  readonly chrom: string;
  readonly start: number;
  readonly end: number;
  readonly kind: string;
  /** Mean position of its planted sites, at which its signal peaks. */
  readonly centre: number;
  /** Sorted by start. */
  readonly sites: readonly PlantedSite[];
}

/** Lengths of ENCODE's candidate regulatory elements, in bases. */
const ELEMENT_LENGTH = [150, 350] as const;
/**
 * Gap between elements in bases: minimum, and mean of the exponential excess. Signals of elements do not
 * overlap.
 */
const MIN_GAP = 900;
const MEAN_EXTRA_GAP = 450;
/** Distance of elements from the chromosome ends: a window of 2,114 bases around them has no N. */
const EDGE = TELOMERE + 1200;
const KIND_SHARES = ELEMENT_KINDS.map(({ share }) => share);
/** Bases on either side of a promoter that belong to its CpG island. */
const ISLAND_SHORE = 100;

/**
 * Plants elements along a chromosome: new sequence of the local composition, then the sites of the element's
 * kind.
 *
 * @param codes   the chromosome, modified in place
 * @param masked  1 for bases of repeats; cleared inside elements
 * @returns       elements, sorted by start
 */
export function plantElements(
  rng: Pcg64,
  chrom: string,
  codes: Uint8Array,
  masked: Uint8Array,
  compositionAt: (position: number) => Composition,
): PlantedElement[] {
  const elements: PlantedElement[] = [];
  let start = EDGE + Math.round(exponential(rng, MEAN_EXTRA_GAP));
  for (;;) {
    const kind = ELEMENT_KINDS[weightedIndex(rng, KIND_SHARES)];
    const blocks = drawBlocks(rng, kind);
    const needed = blocks.reduce((sum, { width }) => sum + width, 0) + 20;
    const end = start + integerIn(rng, [Math.max(ELEMENT_LENGTH[0], needed), ELEMENT_LENGTH[1]]);
    if (end > codes.length - EDGE) return elements;
    const shore = kind.island ? ISLAND_SHORE : 0;
    const composition = kind.island ? CPG_ISLAND : compositionAt(start);
    drawChain(rng, codes, start - shore, end + shore, composition);
    masked.fill(0, start - shore, end + shore);
    const sites = plantBlocks(rng, codes, start, end, blocks);
    const middles = sites.map((site) => (site.start + site.end) / 2);
    const centre = Math.round(middles.reduce((a, b) => a + b) / middles.length);
    elements.push({ chrom, start, end, kind: kind.name, centre, sites });
    start = end + MIN_GAP + Math.round(exponential(rng, MEAN_EXTRA_GAP));
  }
}

/** Sites with fixed relative positions: one site or a pair. */
interface Block {
  readonly width: number;
  readonly sites: readonly { motif: MotifName; offset: number; strand: "+" | "-" }[];
}

const anyStrand = (rng: Pcg64) => (integerBelow(rng, 2) === 0 ? "+" : "-");

/** Draws the blocks of an element, in random order. */
function drawBlocks(rng: Pcg64, kind: ElementKind): Block[] {
  const blocks: Block[] = [];
  if (kind.pair !== undefined) {
    const { first, second, spacing, orientation } = kind.pair;
    const [left, right] = integerBelow(rng, 2) === 0 ? [first, second] : [second, first];
    const gap = integerIn(rng, spacing);
    const strand = anyStrand(rng);
    const other = strand === "+" ? "-" : "+";
    const strandOfRight = orientation === "any" ? anyStrand(rng) : orientation === "same" ? strand : other;
    const offset = motifNamed(left).width + gap;
    const sites = [
      { motif: left, offset: 0, strand },
      { motif: right, offset, strand: strandOfRight },
    ] as const;
    blocks.push({ width: offset + motifNamed(right).width, sites });
  }
  const singles = [...kind.always];
  for (let n = integerIn(rng, kind.extra); n > 0; n--) singles.push(choice(rng, kind.among));
  for (const motif of singles) {
    blocks.push({ width: motifNamed(motif).width, sites: [{ motif, offset: 0, strand: anyStrand(rng) }] });
  }
  shuffle(rng, blocks);
  return blocks;
}

/** Writes the blocks' sites into [start, end), with random gaps between them. */
function plantBlocks(
  rng: Pcg64,
  codes: Uint8Array,
  start: number,
  end: number,
  blocks: readonly Block[],
): PlantedSite[] {
  const free = end - start - blocks.reduce((sum, { width }) => sum + width, 0);
  const cuts = blocks.map(() => integerBelow(rng, free + 1)).sort((a, b) => a - b);
  const sites: PlantedSite[] = [];
  let before = start;
  blocks.forEach(({ width, sites: parts }, i) => {
    for (const { motif, offset, strand } of parts) {
      const at = before + cuts[i] + offset;
      const site = drawSite(rng, motifNamed(motif));
      codes.set(strand === "+" ? site : site.map((code) => 3 - code).reverse(), at);
      sites.push({ motif, start: at, end: at + site.length, strand });
    }
    before += width;
  });
  return sites;
}
