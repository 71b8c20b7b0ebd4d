import { reasonOf } from "../../../base/errors.ts";
import type { SequenceEmbedding } from "../../model.ts";
import { type Check, fault, holds } from "../check.ts";
import { baseTokens, randomBases, randomSequences, shownSequence } from "../model-probe.ts";

const sequences = randomSequences(3, 60, 1);

/** Every sequence gets an output. */
export const answersCheck: Check = {
  name: "answers",
  requirement: "Every sequence gets one result.",
  fault: "no output",
  prerequisites: [],
  async ofLikelihoods(probe) {
    try {
      await probe.scores(sequences);
    } catch (error) {
      return failed(error);
    }
    return holds("one number per sequence");
  },
  async ofEmbeddings(probe) {
    try {
      await probe.embeddings(sequences);
    } catch (error) {
      return failed(error);
    }
    return holds("one list of states per sequence");
  },
};

const failed = (error: unknown) => fault(`three sequences of 60 bases: ${reasonOf(error)}`);

/** Random sequences, and repeats, on which means, variances and logarithms are known to fail. */
const finiteSequences = [
  randomBases(100, 2),
  "A".repeat(100),
  "G".repeat(100),
  "CG".repeat(50),
  "AT".repeat(30),
  "ACG".repeat(7),
  randomBases(13, 3),
];

/** Outputs are finite, also on repeats and in batches of different lengths. */
export const finiteCheck: Check = {
  name: "finite",
  requirement: "Every number is finite, also on repeats and in batches of different lengths.",
  fault: "NaN or infinite numbers",
  prerequisites: ["answers"],
  async ofLikelihoods(probe) {
    const alone = await probe.scoresUnpadded(finiteSequences);
    const together = await probe.scores(finiteSequences);
    return judged([...alone].map(Number.isFinite), [...together].map(Number.isFinite));
  },
  async ofEmbeddings(probe) {
    const sound = ({ states }: SequenceEmbedding) => states.every(Number.isFinite);
    const alone = await probe.embeddingsUnpadded(finiteSequences);
    const together = await probe.embeddings(finiteSequences);
    return judged(alone.map(sound), together.map(sound));
  },
};

function judged(alone: readonly boolean[], together: readonly boolean[]) {
  const failing = alone.indexOf(false);
  if (failing >= 0) return fault(`${shownSequence(finiteSequences[failing])} does not get a finite number`);
  const padded = together.indexOf(false);
  if (padded < 0) return holds(`on ${finiteSequences.length} sequences, alone and together`);
  return fault(
    `${shownSequence(finiteSequences[padded])} gets a finite number alone, but not in a batch with longer sequences`,
  );
}

const repeatedSequences = randomSequences(4, 60, 4);
const TIMES = 3;

/** Outputs are deterministic. */
export const repeatableCheck: Check = {
  name: "repeatable",
  requirement: "A repeated batch gets the same results.",
  fault: "outputs are not deterministic",
  prerequisites: ["finite"],
  async ofLikelihoods(probe) {
    const first = await probe.scores(repeatedSequences);
    for (let time = 1; time < TIMES; time++) {
      const again = await probe.scores(repeatedSequences);
      const other = first.findIndex((score, i) => !probe.same(score, again[i]));
      if (other >= 0) {
        return fault(
          `the same sequence in the same batch got ${first[other].toPrecision(7)} and then ${again[other].toPrecision(7)}: is dropout still on?`,
        );
      }
    }
    return holds(`a batch run ${TIMES} times`);
  },
  async ofEmbeddings(probe) {
    const first = await probe.embeddings(repeatedSequences);
    for (let time = 1; time < TIMES; time++) {
      const again = await probe.embeddings(repeatedSequences);
      if (!first.every((states, i) => probe.sameTokens(baseTokens(states), baseTokens(again[i])))) {
        return fault("the same sequence in the same batch got other states: is dropout still on?");
      }
    }
    return holds(`a batch run ${TIMES} times`);
  },
};
