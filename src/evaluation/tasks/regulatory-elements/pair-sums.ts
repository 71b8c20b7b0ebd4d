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
  const under = { paper: NO_PAIRS, corrected: NO_PAIRS };
  let tokens: PairTokens | undefined = { ofElements: 0, ofControls: 0, equal: NO_PAIRS };
  let [withUnknown, same, total, start] = [0, 0, 0, 0];
  let ties: ComparedScores["ties"];
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
    under[protocol] = added(under[protocol], pairedCounts(first, second));
    under[other] = added(under[other], pairedCounts(underOther.first, underOther.second));
    ties = withTies(ties, blockTies);
    tokens &&= withTokens(tokens, block.tokens, first, second);
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
    tokens,
  };
}

/** Ties of all blocks: the largest tolerance, and the sum of ties by rounding. */
function withTies(sum: ComparedScores["ties"], block: ComparedScores["ties"]): ComparedScores["ties"] {
  if (sum === undefined || block === undefined) return block ?? sum;
  return {
    ...block,
    tolerance: Math.max(sum.tolerance, block.tolerance),
    byRounding: sum.byRounding + block.byRounding,
  };
}

/** Adds the tokens of a block; undefined if it has none. */
function withTokens(
  { ofElements, ofControls, equal }: PairTokens,
  [inElements, inControls]: PredictionColumns["tokens"] = [],
  first: Float64Array,
  second: Float64Array,
): PairTokens | undefined {
  if (inElements === undefined || inControls === undefined) return undefined;
  const isEqual = (_: number, i: number) => inElements[i] === inControls[i];
  return {
    ofElements: ofElements + sumOf(inElements),
    ofControls: ofControls + sumOf(inControls),
    equal: added(equal, pairedCounts(first.filter(isEqual), second.filter(isEqual))),
  };
}

function haveAllPositions(columns: PredictionColumns<PairFacts>): boolean {
  for (const block of columns.withFacts(["chrom", "start", "end"]).blocks()) {
    if (genomicPositionsOf(block) === undefined) return false;
  }
  return true;
}

const NO_PAIRS: PairedCounts = { wins: 0, ties: 0, losses: 0 };

/** Log-likelihoods of elements and controls, with ties by the protocol. */
export const pairScores = (columns: PredictionColumns<PairFacts>, context: MeasureContext) =>
  comparedScores(columns.numbers("values", 0), columns.numbers("values", 1), context);

const added = (a: PairedCounts, b: PairedCounts): PairedCounts => ({
  wins: a.wins + b.wins,
  ties: a.ties + b.ties,
  losses: a.losses + b.losses,
});

function countWhere(numbers: Numbers | undefined, is: (value: number) => boolean): number {
  let count = 0;
  for (const value of numbers ?? []) if (is(value)) count++;
  return count;
}
