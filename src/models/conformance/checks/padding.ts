import { baseTokens } from "../asker.ts";
import { type Check, fault, holds } from "../check.ts";
import { randomLetters } from "../probes.ts";

const short = [13, 20].map((length, i) => randomLetters(length, 60 + i));
const long = randomLetters(100, 62);

/** A short sequence does not see that a long one is beside it. */
export const padding: Check = {
  name: "padding",
  asks: "A short sequence gets the same answer beside a long one as alone.",
  fault: "padding is scored",
  restsOn: ["batch-order"],
  async ofLikelihoods(asker) {
    const together = await asker.scores([...short, long]);
    for (const [i, sequence] of short.entries()) {
      const [alone] = await asker.scores([sequence]);
      if (asker.same(alone!, together[i]!)) continue;
      const { length } = sequence;
      return fault(
        `a sequence of ${length} letters gets ${alone!.toPrecision(7)} alone and ${together[i]!.toPrecision(7)} beside one of ${long.length}`,
      );
    }
    return holds(`${short.map(({ length }) => length).join(" and ")} letters beside ${long.length}`);
  },
  async ofEmbeddings(asker) {
    const together = await asker.embeddings([...short, long]);
    for (const [i, sequence] of short.entries()) {
      const alone = baseTokens((await asker.embeddings([sequence]))[0]!);
      const beside = baseTokens(together[i]!);
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
