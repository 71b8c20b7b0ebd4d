import { BASES } from "../../../dna/sequence/encoding.ts";
import { type Check, fault, holds, undecided, type Verdict } from "../check.ts";
import { ignoredPositions } from "../dependence.ts";
import { type BaseToken, baseTokens, type ModelProbe, otherBases, randomBases } from "../model-probe.ts";

/** Minimum ratio of the sum of probabilities of a first base to that of a later base. */
const MIN_RATIO = 0.2;

/** Only bases are scored; special tokens are neither scored nor cover bases. */
export const specialTokensCheck: Check = {
  name: "special-tokens",
  requirement: "Special tokens such as [CLS] and [SEP] are not scored, and cover no bases.",
  fault: "special tokens are scored",
  prerequisites: ["batch-order"],
  async ofLikelihoods(probe) {
    const seen: string[] = [];
    const empty = await probe.unlessRejected(probe.scores([""]));
    if (empty !== undefined) {
      if (!probe.same(empty[0], 0)) {
        return fault(`the empty sequence has the log-likelihood ${empty[0].toPrecision(6)}; expected 0`);
      }
      seen.push("the empty sequence scores 0");
    }
    const { kind, tokens } = probe.model;
    if (kind === "causal" && tokens === "one-letter") {
      const verdict = await firstBases(probe);
      if (verdict.verdict !== "holds") return verdict;
      seen.push(verdict.detail);
    }
    return seen.length > 0
      ? holds(seen.join("; "))
      : undecided("the empty sequence is rejected, and no other output of such a model shows the fault");
  },
  async ofEmbeddings(probe) {
    const sequence = randomBases(60, 8);
    const [embedding] = await probe.embeddings([sequence]);
    const tokens = baseTokens(embedding);
    const covered = tokens.reduce((sum, { start, end }) => sum + end - start, 0);
    if (covered > sequence.length || tokens.some(({ start, end }) => start < 0 || end > sequence.length)) {
      return fault(
        `the tokens cover ${covered} bases, up to ${Math.max(...tokens.map(({ end }) => end))}, of a sequence of ${sequence.length}`,
      );
    }
    const empty = await probe.unlessRejected(probe.embeddings([""]));
    if (empty !== undefined && baseTokens(empty[0]).length > 0) {
      return fault("a token of the empty sequence covers bases");
    }
    const special = embedding.tokens - tokens.length;
    return holds(`${special} of ${embedding.tokens} tokens cover no bases`);
  },
};

/**
 * Checks the scores of the four one-base sequences. They are all 0 if the first base is not predicted;
 * otherwise the probabilities of a first base sum to about those of a second base.
 */
async function firstBases(probe: ModelProbe): Promise<Verdict> {
  const pairs = [...BASES].flatMap((x) => [...BASES].map((y) => x + y));
  const all = await probe.unlessRejected(probe.scoresUnpadded([...BASES, ...pairs]));
  if (all === undefined) return holds("sequences of one base are rejected");
  const scores = [...all];
  const first = scores.slice(0, 4);
  if (first.every((score) => probe.same(score, 0))) return holds("the first base is not predicted");
  const total = (logs: readonly number[]) => logs.reduce((sum, log) => sum + Math.exp(log), 0);
  const second = Math.min(
    ...first.map((score, x) => total(scores.slice(4 + 4 * x, 8 + 4 * x).map((pair) => pair - score))),
  );
  const firstTotal = total(first);
  const detail = `the probabilities of a first base sum to ${firstTotal.toPrecision(3)}, of a second base to at least ${second.toPrecision(3)}`;
  return firstTotal < MIN_RATIO * second
    ? fault(`${detail}: something other than bases is scored`)
    : holds(detail);
}

const sequence = randomBases(40, 12);
const withN = [[19], [7, 23], [30, 31, 32]].map((positions) =>
  [...sequence].map((base, at) => (positions.includes(at) ? "N" : base)).join(""),
);

const REJECTED = "N is rejected; runs replace it by A";

