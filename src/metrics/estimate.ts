/**
 * A number with its uncertainty: what every metric of the benchmark can be reported as.
 *
 * Undefined is NaN and never a stand-in such as 0.5: an AUROC without positives, a correlation with a constant, the
 * bounds of an interval that one block cannot give.
 */
export interface Estimate {
  readonly value: number;
  /** Lower bound of the interval: 95 %, two-sided, unless the caller asked for another level. */
  readonly low: number;
  readonly high: number;
  /** Rows (pairs, peaks, variants) behind the value; not blocks, not resamples. */
  readonly n: number;
  /** How the interval was made, kebab-case and stable: "wald", "wilson", "delong", "genomic-block-jackknife". */
  readonly method: string;
  /** The blocks of an interval over blocks; absent where rows are taken as independent. */
  readonly basis?: IntervalBasis;
}

/** The blocks that an interval leaves out in turn. */
export interface IntervalBasis {
  readonly blocks: number;
  /** Length of a block along the genome: "16 Mb", "chromosome". Absent for blocks without positions. */
  readonly length?: string;
  /** Degrees of freedom of Student's t: the effective number of blocks, at most their number less 1. */
  readonly dof: number;
  /** Correlation between the contributions of neighbouring blocks; absent where no two blocks adjoin. */
  readonly neighbourCorrelation?: number;
  /** Reason why the interval may cover less than it states: "3 blocks". Absent for a reliable one. */
  readonly unreliable?: string;
}
