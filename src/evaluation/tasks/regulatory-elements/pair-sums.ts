import { NumberSorter } from "../../../base/number-sorter.ts";
import type { NumberList, Numbers } from "../../../base/typed-numbers.ts";
import { GenomicBlockNumbers, singleRows } from "../../../metrics/blocks.ts";
import type { ProportionSums } from "../../../metrics/clustered-proportion.ts";
import { requireFinite } from "../../../metrics/input-checks.ts";
import { RunningSum, sum as sumOf } from "../../../metrics/mean.ts";
import {
  type PairedCounts,
  pairedCounts,
  pairedOutcomes,
  type TieRule,
} from "../../../metrics/paired-accuracy.ts";
import type { Protocol } from "../../../models/model.ts";
import { type ComparedScores, comparedScores } from "../compared-scores.ts";
import { genomicPositionsOf } from "../intervals.ts";
import type { PredictionColumns } from "../prediction-columns.ts";
import type { MeasureContext } from "../task.ts";
import type { PairFacts } from "./rows.ts";

/** Quirk Q15: the original counts a tie as wrong. */
export const TIES: Readonly<Record<Protocol, TieRule>> = { paper: "wrong", corrected: "half" };

/** Likelihoods of the pairs of a cell, added up, with ties by the cell's protocol. */
export interface PairSums extends Pick<ComparedScores, "ties"> {
  readonly length: number;
  /** Element minus control, nats, in ascending order. */
  readonly sorted: NumberList;
  /** Mean of these differences, and their sum in each block. */
  readonly mean: number;
  readonly blockDifferences: readonly number[];
  /** Credit of pairs by the protocol's rule for ties: 0, 0.5 or 1. */
  readonly outcomes: ProportionSums;
  readonly counts: PairedCounts;
  /** Counts under both protocols. */
  readonly under: Readonly<Record<Protocol, PairedCounts>>;
  /** Elements that contain unknown bases, and pairs of equal sequences. */
  readonly withUnknown: number;
  readonly same: number;
  /** Undefined if a row has no numbers of tokens. */
  readonly tokens: PairTokens | undefined;
}

/** Tokens of all elements and all controls, and pairs with equally many. */
interface PairTokens {
  readonly ofElements: number;
  readonly ofControls: number;
  readonly equal: PairedCounts;
}

/**
 * Adds up the pairs, which are read block by block. In memory are sums of blocks of the genome (of rows, if
 * these have no positions).
 */
export function addUpPairs(columns: PredictionColumns<PairFacts>, context: MeasureContext): PairSums {
  const { protocol } = context;
  const { length } = columns;
  const placed = haveAllPositions(columns);
  const numbers = new GenomicBlockNumbers();
  const sorter = new NumberSorter(length);
  const sum = new RunningSum(length);
  const [blockDifferences, blockOutcomes]: [number[], number[]] = [[], []];
  const under = { paper: noPairs(), corrected: noPairs() };
  const tokens = { ofElements: 0, ofControls: 0, equal: noPairs() };
  let [withUnknown, same, total, start] = [0, 0, 0, 0];
  let ties: ComparedScores["ties"];
  let allHaveTokens = true;
  for (const block of columns.blocks()) {
    const { first, second, ties: blockTies } = pairScores(block, context);
    const outcomes = pairedOutcomes(first, second, TIES[protocol]);
    const differences = first.map((score, i) => score - second[i]);
    requireFinite(differences, "difference");
    const places = placed ? genomicPositionsOf(block) : undefined;
    for (let i = 0; i < first.length; i++) {
      const of = places && numbers.add(places.chromosomes[i], places.starts[i], places.ends[i]);
      const at = of ?? start + i;
      blockDifferences[at] = (blockDifferences[at] ?? 0) + differences[i];
      blockOutcomes[at] = (blockOutcomes[at] ?? 0) + outcomes[i];
      total += outcomes[i];
    }
    sorter.append(differences);
    sum.add(differences);
    const other = protocol === "paper" ? "corrected" : "paper";
    const underOther = pairScores(block, { ...context, protocol: other });
    addCounts(under[protocol], pairedCounts(first, second));
    addCounts(under[other], pairedCounts(underOther.first, underOther.second));
    if (blockTies !== undefined) {
      const tolerance = Math.max(ties?.tolerance ?? 0, blockTies.tolerance);
      ties = { ...blockTies, tolerance, byRounding: (ties?.byRounding ?? 0) + blockTies.byRounding };
    }
    const [ofElements, ofControls] = block.tokens ?? [];
    if (ofElements === undefined || ofControls === undefined) allHaveTokens = false;
    else {
      tokens.ofElements += sumOf(ofElements);
      tokens.ofControls += sumOf(ofControls);
      const isEqual = (_: number, i: number) => ofElements[i] === ofControls[i];
      addCounts(tokens.equal, pairedCounts(first.filter(isEqual), second.filter(isEqual)));
    }
    withUnknown += countWhere(block.factNumbers("unknown"), (bases) => bases > 0);
    same += countWhere(block.factNumbers("same"), (flag) => flag === 1);
    start += first.length;
  }
  return {
    length,
    sorted: sorter.sorted(),
    mean: sum.done() / length,
    blockDifferences,
    outcomes: { blocks: placed ? numbers.blocks() : singleRows(length), sums: blockOutcomes, total },
    counts: under[protocol],
    under,
    withUnknown,
    same,
    ...(ties && { ties }),
    tokens: allHaveTokens ? tokens : undefined,
  };
}

function haveAllPositions(columns: PredictionColumns<PairFacts>): boolean {
  for (const block of columns.withFacts(["chrom", "start", "end"]).blocks()) {
    if (genomicPositionsOf(block) === undefined) return false;
  }
  return true;
}

const noPairs = () => ({ wins: 0, ties: 0, losses: 0 });

/** Log-likelihoods of elements and controls, with ties by the protocol. */
export const pairScores = (columns: PredictionColumns<PairFacts>, context: MeasureContext) =>
  comparedScores(columns.numbers("values", 0), columns.numbers("values", 1), context);

function addCounts(to: { wins: number; ties: number; losses: number }, { wins, ties, losses }: PairedCounts) {
  to.wins += wins;
  to.ties += ties;
  to.losses += losses;
}

function countWhere(numbers: Numbers | undefined, is: (value: number) => boolean): number {
  let count = 0;
  for (const value of numbers ?? []) if (is(value)) count++;
  return count;
}
