import { BASES } from "../../../dna/sequence/encoding.ts";
import { type Check, fault, holds, undecided, type Verdict } from "../check.ts";
import { type Changes, changesOf, endSums, ignoredLetters, share, slack } from "../dependence.ts";
import { baseTokens, type ModelProbe, randomLetters, randomSequences, withLetter } from "../model-probe.ts";

/** No multiple of 2 to 6, so that a rest that is cut off shows. */
const offsetSequence = randomLetters(61, 9);

/** The ends, where letters are lost, and a few places between. */
const PLACES = [0, 1, 2, 3, 4, 5, 15, 30, 45, -6, -5, -4, -3, -2, -1];

/** A share of places that is no chance. */
const MOST_OFF_PLACE = 0.8;

/** Every letter is read, and the tokens are where they are said to be. */
export const kMerOffsetCheck: Check = {
  name: "k-mer-offset",
  asks: "Every letter is read, the first and the last too, and each token stands for its own letters.",
  fault: "letters are off by one, or not read",
  restsOn: ["special-tokens"],
  async ofLikelihoods(asker) {
    const [score] = await asker.scores([offsetSequence]);
    const unread = await ignoredLetters(asker, offsetSequence, score!, PLACES);
    if (unread.length === PLACES.length) return fault("no letter changes the score");
    return unread.length > 0
      ? fault(
          `the score of ${offsetSequence.length} letters does not change with ${listed(unread)}: where are k-mers cut?`,
        )
      : holds(`each of ${PLACES.length} letters, the first and last six among them, changes the score`);
  },
  async ofEmbeddings(asker) {
    const gap = gapOf(baseTokens((await asker.embeddings([offsetSequence]))[0]));
    if (gap !== undefined) return fault(gap);
    if (asker.model.tokens === "bpe")
      return holds("the tokens stand for every letter, each for those after the one before");
    const changes = await changesOf(asker, offsetSequence);
    if (changes.places.length < offsetSequence.length / 2) {
      return undecided("too few changes of a letter change the states");
    }
    return changes.fromTheEnd
      ? undecided("the states depend on the letters behind: see strand")
      : judged(changes);
  },
};

function listed(places: readonly number[]): string {
  const words = places.map((place) => (place >= 0 ? `letter ${place + 1}` : `letter ${-place} from the end`));
  return words.join(", ");
}

/** Where the tokens do not stand for the letters one after the other. */
function gapOf(tokens: readonly { readonly start: number; readonly end: number }[]): string | undefined {
  let before = 0;
  for (const { start, end } of tokens) {
    if (start !== before)
      return `no token begins at letter ${before + 1}: after it the next begins at ${start + 1}`;
    before = end;
  }
  if (before === offsetSequence.length) return undefined;
  return `the tokens stand for ${before} letters of ${offsetSequence.length}`;
}

function judged({ places, tokens, found }: Changes): Verdict {
  // A shift of one letter shows where a token begins, or where one ends; a shift of one token shows there too.
  const begins = places.filter(({ letter, own }) => own > 0 && tokens[own].start === letter);
  const ends = places.filter(({ letter, own }) => own < tokens.length - 1 && tokens[own].end === letter + 1);
  if (share(begins, (place) => found(place) === place.own - 1) >= MOST_OFF_PLACE) {
    return fault("a changed letter changes the token before that which is said to stand for it");
  }
  if (share(ends, (place) => found(place) === place.own + 1) >= MOST_OFF_PLACE) {
    return fault("a changed letter changes the token after that which is said to stand for it");
  }
  const own = share(places, (place) => found(place) === place.own);
  return holds(`a changed letter is known by its own token ${Math.round(100 * own)} % of the time`);
}

/** Likelihoods are those of the next letter, given all letters before it. */
export const causalShiftCheck: Check = {
  name: "causal-shift",
  asks: "What the four possible next letters add up to is a probability, and depends on the letter before.",
  fault: "causal logits are shifted",
  restsOn: ["special-tokens", "k-mer-offset"],
  async ofLikelihoods(asker) {
    const { kind, tokens } = asker.model;
    if (kind !== "causal" || tokens !== "one-letter") {
      return undecided("it shows in causal models of single letters alone; is the model one, and says so?");
    }
    const { appended, prepended } = await endSums(asker);
    const most = Math.max(...appended);
    const limit = 1 + slack(asker);
    if (most > limit && Math.max(...prepended) > limit) {
      return fault(
        `after one of ${appended.length} contexts the four next letters have ${most.toPrecision(4)} of probability: each letter is seen by what predicts it`,
      );
    }
    const { last, before } = await dependence(asker);
    if (last < slack(asker) && before > 10 * slack(asker)) {
      return fault(
        "the probability of a letter depends on letters before, and not on the one right before it",
      );
    }
    return holds(
      `the four next letters have between ${Math.min(...appended).toPrecision(4)} and ${most.toPrecision(4)} of probability`,
    );
  },
};

/** Contexts u b a, of which first `a`, the last letter, is changed, and then `b`, the one before it. */
const contexts = randomSequences(4, 11, 10);
const NEXT = ["A", "C"];

/** How much log P(next letter | context) changes, at most, with the context's last letter and with the one before, nats. */
async function dependence(asker: ModelProbe): Promise<{ last: number; before: number }> {
  const variants = contexts.flatMap((context) =>
    [-1, -2].map((place) => [...BASES].map((letter) => withLetter(context, place, letter))),
  );
  const asked = variants.flat().flatMap((context) => [context, ...NEXT.map((letter) => context + letter)]);
  const scores = await asker.scoresUnpadded(asked);
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

/** Even, so that no letter is its own mirror image. */
const strandSequence = randomLetters(60, 11);

/** Letters put in front have about the same probability after every context: then that is where it reads on. */
const EVEN = 0.8;
/** A share of places that is no chance. */
const MOST_OPPOSITE = 0.6;

/** Letters are read as they are given, from the first to the last. */
export const strandCheck: Check = {
  name: "strand",
  asks: "The strand that is given is the one that is read, from its first letter to its last.",
  fault: "the strand is flipped",
  restsOn: ["special-tokens", "k-mer-offset"],
  async ofLikelihoods(asker) {
    const { kind, tokens } = asker.model;
    if (kind !== "causal" || tokens !== "one-letter") {
      return undecided(
        "in likelihoods it shows of causal models of single letters alone; is the model one, and says so?",
      );
    }
    const { appended, prepended } = await endSums(asker);
    const limit = 1 + slack(asker);
    const most = Math.max(...prepended);
    if (Math.max(...appended) > limit && most <= limit && Math.min(...prepended) > EVEN * most) {
      return fault(
        `the four letters put in front of a sequence have ${most.toPrecision(4)} of probability, those put behind it up to ${Math.max(...appended).toPrecision(4)}: it is read from its end`,
      );
    }
    return holds("letters put behind a sequence continue it");
  },
  async ofEmbeddings(asker) {
    const { places, found, fromTheEnd } = await changesOf(asker, strandSequence);
    if (places.length < strandSequence.length / 4) {
      return undecided("too few changes of a letter change the states and keep the tokens");
    }
    if (fromTheEnd) return fault("a state depends on the letters behind it, and not on those before");
    const mirrored = share(places, (place) => found(place) === place.opposite);
    const own = share(places, (place) => found(place) === place.own);
    return mirrored >= MOST_OPPOSITE && own < mirrored / 2
      ? fault(
          "a changed letter changes the token as far from the other end: the states are those of the other strand",
        )
      : holds("a changed letter changes the token on its own side");
  },
};
