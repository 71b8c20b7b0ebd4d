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
  /** How the interval was made, kebab-case and stable: "wald", "wilson", "delong", "genomic-block-bootstrap". */
  readonly method: string;
}
