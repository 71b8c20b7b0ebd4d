import { InvalidArgumentError } from "commander";

/**
 * Reads an option's value: a whole number of at least `least`, written in digits. What it throws, commander prints with
 * the option's name and the text that came.
 */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number, ${least} or more.`);
    }
    return value;
  };
}