/** N may be rejected or read as any base, but not dropped. */
export const unknownLettersCheck: Check = {
  name: "unknown-letters",
  requirement: "A sequence with N is rejected, or every N is read as a base.",
  fault: "N is not handled",
  prerequisites: ["k-mer-offset"],
  async ofLikelihoods(probe) {
    const scores = await probe.unlessRejected(probe.scoresUnpadded(withN));
    if (scores === undefined) return holds(REJECTED);
    const failing = [...scores].findIndex((score) => !Number.isFinite(score));
    if (failing >= 0) return fault(`${withN[failing]} has the score ${scores[failing]}`);
    const without = await probe.scoresUnpadded(withN.map((sequence) => sequence.replaceAll("N", "")));
    return scores.every((score, i) => probe.same(score, without[i]))
      ? fault("a sequence has the same score with its Ns and without them: they are dropped")
      : holds("a sequence with N scores differently from the one without");
  },
  async ofEmbeddings(probe) {
    const embeddings = await probe.unlessRejected(probe.embeddingsUnpadded(withN));
    if (embeddings === undefined) return holds(REJECTED);
    for (const [i, embedding] of embeddings.entries()) {
      const tokens = baseTokens(embedding);
      if (!tokens.every(({ state }) => state.every(Number.isFinite))) {
        return fault(`${withN[i]} has states that are not finite`);
      }
      const end = Math.max(...tokens.map((token: BaseToken) => token.end));
      if (end !== sequence.length) {
        return fault(`the tokens of ${withN[i]} cover ${end} of ${sequence.length} bases: Ns are dropped`);
      }
    }
    return holds("Ns are read as bases");
  },
};

/**
 * Window lengths of the benchmark in bases; only the shortest for log-likelihoods of masked models, which
 * take one run per token.
 */
const WINDOWS = { quick: [350, 500, 2114], slow: [350] };

/** Long sequences are read to their end, or rejected. */
export const truncationCheck: Check = {
  name: "truncation",
  requirement:
    "A sequence as long as the benchmark's windows is read from its first base to its last, or rejected.",
  fault: "long sequences are truncated",
  prerequisites: ["k-mer-offset"],
  ofLikelihoods: (probe) =>
    overLengths(probe, probe.model.kind === "causal" ? WINDOWS.quick : WINDOWS.slow, async (sequence) => {
      const [score] = await probe.scores([sequence]);
      if (!Number.isFinite(score)) return `${sequence.length} bases have the score ${score}`;
      const [unread] = await ignoredPositions(probe, sequence, score, [0, -1]);
      if (unread !== undefined) {
        return `the score of ${sequence.length} bases does not change with the ${named(unread)}`;
      }
      return undefined;
    }),
  ofEmbeddings: (probe) =>
    overLengths(probe, WINDOWS.quick, async (sequence) => {
      const [embedding] = await probe.embeddings([sequence]);
      const tokens = baseTokens(embedding);
      const end = Math.max(0, ...tokens.map((token) => token.end));
      const [start] = tokens.map((token) => token.start);
      if (start !== 0 || end !== sequence.length) {
        return `the tokens of ${sequence.length} bases cover ${(start ?? 0) + 1} to ${end}`;
      }
      for (const position of [0, -1]) {
        const readable = position === 0 ? 0 : beforeRemainder(tokens);
        const [other] = await probe.embeddings([otherBases(sequence, readable)[0]]);
        if (probe.sameTokens(tokens, baseTokens(other))) {
          return `the states of ${sequence.length} bases do not change with the ${named(position)}`;
        }
      }
      return undefined;
    }),
};

/**
 * Position, counted from the end, of the last base whose token depends on it: −1, or before a remainder of
 * fewer than k bases that a k-mer tokenizer maps to one token.
 */
function beforeRemainder(tokens: readonly BaseToken[]): number {
  const lengths = tokens.map(({ start, end }) => end - start);
  const [k] = lengths;
  const rest = lengths[lengths.length - 1];
  const areKMers = k > 1 && rest < k && lengths.slice(0, -1).every((length) => length === k);
  return areKMers ? -1 - rest : -1;
}

const named = (position: number) => (position === 0 ? "first base" : "last base");

/** @param examine  returns the fault at a length, if any */
async function overLengths(
  probe: ModelProbe,
  windows: readonly number[],
  examine: (sequence: string) => Promise<string | undefined>,
): Promise<Verdict> {
  const lengths = new Set([...windows, ...(probe.longest === undefined ? [] : [probe.longest])]);
  const read: number[] = [];
  for (const length of [...lengths].sort((a, b) => a - b)) {
    const sequence = randomBases(length, 13);
    let rejected = true;
    const observed = await probe.unlessRejected(
      examine(sequence).then((found) => {
        rejected = false;
        return found;
      }),
    );
    if (rejected) {
      return read.length === 0
        ? undecided(`${length} bases, the benchmark's shortest window, are rejected`)
        : holds(`${read.join(" and ")} bases are read to the end, ${length} rejected`);
    }
    if (observed !== undefined) return fault(observed);
    read.push(length);
  }
  return holds(`${read.join(", ")} bases are read to the end`);
}
