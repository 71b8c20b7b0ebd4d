import { type Check, fault, holds, type Verdict } from "../check.ts";
import { baseTokens, randomLetters, randomSequences } from "../model-probe.ts";

const equallyLong = randomSequences(5, 60, 5);
const ofAllLengths = [41, 23, 67, 23, 38, 55].map((length, i) => randomLetters(length, 50 + i));

/** Answers belong to sequences, not to places in a batch; and sequences of one length know nothing of each other. */
export const batchOrderCheck: Check = {
  name: "batch-order",
  asks: "An answer belongs to its sequence, whatever its place in the batch and whatever equally long sequences are beside it.",
  fault: "answers depend on the order of the batch",
  restsOn: ["repeatable"],
  ofLikelihoods: (asker) =>
    judged(
      (sequences) => asker.scores(sequences).then((scores) => [...scores]),
      (a, b) => asker.same(a, b),
    ),
  ofEmbeddings: (asker) =>
    judged(
      (sequences) => asker.embeddings(sequences).then((all) => all.map(baseTokens)),
      (a, b) => asker.sameTokens(a, b),
    ),
};

async function judged<T>(
  ask: (sequences: readonly string[]) => Promise<readonly T[]>,
  same: (a: T, b: T) => boolean,
): Promise<Verdict> {
  const together = await ask(equallyLong);
  for (const [i, sequence] of equallyLong.entries()) {
    const [alone] = await ask([sequence]);
    if (!same(alone!, together[i])) {
      return fault("a sequence gets another answer beside sequences of its own length than alone");
    }
  }
  for (const sequences of [equallyLong, ofAllLengths]) {
    const inOrder = await ask(sequences);
    for (const order of [sequences.map((_, i) => sequences.length - 1 - i), rotated(sequences.length)]) {
      const reordered = await ask(order.map((i) => sequences[i]));
      if (!order.every((i, place) => same(inOrder[i], reordered[place]))) {
        const lengths =
          sequences === ofAllLengths ? "sequences of different lengths" : "equally long sequences";
        return fault(`${lengths} in another order get other answers: are they sorted and not put back?`);
      }
    }
  }
  return holds("batches turned round and rotated, and their sequences alone");
}

const rotated = (count: number) => Array.from({ length: count }, (_, i) => (i + 2) % count);

const short = [13, 20].map((length, i) => randomLetters(length, 60 + i));
const long = randomLetters(100, 62);

/** A short sequence does not see that a long one is beside it. */
export const paddingCheck: Check = {
  name: "padding",
  asks: "A short sequence gets the same answer beside a long one as alone.",
  fault: "padding is scored",
  restsOn: ["batch-order"],
  async ofLikelihoods(asker) {
    const together = await asker.scores([...short, long]);
    for (const [i, sequence] of short.entries()) {
      const [alone] = await asker.scores([sequence]);
      if (asker.same(alone!, together[i])) continue;
      const { length } = sequence;
      return fault(
        `a sequence of ${length} letters gets ${alone!.toPrecision(7)} alone and ${together[i].toPrecision(7)} beside one of ${long.length}`,
      );
    }
    return holds(`${short.map(({ length }) => length).join(" and ")} letters beside ${long.length}`);
  },
  async ofEmbeddings(asker) {
    const together = await asker.embeddings([...short, long]);
    for (const [i, sequence] of short.entries()) {
      const alone = baseTokens((await asker.embeddings([sequence]))[0]);
      const beside = baseTokens(together[i]);
      if (beside.length !== alone.length) {
        return fault(
          `of ${sequence.length} letters ${alone.length} tokens stand for letters, and ${beside.length} beside a longer sequence`,
        );
      }
      if (asker.sameTokens(alone, beside)) continue;
      return fault(
        "the states of a sequence are others beside a longer one: is padding hidden from the model?",
      );
    }
    return holds(`${short.map(({ length }) => length).join(" and ")} letters beside ${long.length}`);
  },
};
