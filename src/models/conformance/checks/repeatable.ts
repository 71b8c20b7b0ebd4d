import { baseTokens } from "../asker.ts";
import { type Check, fault, holds } from "../check.ts";
import { randomSequences } from "../probes.ts";

const sequences = randomSequences(4, 60, 4);
const TIMES = 3;

/** The same question has the same answer. */
export const repeatable: Check = {
  name: "repeatable",
  asks: "The same batch gets the same answers when it is asked again.",
  fault: "answers are not deterministic",
  restsOn: ["finite"],
  async ofLikelihoods(asker) {
    const first = await asker.scores(sequences);
    for (let time = 1; time < TIMES; time++) {
      const again = await asker.scores(sequences);
      const other = first.findIndex((score, i) => !asker.same(score, again[i]!));
      if (other >= 0) {
        return fault(
          `the same sequence in the same batch got ${first[other]!.toPrecision(7)} and then ${again[other]!.toPrecision(7)}: is dropout still on?`,
        );
      }
    }
    return holds(`a batch asked ${TIMES} times`);
  },
  async ofEmbeddings(asker) {
    const first = await asker.embeddings(sequences);
    for (let time = 1; time < TIMES; time++) {
      const again = await asker.embeddings(sequences);
      if (!first.every((states, i) => asker.sameTokens(baseTokens(states), baseTokens(again[i]!)))) {
        return fault("the same sequence in the same batch got other states: is dropout still on?");
      }
    }
    return holds(`a batch asked ${TIMES} times`);
  },
};
