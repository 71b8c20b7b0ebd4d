import { type BaseToken, baseTokens } from "../asker.ts";
import { type Check, fault, holds } from "../check.ts";
import { randomLetters } from "../probes.ts";

const sequence = randomLetters(40, 12);
const withN = [[19], [7, 23], [30, 31, 32]].map((places) =>
  [...sequence].map((letter, at) => (places.includes(at) ? "N" : letter)).join(""),
);

const REFUSED = "N is refused; runs never show it, they put A in its place";

/** N takes a place: it may be refused, or read as anything, but not dropped. */
export const unknownLetters: Check = {
  name: "unknown-letters",
  asks: "A sequence with N is refused, or every N takes the place of a letter.",
  fault: "N is not handled",
  restsOn: ["k-mer-offset"],
  async ofLikelihoods(asker) {
    const scores = await asker.unlessRefused(asker.scoresUnpadded(withN));
    if (scores === undefined) return holds(REFUSED);
    const place = [...scores].findIndex((score) => !Number.isFinite(score));
    if (place >= 0) return fault(`${withN[place]} has the score ${scores[place]}`);
    const without = await asker.scoresUnpadded(withN.map((letters) => letters.replaceAll("N", "")));
    return scores.every((score, i) => asker.same(score, without[i]!))
      ? fault("a sequence has the same score with its Ns and without them: they are dropped")
      : holds("a sequence with N has a score of its own");
  },
  async ofEmbeddings(asker) {
    const embeddings = await asker.unlessRefused(asker.embeddingsUnpadded(withN));
    if (embeddings === undefined) return holds(REFUSED);
    for (const [i, embedding] of embeddings.entries()) {
      const tokens = baseTokens(embedding);
      if (!tokens.every(({ state }) => state.every(Number.isFinite))) {
        return fault(`${withN[i]} has states that are no finite numbers`);
      }
      const end = Math.max(...tokens.map((token: BaseToken) => token.end));
      if (end !== sequence.length) {
        return fault(
          `of ${withN[i]}, ${sequence.length} letters, the tokens stand for ${end}: Ns are dropped`,
        );
      }
    }
    return holds("Ns take the places of letters");
  },
};
