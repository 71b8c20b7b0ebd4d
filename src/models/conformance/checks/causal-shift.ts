import { BASES } from "../../../dna/sequence/letters.ts";
import type { Asker } from "../asker.ts";
import { type Check, fault, holds, undecided } from "../check.ts";
import { endSums, slack } from "../continuations.ts";
import { randomSequences, withLetter } from "../probes.ts";

/** Likelihoods are those of the next letter, given all letters before it. */
export const causalShift: Check = {
  name: "causal-shift",
  asks: "What the four possible next letters add up to is a probability, and depends on the letter before.",
  fault: "causal logits are shifted",
  restsOn: ["special-tokens", "k-mer-offset"],
  async ofLikelihoods(asker) {
    const { kind, tokens } = asker.model;
    if (kind !== "causal" || tokens !== "one-letter") {
      return undecided("it shows in causal models of single letters alone; is the model one, and says so?");
    }
    const { appended, prepended } = await endSums(asker);
    const most = Math.max(...appended);
    const limit = 1 + slack(asker);
    if (most > limit && Math.max(...prepended) > limit) {
      return fault(
        `after one of ${appended.length} contexts the four next letters have ${most.toPrecision(4)} of probability: each letter is seen by what predicts it`,
      );
    }
    const { last, before } = await dependence(asker);
    if (last < slack(asker) && before > 10 * slack(asker)) {
      return fault(
        "the probability of a letter depends on letters before, and not on the one right before it",
      );
    }
    return holds(
      `the four next letters have between ${Math.min(...appended).toPrecision(4)} and ${most.toPrecision(4)} of probability`,
    );
  },
};

/** Contexts u b a, of which first `a`, the last letter, is changed, and then `b`, the one before it. */
const contexts = randomSequences(4, 11, 10);
const NEXT = ["A", "C"];

/** How much log P(next letter | context) changes, at most, with the context's last letter and with the one before, nats. */
async function dependence(asker: Asker): Promise<{ last: number; before: number }> {
  const variants = contexts.flatMap((context) =>
    [-1, -2].map((place) => [...BASES].map((letter) => withLetter(context, place, letter))),
  );
  const asked = variants.flat().flatMap((context) => [context, ...NEXT.map((letter) => context + letter)]);
  const scores = await asker.scoresUnpadded(asked);
  const spread = variants.map((group, g) => {
    const ranges = NEXT.map((_, k) => {
      const logs = group.map((_, v) => {
        const at = (g * BASES.length + v) * (1 + NEXT.length);
        return scores[at + 1 + k]! - scores[at]!;
      });
      return Math.max(...logs) - Math.min(...logs);
    });
    return Math.max(...ranges);
  });
  return {
    last: Math.max(...spread.filter((_, g) => g % 2 === 0)),
    before: Math.max(...spread.filter((_, g) => g % 2 === 1)),
  };
}
