import { InputError } from "../base/errors.ts";

/**
 * Rejects two lists of different length that should have one entry per row.
 *
 * @param names  plural names of the entries, for the message: ["scores", "labels"]
 * @throws {InputError} when the lengths differ
 */
export function requireSameLength(
  a: ArrayLike<unknown>,
  b: ArrayLike<unknown>,
  names: readonly [string, string],
): void {
  if (a.length !== b.length) {
    throw new InputError(`${a.length} ${names[0]} but ${b.length} ${names[1]}: expected one of each per row`);
  }
}

/**
 * Rejects NaN and infinities, which have no rank and would silently decide a sum.
 *
 * @param what  name of one value, for the message: "score"
 * @throws {InputError} at the first value that is not finite, with its 0-based number
 */
export function requireFinite(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new InputError(`${what} ${i} (counted from 0) is ${values[i]}; expected a finite number`, {
        hint: "leave out rows without a score, and report how many they are",
      });
    }
  }
}

/**
 * Rejects numbers outside [0, 1], including NaN.
 *
 * @param what  name of one value, for the message: "outcome"
 * @throws {InputError} at the first of them, with its 0-based row
 */
export function requireProportions(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] >= 0 && values[i] <= 1)) {
      throw new InputError(`the ${what} of row ${i} is ${values[i]}; expected a number from 0 to 1`);
    }
  }
}

/**
 * Rejects labels other than 0 and 1.
 *
 * @throws {InputError} at the first of them, with its 0-based row
 */
export function requireBinary(labels: ArrayLike<number>): void {
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== 0 && labels[i] !== 1) {
      throw new InputError(`the label of row ${i} is ${labels[i]}; expected 1 (positive) or 0 (negative)`);
    }
  }
}

/**
 * Rejects labels that are not class numbers.
 *
 * @param classes  number of classes; labels run from 0 to classes − 1
 * @throws {InputError} at the first of them, with its 0-based row
 */
export function requireClasses(labels: ArrayLike<number>, classes = Number.POSITIVE_INFINITY): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      const last = classes === Number.POSITIVE_INFINITY ? "" : ` to ${classes - 1}`;
      throw new InputError(`the class of row ${i} is ${label}; expected a whole number from 0${last}`);
    }
  }
}

/**
 * Rejects a confidence level outside (0, 1), such as 95 for 95 %.
 *
 * @throws {InputError} when it is
 */
export function requireLevel(level: number): void {
  if (!(level > 0 && level < 1)) {
    throw new InputError(
      `the confidence level is ${level}; expected a number between 0 and 1, such as 0.95 for 95 %`,
    );
  }
}
