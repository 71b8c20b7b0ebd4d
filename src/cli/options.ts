import { InvalidArgumentError } from "commander";
import type { Shard } from "../evaluation/runs/request.ts";

// Readers of option values. What they throw, commander prints with the option's name and the text that came.

/** A whole number of at least `least`, written in digits. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number, ${least} or more.`);
    }
    return value;
  };
}

/** `3/16`: the third of sixteen parts. */
export function shard(text: string): Shard {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || index < 1 || index > count) {
    throw new InvalidArgumentError("Expected i/n with 1 <= i <= n, such as 3/16.");
  }
  return { index, count };
}
