import { type Check, fault, holds, type Verdict } from "../check.ts";
import { baseTokens, randomBases, randomSequences } from "../model-probe.ts";

const equallyLong = randomSequences(5, 60, 5);
/** Four lengths: a model with a program per length keeps as many open. */
const ofAllLengths = [41, 23, 67, 23, 38, 41].map((length, i) => randomBases(length, 50 + i));

/**
 * Outputs belong to sequences, not to positions in a batch, and do not depend on other sequences of the same
 * length.
 */
export const batchOrderCheck: Check = {
  name: "batch-order",
  requirement:
    "The result of a sequence does not depend on its position in the batch, nor on other sequences of the same length.",
  fault: "outputs depend on the order of the batch",
  prerequisites: ["repeatable"],
  ofLikelihoods: (probe) =>
    judged(
      (sequences) => probe.scores(sequences).then((scores) => [...scores]),
      (a, b) => probe.same(a, b),
    ),
  ofEmbeddings: (probe) =>
    judged(
      (sequences) => probe.embeddings(sequences).then((all) => all.map(baseTokens)),
      (a, b) => probe.sameTokens(a, b),
    ),
};

async function judged<T>(
  run: (sequences: readonly string[]) => Promise<readonly T[]>,
  same: (a: T, b: T) => boolean,
): Promise<Verdict> {
  const together = await run(equallyLong);
  for (const [i, sequence] of equallyLong.entries()) {
    const [alone] = await run([sequence]);
    if (!same(alone, together[i])) {
      return fault("a sequence gets another result in a batch of equally long sequences than alone");
    }
  }
  for (const sequences of [equallyLong, ofAllLengths]) {
    const inOrder = await run(sequences);
    for (const order of [sequences.map((_, i) => sequences.length - 1 - i), rotated(sequences.length)]) {
      const reordered = await run(order.map((i) => sequences[i]));
      if (!order.every((i, at) => same(inOrder[i], reordered[at]))) {
        const lengths =
          sequences === ofAllLengths ? "sequences of different lengths" : "equally long sequences";
        return fault(`${lengths} get other results in another order: are they sorted and not restored?`);
      }
    }
  }
  return holds("batches reversed and rotated, and their sequences alone");
}

const rotated = (count: number) => Array.from({ length: count }, (_, i) => (i + 2) % count);

const short = [13, 20].map((length, i) => randomBases(length, 60 + i));
const long = randomBases(100, 62);

/** Padding does not change the result of a short sequence. */
export const paddingCheck: Check = {
  name: "padding",
  requirement: "A short sequence gets the same result alone and in a batch with a long one.",
  fault: "padding is scored",
  prerequisites: ["batch-order"],
  async ofLikelihoods(probe) {
    const together = await probe.scores([...short, long]);
    for (const [i, sequence] of short.entries()) {
      const [alone] = await probe.scores([sequence]);
      if (probe.same(alone, together[i])) continue;
      const { length } = sequence;
      return fault(
        `a sequence of ${length} bases gets ${alone.toPrecision(7)} alone and ${together[i].toPrecision(7)} in a batch with one of ${long.length}`,
      );
    }
    return holds(`${short.map(({ length }) => length).join(" and ")} bases with ${long.length}`);
  },
  async ofEmbeddings(probe) {
    const together = await probe.embeddings([...short, long]);
    for (const [i, sequence] of short.entries()) {
      const alone = baseTokens((await probe.embeddings([sequence]))[0]);
      const padded = baseTokens(together[i]);
      if (padded.length !== alone.length) {
        return fault(
          `${alone.length} tokens cover the ${sequence.length} bases of a sequence alone, and ${padded.length} in a batch with a longer one`,
        );
      }
      if (probe.sameTokens(alone, padded)) continue;
      return fault("the states of a sequence change in a batch with a longer one: is padding masked?");
    }
    return holds(`${short.map(({ length }) => length).join(" and ")} bases with ${long.length}`);
  },
};
