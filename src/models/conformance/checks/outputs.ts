import type { SequenceEmbedding } from "../../model.ts";
import { type Check, fault, holds } from "../check.ts";
import { baseTokens, randomLetters, randomSequences, shownSequence } from "../model-probe.ts";

const sequences = randomSequences(3, 60, 1);

/** Ordinary sequences get an answer each. */
export const answersCheck: Check = {
  name: "answers",
  asks: "Every sequence gets one answer.",
  fault: "it does not answer",
  restsOn: [],
  async ofLikelihoods(asker) {
    try {
      await asker.scores(sequences);
    } catch (error) {
      return unanswered(error);
    }
    return holds("one number per sequence");
  },
  async ofEmbeddings(asker) {
    try {
      await asker.embeddings(sequences);
    } catch (error) {
      return unanswered(error);
    }
    return holds("one list of states per sequence");
  },
};

const unanswered = (error: unknown) =>
  fault(`three sequences of 60 letters: ${error instanceof Error ? error.message : String(error)}`);

/** Ordinary ones, and those on which means, variances and logarithms are known to break. */
const finiteSequences = [
  randomLetters(100, 2),
  "A".repeat(100),
  "G".repeat(100),
  "CG".repeat(50),
  "AT".repeat(30),
  "ACG".repeat(7),
  randomLetters(13, 3),
];

/** Numbers are finite, on repeats too, and in batches whose rows are of different lengths. */
export const finiteCheck: Check = {
  name: "finite",
  asks: "Every number is finite, on repeats too, and in batches of different lengths.",
  fault: "NaN or infinite numbers",
  restsOn: ["answers"],
  async ofLikelihoods(asker) {
    const alone = await asker.scoresUnpadded(finiteSequences);
    const together = await asker.scores(finiteSequences);
    return judged([...alone].map(Number.isFinite), [...together].map(Number.isFinite));
  },
  async ofEmbeddings(asker) {
    const sound = ({ states }: SequenceEmbedding) => states.every(Number.isFinite);
    const alone = await asker.embeddingsUnpadded(finiteSequences);
    const together = await asker.embeddings(finiteSequences);
    return judged(alone.map(sound), together.map(sound));
  },
};

function judged(alone: readonly boolean[], together: readonly boolean[]) {
  const place = alone.indexOf(false);
  if (place >= 0) return fault(`${shownSequence(finiteSequences[place])} does not get a finite number`);
  const beside = together.indexOf(false);
  if (beside < 0) return holds(`on ${finiteSequences.length} sequences, alone and together`);
  return fault(
    `${shownSequence(finiteSequences[beside])} gets a finite number alone, and none in a batch with longer sequences`,
  );
}

const repeatedSequences = randomSequences(4, 60, 4);
const TIMES = 3;

/** The same question has the same answer. */
export const repeatableCheck: Check = {
  name: "repeatable",
  asks: "The same batch gets the same answers when it is asked again.",
  fault: "answers are not deterministic",
  restsOn: ["finite"],
  async ofLikelihoods(asker) {
    const first = await asker.scores(repeatedSequences);
    for (let time = 1; time < TIMES; time++) {
      const again = await asker.scores(repeatedSequences);
      const other = first.findIndex((score, i) => !asker.same(score, again[i]));
      if (other >= 0) {
        return fault(
          `the same sequence in the same batch got ${first[other].toPrecision(7)} and then ${again[other].toPrecision(7)}: is dropout still on?`,
        );
      }
    }
    return holds(`a batch asked ${TIMES} times`);
  },
  async ofEmbeddings(asker) {
    const first = await asker.embeddings(repeatedSequences);
    for (let time = 1; time < TIMES; time++) {
      const again = await asker.embeddings(repeatedSequences);
      if (!first.every((states, i) => asker.sameTokens(baseTokens(states), baseTokens(again[i])))) {
        return fault("the same sequence in the same batch got other states: is dropout still on?");
      }
    }
    return holds(`a batch asked ${TIMES} times`);
  },
};
