import { InputError } from "../base/errors.ts";

/**
 * Refuses two lists that should go row by row and do not.
 *
 * @param names  what the lists hold, in words: ["scores", "labels"]
 * @throws {InputError} when the lengths differ
 */
export function requireSameLength(
  a: ArrayLike<unknown>,
  b: ArrayLike<unknown>,
  names: readonly [string, string],
): void {
  if (a.length !== b.length) {
    throw new InputError(
      `${a.length} ${names[0]} but ${b.length} ${names[1]}: one of each is needed per row`,
    );
  }
}

/**
 * Refuses NaN and infinities: they have no rank, and one of them would silently decide a sum.
 *
 * @param what  one value in words: "score"
 * @throws {InputError} at the first value that is not finite, with its 0-based number
 */
export function requireFinite(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new InputError(`${what} ${i} (counted from 0) is ${values[i]}; a finite number is needed`, {
        hint: "Leave out rows without an answer before measuring, and count them.",
      });
    }
  }
}

/**
 * Refuses numbers outside [0, 1], NaN among them.
 *
 * @param what  one value in words: "outcome"
 * @throws {InputError} at the first of them, with its 0-based row
 */
export function requireShares(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] >= 0 && values[i] <= 1)) {
      throw new InputError(`the ${what} of row ${i} is ${values[i]}; a number from 0 to 1 is needed`);
    }
  }
}

/**
 * Refuses labels other than 0 and 1.
 *
 * @throws {InputError} at the first of them, with its 0-based row
 */
export function requireBinary(labels: ArrayLike<number>): void {
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== 0 && labels[i] !== 1) {
      throw new InputError(`the label of row ${i} is ${labels[i]}; 1 (positive) or 0 (negative) is needed`);
    }
  }
}

/**
 * Refuses labels that are no class numbers.
 *
 * @param classes  how many classes there are; labels run from 0 to classes - 1
 * @throws {InputError} at the first of them, with its 0-based row
 */
export function requireClasses(labels: ArrayLike<number>, classes = Number.POSITIVE_INFINITY): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      const last = classes === Number.POSITIVE_INFINITY ? "" : ` to ${classes - 1}`;
      throw new InputError(`the class of row ${i} is ${label}; a whole number from 0${last} is needed`);
    }
  }
}

/**
 * Refuses a confidence level outside (0, 1), such as 95 for 95 %.
 *
 * @throws {InputError} when it is
 */
export function requireLevel(level: number): void {
  if (!(level > 0 && level < 1)) {
    throw new InputError(
      `the confidence level is ${level}; a number between 0 and 1 is needed, 0.95 for 95 %`,
    );
  }
}
