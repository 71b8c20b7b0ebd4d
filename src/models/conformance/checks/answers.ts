import { type Check, fault, holds } from "../check.ts";
import { randomSequences } from "../probes.ts";

const sequences = randomSequences(3, 60, 1);

/** Ordinary sequences get an answer each. */
export const answers: Check = {
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
