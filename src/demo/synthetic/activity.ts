import { CELL_LINES } from "../../datasets/cell-lines.ts";
import { PAIR_WEIGHTS, SITE_WEIGHTS } from "./grammar.ts";
import { findSites, type Site } from "./motifs.ts";

/** Below this occupancy a site is taken as empty. */
const LEAST_OCCUPANCY = 0.01;

/**
 * The truth: how open a stretch of DNA is in each cell line, as a function of its letters and nothing else.
 *
 * ln activity = sum over sites of weight x occupancy + sum over pairs of weight x the best product of two occupancies with
 * the pair's spacing and orientation. 0 for a stretch without sites.
 *
 * @param codes  A 0, C 1, G 2, T 3; [from, to) is the element
 * @returns      ln activity, one per cell line, in CELL_LINES order
 */
export function logActivity(codes: Uint8Array, from: number, to: number): Float64Array {
  const sites = findSites(codes, from, to, LEAST_OCCUPANCY);
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
    sum[i]! += factor * (typeof weight === "number" ? weight : (weight[cell] ?? 0));
  });
}

function fits(a: Site, b: Site, { spacing, orientation }: (typeof PAIR_WEIGHTS)[number]): boolean {
  const between = a.start < b.start ? b.start - a.end : a.start - b.end;
  if (between < spacing[0] || between > spacing[1]) return false;
  return orientation === "any" || (orientation === "same") === (a.strand === b.strand);
}
