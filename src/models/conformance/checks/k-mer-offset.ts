import { baseTokens } from "../asker.ts";
import { type Changes, changesOf, share } from "../changed-places.ts";
import { type Check, fault, holds, undecided, type Verdict } from "../check.ts";
import { randomLetters } from "../probes.ts";
import { unreadLetters } from "../unread-letters.ts";

/** No multiple of 2 to 6, so that a rest that is cut off shows. */
const sequence = randomLetters(61, 9);

/** The ends, where letters are lost, and a few places between. */
const PLACES = [0, 1, 2, 3, 4, 5, 15, 30, 45, -6, -5, -4, -3, -2, -1];

/** A share of places that is no chance. */
const MOST = 0.8;

/** Every letter is read, and the tokens are where they are said to be. */
export const kMerOffset: Check = {
  name: "k-mer-offset",
  asks: "Every letter is read, the first and the last too, and each token stands for its own letters.",
  fault: "letters are off by one, or not read",
  restsOn: ["special-tokens"],
  async ofLikelihoods(asker) {
    const [score] = await asker.scores([sequence]);
    const unread = await unreadLetters(asker, sequence, score!, PLACES);
    if (unread.length === PLACES.length) return fault("no letter changes the score");
    return unread.length > 0
      ? fault(
          `the score of ${sequence.length} letters does not change with ${listed(unread)}: where are k-mers cut?`,
        )
      : holds(`each of ${PLACES.length} letters, the first and last six among them, changes the score`);
  },
  async ofEmbeddings(asker) {
    const gap = gapOf(baseTokens((await asker.embeddings([sequence]))[0]!));
    if (gap !== undefined) return fault(gap);
    if (asker.model.tokens === "bpe")
      return holds("the tokens stand for every letter, each for those after the one before");
    const changes = await changesOf(asker, sequence);
    if (changes.places.length < sequence.length / 2) {
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
  if (before === sequence.length) return undefined;
  return `the tokens stand for ${before} letters of ${sequence.length}`;
}

function judged({ places, tokens, found }: Changes): Verdict {
  // A shift of one letter shows where a token begins, or where one ends; a shift of one token shows there too.
  const begins = places.filter(({ letter, own }) => own > 0 && tokens[own]!.start === letter);
  const ends = places.filter(({ letter, own }) => own < tokens.length - 1 && tokens[own]!.end === letter + 1);
  if (share(begins, (place) => found(place) === place.own - 1) >= MOST) {
    return fault("a changed letter changes the token before that which is said to stand for it");
  }
  if (share(ends, (place) => found(place) === place.own + 1) >= MOST) {
    return fault("a changed letter changes the token after that which is said to stand for it");
  }
  const own = share(places, (place) => found(place) === place.own);
  return holds(`a changed letter is known by its own token ${Math.round(100 * own)} % of the time`);
}
