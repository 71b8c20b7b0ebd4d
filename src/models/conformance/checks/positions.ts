import { BASES } from "../../../dna/sequence/encoding.ts";
import { type Check, fault, holds, undecided, type Verdict } from "../check.ts";
import { type Changes, changesOf, endSums, ignoredPositions, share, slack } from "../dependence.ts";
import { baseTokens, type ModelProbe, randomBases, randomSequences, substituted } from "../model-probe.ts";

/** 61 bases: not a multiple of 2 to 6, so that a dropped remainder of k-mers is visible. */
const offsetSequence = randomBases(61, 9);

/** Tested positions: near the ends, where faulty adapters drop bases, and a few in between. */
const POSITIONS = [0, 1, 2, 3, 4, 5, 15, 30, 45, -6, -5, -4, -3, -2, -1];

/** Fraction of substitutions that excludes chance. */
const SHIFTED_FRACTION = 0.8;

/** Every base is read, and tokens cover the bases that they claim. */
export const kMerOffsetCheck: Check = {
  name: "k-mer-offset",
  requirement: "Every base is read, including the first and the last, and each token covers its own bases.",
  fault: "bases are off by one, or not read",
  prerequisites: ["special-tokens"],
  async ofLikelihoods(probe) {
    const [score] = await probe.scores([offsetSequence]);
    const unread = await ignoredPositions(probe, offsetSequence, score, POSITIONS);
    if (unread.length === POSITIONS.length) return fault("no substitution changes the score");
    return unread.length > 0
      ? fault(
          `the score of ${offsetSequence.length} bases does not change with ${listed(unread)}: where do k-mers begin?`,
        )
      : holds(`each of ${POSITIONS.length} bases, including the first and last six, changes the score`);
  },
  async ofEmbeddings(probe) {
    const gap = gapOf(baseTokens((await probe.embeddings([offsetSequence]))[0]));
    if (gap !== undefined) return fault(gap);
    if (probe.model.tokens === "bpe") return holds("the tokens cover all bases consecutively");
    const changes = await changesOf(probe, offsetSequence);
    if (changes.substitutions.length < offsetSequence.length / 2) {
      return undecided("too few substitutions change the states");
    }
    return changes.fromTheEnd
      ? undecided("the states depend on the bases after them: see strand")
      : judged(changes);
  },
};

function listed(positions: readonly number[]): string {
  const words = positions.map((position) =>
    position >= 0 ? `base ${position + 1}` : `base ${-position} from the end`,
  );
  return words.join(", ");
}

/** Describes the first gap or overlap between consecutive tokens; undefined if they follow each other. */
function gapOf(tokens: readonly { readonly start: number; readonly end: number }[]): string | undefined {
  let before = 0;
  for (const { start, end } of tokens) {
    if (start !== before) return `no token begins at base ${before + 1}; the next one begins at ${start + 1}`;
    before = end;
  }
  if (before === offsetSequence.length) return undefined;
  return `the tokens cover ${before} of ${offsetSequence.length} bases`;
}

function judged({ substitutions, tokens, indicatedToken }: Changes): Verdict {
  // A shift of one base shows at the first or last base of a token, and a shift of one token shows there too.
  const begins = substitutions.filter(({ base, own }) => own > 0 && tokens[own].start === base);
  const ends = substitutions.filter(
    ({ base, own }) => own < tokens.length - 1 && tokens[own].end === base + 1,
  );
  if (share(begins, (each) => indicatedToken(each) === each.own - 1) >= SHIFTED_FRACTION) {
    return fault("a substitution changes the token before the one that covers the base");
  }
  if (share(ends, (each) => indicatedToken(each) === each.own + 1) >= SHIFTED_FRACTION) {
    return fault("a substitution changes the token after the one that covers the base");
  }
  const own = share(substitutions, (each) => indicatedToken(each) === each.own);
  return holds(`${Math.round(100 * own)} % of substitutions change mainly their own token`);
}

