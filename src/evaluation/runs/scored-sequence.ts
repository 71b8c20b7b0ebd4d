/**
 * Scored tokens of one sequence, in `positions.json` and in the report, whose client compiles without Node.
 */
export interface ScoredSequence {
  /** The task's name of the sequence: "element". */
  readonly member: string;
  /** Number of bases that the model saw. */
  readonly length: number;
  /** Index of the first of `bases` in the sequence, 0-based. */
  readonly from: number;
  readonly bases: string;
  /** Bases of each token; absent if each is one base. */
  readonly spans?: readonly number[];
  /** Log-probability of each token, nats, to four decimals. */
  readonly scores: readonly number[];
}
