import { BASES } from "../../../dna/sequence/letters.ts";
import { type Asker, baseTokens } from "../asker.ts";
import { type Check, fault, holds, undecided, type Verdict } from "../check.ts";
import { randomLetters } from "../probes.ts";

/** Letters' scores may add up to less than 1, but not to this little beside those of later letters. */
const TOO_LITTLE = 0.2;

/** Only letters count: what a tokenizer puts in front or behind is neither scored nor said to stand for letters. */
export const specialTokens: Check = {
  name: "special-tokens",
  asks: "Special tokens such as [CLS] and [SEP] are not scored, and stand for no letters.",
  fault: "special tokens are counted",
  restsOn: ["batch-order"],
  async ofLikelihoods(asker) {
    const seen: string[] = [];
    const empty = await asker.unlessRefused(asker.scores([""]));
    if (empty !== undefined) {
      if (!asker.same(empty[0]!, 0)) {
        return fault(
          `a sequence without letters has the log-likelihood ${empty[0]!.toPrecision(6)}; there is nothing to score, so 0 was expected`,
        );
      }
      seen.push("a sequence without letters scores 0");
    }
    const { kind, tokens } = asker.model;
    if (kind === "causal" && tokens === "one-letter") {
      const verdict = await firstLetters(asker);
      if (verdict.verdict !== "holds") return verdict;
      seen.push(verdict.detail);
    }
    return seen.length > 0
      ? holds(seen.join("; "))
      : undecided("a sequence without letters is refused, and of such a model nothing else would show it");
  },
  async ofEmbeddings(asker) {
    const sequence = randomLetters(60, 8);
    const [embedding] = await asker.embeddings([sequence]);
    const tokens = baseTokens(embedding!);
    const covered = tokens.reduce((sum, { start, end }) => sum + end - start, 0);
    if (covered > sequence.length || tokens.some(({ start, end }) => start < 0 || end > sequence.length)) {
      return fault(
        `the tokens stand for ${covered} letters, up to ${Math.max(...tokens.map(({ end }) => end))}, of a sequence of ${sequence.length}`,
      );
    }
    const empty = await asker.unlessRefused(asker.embeddings([""]));
    if (empty !== undefined && baseTokens(empty[0]!).length > 0) {
      return fault("of a sequence without letters a token stands for letters");
    }
    const beside = embedding!.tokens - tokens.length;
    return holds(`${beside} of ${embedding!.tokens} tokens stand for no letters`);
  },
};

/**
 * The scores of the four sequences of one letter: they are all 0 where the first letter has no prediction; else
 * they are the probabilities of a first letter, which add up to about as much as those of a second.
 */
async function firstLetters(asker: Asker): Promise<Verdict> {
  const pairs = [...BASES].flatMap((x) => [...BASES].map((y) => x + y));
  const answers = await asker.unlessRefused(asker.scoresUnpadded([...BASES, ...pairs]));
  if (answers === undefined) return holds("sequences of a letter are refused");
  const scores = [...answers];
  const first = scores.slice(0, 4);
  if (first.every((score) => asker.same(score, 0))) return holds("the first letter has no prediction");
  const total = (logs: readonly number[]) => logs.reduce((sum, log) => sum + Math.exp(log), 0);
  const second = Math.min(
    ...first.map((score, x) => total(scores.slice(4 + 4 * x, 8 + 4 * x).map((pair) => pair - score))),
  );
  const firstTotal = total(first);
  const detail = `the four sequences of one letter add up to ${firstTotal.toPrecision(3)}, a second letter to ${second.toPrecision(3)} or more`;
  return firstTotal < TOO_LITTLE * second
    ? fault(`${detail}: something besides letters is scored`)
    : holds(detail);
}