/** Logits predict the next base from all bases before it. */
export const causalShiftCheck: Check = {
  name: "causal-shift",
  requirement: "The probabilities of the four next bases sum to at most 1, and depend on the base before.",
  fault: "causal logits are shifted",
  prerequisites: ["special-tokens", "k-mer-offset"],
  async ofLikelihoods(probe) {
    const { kind, tokens } = probe.model;
    if (kind !== "causal" || tokens !== "one-letter") {
      return undecided(
        "only detectable in causal models with one token per base; set kind and tokens if the model is one",
      );
    }
    const { appended, prepended } = await endSums(probe);
    const most = Math.max(...appended);
    const limit = 1 + slack(probe);
    if (most > limit && Math.max(...prepended) > limit) {
      return fault(
        `after one of ${appended.length} contexts the probabilities of the four next bases sum to ${most.toPrecision(4)}: each base is visible to its own prediction`,
      );
    }
    const { last, before } = await dependence(probe);
    if (last < slack(probe) && before > 10 * slack(probe)) {
      return fault("the probability of a base depends on earlier bases, but not on the one right before it");
    }
    return holds(
      `the probabilities of the four next bases sum to ${Math.min(...appended).toPrecision(4)} to ${most.toPrecision(4)}`,
    );
  },
};

/** Contexts u b a, in which first `a`, the last base, is substituted, then `b`, the one before. */
const contexts = randomSequences(4, 11, 10);
const NEXT = ["A", "C"];

/**
 * Largest change of log P(next base | context) with the context's last base and with the one before, nats.
 */
async function dependence(probe: ModelProbe): Promise<{ last: number; before: number }> {
  const variants = contexts.flatMap((context) =>
    [-1, -2].map((position) => [...BASES].map((base) => substituted(context, position, base))),
  );
  const sequences = variants.flat().flatMap((context) => [context, ...NEXT.map((base) => context + base)]);
  const scores = await probe.scoresUnpadded(sequences);
  const spread = variants.map((group, g) => {
    const ranges = NEXT.map((_, k) => {
      const logs = group.map((_, v) => {
        const at = (g * BASES.length + v) * (1 + NEXT.length);
        return scores[at + 1 + k] - scores[at];
      });
      return Math.max(...logs) - Math.min(...logs);
    });
    return Math.max(...ranges);
  });
  return {
    last: Math.max(...spread.filter((_, g) => g % 2 === 0)),
    before: Math.max(...spread.filter((_, g) => g % 2 === 1)),
  };
}

/** An even number of bases, so that no position is its own mirror image. */
const strandSequence = randomBases(60, 11);

/** Minimum ratio between the sums over prepended bases in a model that reads from the end. */
const EVEN = 0.8;
/** Fraction of substitutions that excludes chance. */
const MIRRORED_FRACTION = 0.6;

/** The given strand is read, from its first base to its last. */
export const strandCheck: Check = {
  name: "strand",
  requirement: "The given strand is read, from its first base to its last.",
  fault: "the strand is flipped",
  prerequisites: ["special-tokens", "k-mer-offset"],
  async ofLikelihoods(probe) {
    const { kind, tokens } = probe.model;
    if (kind !== "causal" || tokens !== "one-letter") {
      return undecided(
        "in likelihoods only detectable for causal models with one token per base; set kind and tokens if the model is one",
      );
    }
    const { appended, prepended } = await endSums(probe);
    const limit = 1 + slack(probe);
    const most = Math.max(...prepended);
    if (Math.max(...appended) > limit && most <= limit && Math.min(...prepended) > EVEN * most) {
      return fault(
        `the probabilities of the four bases before a sequence sum to ${most.toPrecision(4)}, those after it to up to ${Math.max(...appended).toPrecision(4)}: it is read from its end`,
      );
    }
    return holds("appended bases continue a sequence");
  },
  async ofEmbeddings(probe) {
    const { substitutions, indicatedToken, fromTheEnd } = await changesOf(probe, strandSequence);
    if (substitutions.length < strandSequence.length / 4) {
      return undecided("too few substitutions change the states and keep the tokens");
    }
    if (fromTheEnd) return fault("states depend on the bases after them, and not on those before");
    const mirrored = share(substitutions, (each) => indicatedToken(each) === each.opposite);
    const own = share(substitutions, (each) => indicatedToken(each) === each.own);
    return mirrored >= MIRRORED_FRACTION && own < mirrored / 2
      ? fault(
          "a substitution changes the token at the mirrored position: the states are those of the other strand",
        )
      : holds("a substitution changes the token on its own side");
  },
};
