import { CELL_LINES, type CellLine } from "../../datasets/cell-lines.ts";
import { findSites, type MotifName, type Site } from "./motifs.ts";

/** Pair of cooperating sites. */
export interface SitePair {
  readonly first: MotifName;
  readonly second: MotifName;
  /** Range of the number of bases between the sites. */
  readonly spacing: readonly [number, number];
  /** Relative strand of the two sites, in either order along the chromosome. */
  readonly orientation: "same" | "opposite" | "any";
}

/** Kind of regulatory element, defined by its sites. */
export interface ElementKind {
  readonly name: string;
  /** Share of all elements; the shares sum to 1. */
  readonly share: number;
  /** Lies in a CpG island: GC-rich, without CpG depletion. */
  readonly island: boolean;
  readonly pair?: SitePair;
  /** Sites of every element of this kind, in addition to the pair. */
  readonly always: readonly MotifName[];
  /** Further sites are drawn from this list with replacement. */
  readonly among: readonly MotifName[];
  /** Range of the number of further sites. */
  readonly extra: readonly [number, number];
}

const EBF1_RUNX: SitePair = { first: "EBF1", second: "RUNX", spacing: [3, 12], orientation: "any" };
const OCT4_ESRRB: SitePair = { first: "OCT4-SOX2", second: "ESRRB", spacing: [4, 18], orientation: "any" };
const HNF4_FOXA: SitePair = { first: "HNF4", second: "FOXA", spacing: [4, 16], orientation: "same" };
const AP1_TEAD: SitePair = { first: "AP1", second: "TEAD", spacing: [5, 15], orientation: "any" };
const GATA_GATA: SitePair = { first: "GATA", second: "GATA", spacing: [6, 12], orientation: "opposite" };
const AP1_CEBP: SitePair = { first: "AP1", second: "CEBP", spacing: [3, 12], orientation: "any" };

/** Promoters, insulators, repressors, and the enhancers of each cell line. */
export const ELEMENT_KINDS: readonly ElementKind[] = [
  {
    name: "promoter",
    share: 0.22,
    island: true,
    always: ["SP1"],
    among: ["SP1", "NRF1", "ETS", "NFY", "CREB"],
    extra: [2, 4],
  },
  { name: "insulator", share: 0.1, island: false, always: ["CTCF"], among: ["CTCF"], extra: [0, 1] },
  { name: "repressor", share: 0.04, island: false, always: ["REST"], among: ["SP1", "REST"], extra: [0, 1] },
  {
    name: "GM12878-enhancer",
    share: 0.12,
    island: false,
    pair: EBF1_RUNX,
    always: [],
    among: ["NFKB", "ETS", "RUNX", "EBF1"],
    extra: [1, 3],
  },
  {
    name: "H1ESC-enhancer",
    share: 0.12,
    island: false,
    pair: OCT4_ESRRB,
    always: [],
    among: ["TEAD", "ESRRB", "OCT4-SOX2"],
    extra: [1, 3],
  },
  {
    name: "HEPG2-enhancer",
    share: 0.12,
    island: false,
    pair: HNF4_FOXA,
    always: [],
    among: ["CEBP", "FOXA", "HNF1", "HNF4"],
    extra: [1, 3],
  },
  {
    name: "IMR90-enhancer",
    share: 0.12,
    island: false,
    pair: AP1_TEAD,
    always: [],
    among: ["CEBP", "P53", "TEAD", "AP1"],
    extra: [1, 3],
  },
  {
    name: "K562-enhancer",
    share: 0.12,
    island: false,
    pair: GATA_GATA,
    always: [],
    among: ["GATA", "AP1", "RUNX"],
    extra: [1, 3],
  },
  {
    name: "stress-enhancer",
    share: 0.04,
    island: false,
    pair: AP1_CEBP,
    always: ["P53"],
    among: ["AP1", "CEBP"],
    extra: [1, 2],
  },
];

