import { BASES } from "../../dna/sequence/letters.ts";
import type { Asker } from "./asker.ts";
import { randomSequences } from "./probes.ts";

/**
 * What the four letters at an end of a sequence add up to: Σ exp(f(s x) − f(s)) over x in A, C, G, T.
 *
 * Where f is a sum of log P(letter | letters before), appended letters add up to P(A, C, G or T | s): at most 1, and 1 for a
 * model that knows of no other token. Letters put in front add up to anything.
 */
export interface EndSums {
  /** One per context. */
  readonly appended: readonly number[];
  readonly prepended: readonly number[];
}

/** Contexts of letters; twelve are enough for a fault to show and few enough to be cheap. */
const contexts = randomSequences(16, 12, 7);

const found = new WeakMap<Asker, Promise<EndSums>>();

/** Asked once per model, since two checks look at it. */
export function endSums(asker: Asker): Promise<EndSums> {
  const known = found.get(asker) ?? ask(asker);
  found.set(asker, known);
  return known;
}

async function ask(asker: Asker): Promise<EndSums> {
  const whole = contexts.flatMap((s) => [
    s,
    ...[...BASES].map((x) => s + x),
    ...[...BASES].map((x) => x + s),
  ]);
  const scores = await asker.scoresUnpadded(whole);
  const sum = (context: number, first: number) => {
    const at = 9 * context;
    return [0, 1, 2, 3].reduce((total, x) => total + Math.exp(scores[at + first + x]! - scores[at]!), 0);
  };
  return {
    appended: contexts.map((_, i) => sum(i, 1)),
    prepended: contexts.map((_, i) => sum(i, 5)),
  };
}

/** By how much sums of probabilities may miss 1 for want of precision. */
export function slack({ tolerance }: Pick<Asker, "tolerance">): number {
  return 0.01 + 50 * tolerance;
}
