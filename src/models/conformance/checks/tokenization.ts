import { BASES } from "../../../dna/sequence/encoding.ts";
import { type Check, fault, holds, undecided, type Verdict } from "../check.ts";
import { ignoredLetters } from "../dependence.ts";
import { type BaseToken, baseTokens, type ModelProbe, otherLetters, randomLetters } from "../model-probe.ts";

/** Letters' scores may add up to less than 1, but not to this little beside those of later letters. */
const TOO_LITTLE = 0.2;

/** Only letters count: what a tokenizer puts in front or behind is neither scored nor said to stand for letters. */
export const specialTokensCheck: Check = {
  name: "special-tokens",
  asks: "Special tokens such as [CLS] and [SEP] are not scored, and stand for no letters.",
  fault: "special tokens are counted",
  restsOn: ["batch-order"],
  async ofLikelihoods(asker) {
    const seen: string[] = [];
    const empty = await asker.unlessRefused(asker.scores([""]));
    if (empty !== undefined) {
      if (!asker.same(empty[0], 0)) {
        return fault(
          `a sequence without letters has the log-likelihood ${empty[0].toPrecision(6)}; there is nothing to score, so 0 was expected`,
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
    if (empty !== undefined && baseTokens(empty[0]).length > 0) {
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
async function firstLetters(asker: ModelProbe): Promise<Verdict> {
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

const sequence = randomLetters(40, 12);
const withN = [[19], [7, 23], [30, 31, 32]].map((places) =>
  [...sequence].map((letter, at) => (places.includes(at) ? "N" : letter)).join(""),
);

const REFUSED = "N is refused; runs never show it, they put A in its place";

/** N takes a place: it may be refused, or read as anything, but not dropped. */
export const unknownLettersCheck: Check = {
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
    return scores.every((score, i) => asker.same(score, without[i]))
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

/** Windows of the benchmark, letters. Of a masked model a likelihood takes a run per token, so long ones are left out. */
const WINDOWS = { quick: [350, 500, 2114], slow: [350] };

/** Long sequences are read to their end, or refused. */
export const truncationCheck: Check = {
  name: "truncation",
  asks: "A sequence as long as the benchmark's windows is read from its first letter to its last, or refused.",
  fault: "long sequences are cut",
  restsOn: ["k-mer-offset"],
  ofLikelihoods: (asker) =>
    overLengths(asker, asker.model.kind === "causal" ? WINDOWS.quick : WINDOWS.slow, async (sequence) => {
      const [score] = await asker.scores([sequence]);
      if (!Number.isFinite(score)) return `${sequence.length} letters have the score ${score}`;
      const [unread] = await ignoredLetters(asker, sequence, score!, [0, -1]);
      if (unread !== undefined) {
        return `the score of ${sequence.length} letters does not change with the ${named(unread)}`;
      }
      return undefined;
    }),
  ofEmbeddings: (asker) =>
    overLengths(asker, WINDOWS.quick, async (sequence) => {
      const [embedding] = await asker.embeddings([sequence]);
      const tokens = baseTokens(embedding!);
      const end = Math.max(0, ...tokens.map((token) => token.end));
      const [start] = tokens.map((token) => token.start);
      if (start !== 0 || end !== sequence.length) {
        return `of ${sequence.length} letters the tokens stand for ${(start ?? 0) + 1} to ${end}`;
      }
      for (const place of [0, -1]) {
        const [other] = await asker.embeddings([otherLetters(sequence, place)[0]]);
        if (asker.sameTokens(tokens, baseTokens(other!))) {
          return `the states of ${sequence.length} letters do not change with the ${named(place)}`;
        }
      }
      return undefined;
    }),
};

const named = (place: number) => (place === 0 ? "first letter" : "last letter");

/** @param lookAt  what is wrong at a length, or nothing */
async function overLengths(
  asker: ModelProbe,
  windows: readonly number[],
  lookAt: (sequence: string) => Promise<string | undefined>,
): Promise<Verdict> {
  const lengths = new Set([...windows, ...(asker.longest === undefined ? [] : [asker.longest])]);
  const read: number[] = [];
  for (const length of [...lengths].sort((a, b) => a - b)) {
    const sequence = randomLetters(length, 13);
    let refused = true;
    const trouble = await asker.unlessRefused(
      lookAt(sequence).then((found) => {
        refused = false;
        return found;
      }),
    );
    if (refused) {
      return read.length === 0
        ? undecided(`${length} letters, the benchmark's shortest window, are refused`)
        : holds(`${read.join(" and ")} letters are read to the end, ${length} refused`);
    }
    if (trouble !== undefined) return fault(trouble);
    read.push(length);
  }
  return holds(`${read.join(", ")} letters are read to the end`);
}
