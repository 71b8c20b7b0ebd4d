import { InputError } from "../base/errors.ts";
import { logSumExp } from "./losses.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";

const { fround } = Math;

/** The largest finite float32. */
const MAX_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * Log-odds of one class against all others, ln p − ln(1 − p), for each row: the score that ranks rows one
 * against the rest; the class is predicted where it is 0 or more.
 *
 * Computed from the logits as logit − ln Σ exp(other logits), which stays finite and accurate for p close to
 * 1.
 *
 * @param logits  [rows, classes], two classes or more
 * @throws {InputError} when a logit is not finite, the class does not exist, or it is the only one
 */
export function classLogOdds(logits: Matrix, chosen: number): Float64Array {
  requireMatrix(logits, "logit");
  const { data, rows, columns } = logits;
  if (!(Number.isInteger(chosen) && chosen >= 0 && chosen < columns && columns > 1)) {
    throw new InputError(
      `log-odds of class ${chosen} among ${columns} classes: expected two classes or more, and one of them`,
    );
  }
  const others = new Float64Array(columns - 1);
  return Float64Array.from({ length: rows }, (_, row) => {
    for (let k = 0, to = 0; k < columns; k++) if (k !== chosen) others[to++] = data[row * columns + k];
    return data[row * columns + chosen] - logSumExp(others);
  });
}

/**
 * The original's replacement of infinite log-odds, where p is 1 in float32: the largest float32 for
 * fine-tuned and ab initio models, 999 for probes (their ln(1 − p) becomes −999).
 */
export type InfiniteLogOdds = "largest-float32" | "minus-999";

/**
 * Log-odds as the original computes them for Task 3: from the float32 log-probability, in float32.
 *
 * ln(1 − p) is ln(−expm1(ln p)) for p > 1/2, else log1p(−exp(ln p)).
 *
 * @param logProbability  ln p of one class, at most 0
 * @throws {InputError} when it is above 0 or NaN
 * @see Mächler 2012, "Accurately computing log(1 − exp(−|a|))", R package Rmpfr
 */
export function paperLogOdds(logProbability: number, infinite: InfiniteLogOdds): number {
  const logP = fround(logProbability);
  const complement = paperLogComplement(logP);
  if (complement > Number.NEGATIVE_INFINITY) return fround(logP - complement);
  return infinite === "minus-999" ? fround(logP + 999) : MAX_FLOAT32;
}

/**
 * ln(1 − p) from ln p, in float32; −Infinity for p = 1.
 *
 * @throws {InputError} when the log-probability is above 0 or NaN
 */
export function paperLogComplement(logProbability: number): number {
  const logP = fround(logProbability);
  if (!(logP <= 0)) throw new InputError(`${logProbability} is not the logarithm of a probability`);
  if (logP > -Math.LN2) return fround(Math.log(fround(-fround(Math.expm1(logP)))));
  return fround(Math.log1p(-fround(Math.exp(logP))));
}