/** Contribution of a fully occupied site to an element's ln activity; a number applies to every cell line. */
export const SITE_WEIGHTS: Readonly<Record<MotifName, number | Partial<Record<CellLine, number>>>> = {
  CTCF: 3.6,
  REST: 3.4,
  SP1: 1.3,
  NRF1: 1.5,
  NFY: 1.3,
  CREB: 1.3,
  ETS: { GM12878: 1.3, H1ESC: 1, HEPG2: 1, IMR90: 1, K562: 1.1 },
  EBF1: { GM12878: 1.4 },
  NFKB: { GM12878: 1.3, IMR90: 0.3 },
  RUNX: { GM12878: 1.2, K562: 0.6, IMR90: 0.2 },
  "OCT4-SOX2": { H1ESC: 1.6 },
  ESRRB: { H1ESC: 1.3, HEPG2: 0.2 },
  TEAD: { H1ESC: 0.6, IMR90: 1.2, HEPG2: 0.4 },
  HNF4: { HEPG2: 1.5 },
  HNF1: { HEPG2: 1.3 },
  FOXA: { HEPG2: 1.2 },
  CEBP: { HEPG2: 0.9, IMR90: 1.1 },
  AP1: { IMR90: 1.3, K562: 0.7, HEPG2: 0.6 },
  P53: { IMR90: 1.1, HEPG2: 1.1, GM12878: 0.2 },
  GATA: { K562: 1.5 },
};

/** Contribution of a pair in addition to its two sites, by cell line. */
export const PAIR_WEIGHTS: readonly (SitePair & { readonly weight: Partial<Record<CellLine, number>> })[] = [
  { ...EBF1_RUNX, weight: { GM12878: 1 } },
  { ...OCT4_ESRRB, weight: { H1ESC: 1 } },
  { ...HNF4_FOXA, weight: { HEPG2: 1 } },
  { ...AP1_TEAD, weight: { IMR90: 1 } },
  { ...GATA_GATA, weight: { K562: 1 } },
  { ...AP1_CEBP, weight: { IMR90: 0.8, HEPG2: 0.8 } },
];

/** Sites below this occupancy are ignored. */
const MIN_OCCUPANCY = 0.01;

/**
 * Ground truth of chromatin accessibility: ln activity of a sequence in each cell line.
 *
 * ln activity = sum over sites of weight x occupancy + sum over pairs of weight x the largest product of two
 * occupancies with the pair's spacing and orientation. 0 for a sequence without sites.
 *
 * @param codes  A 0, C 1, G 2, T 3; [from, to) is the element
 * @returns      ln activity, one per cell line, in CELL_LINES order
 */
export function logActivity(codes: Uint8Array, from: number, to: number): Float64Array {
  const sites = findSites(codes, from, to, MIN_OCCUPANCY);
  const sum = new Float64Array(CELL_LINES.length);
  for (const { motif, occupancy } of sites) addWeighted(sum, SITE_WEIGHTS[motif], occupancy);
  for (const pair of PAIR_WEIGHTS) {
    const second = sites.filter(({ motif }) => motif === pair.second);
    let best = 0;
    for (const a of sites) {
      if (a.motif !== pair.first) continue;
      for (const b of second) {
        if (a === b || !fits(a, b, pair)) continue;
        best = Math.max(best, a.occupancy * b.occupancy);
      }
    }
    addWeighted(sum, pair.weight, best);
  }
  return sum;
}

function addWeighted(
  sum: Float64Array,
  weight: number | Partial<Record<(typeof CELL_LINES)[number], number>>,
  factor: number,
): void {
  CELL_LINES.forEach((cell, i) => {
    sum[i] += factor * (typeof weight === "number" ? weight : (weight[cell] ?? 0));
  });
}

function fits(a: Site, b: Site, { spacing, orientation }: (typeof PAIR_WEIGHTS)[number]): boolean {
  const between = a.start < b.start ? b.start - a.end : a.start - b.end;
  if (between < spacing[0] || between > spacing[1]) return false;
  return orientation === "any" || (orientation === "same") === (a.strand === b.strand);
}
