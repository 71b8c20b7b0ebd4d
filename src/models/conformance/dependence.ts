import { BASES } from "../../dna/sequence/encoding.ts";
import {
  type BaseToken,
  baseTokens,
  type ModelProbe,
  otherLetters,
  randomSequences,
  withLetter,
} from "./model-probe.ts";

/** A letter that was changed, and which tokens' states changed; tokens are counted among those that stand for letters. */
export interface ChangedPlace {
  /** 0-based. */
  readonly letter: number;
  /** The token that stands for the letter. */
  readonly own: number;
  /** The token that stands for the letter as far from the other end. */
  readonly opposite: number;
  /** The first and the last token that changed at all, and the one that changed most. */
  readonly first: number;
  readonly last: number;
  readonly most: number;
}

/** What changed by a letter in a sequence, for each of its letters. */
export interface Changes {
  /** Letters whose change changes something and keeps the tokens' places. */
  readonly places: readonly ChangedPlace[];
  readonly tokens: readonly BaseToken[];
  /** The token by which a changed letter is known: of a causal model the first that changed, of others that which changed most. */
  found(place: ChangedPlace): number;
  /** A causal model whose states change up to the letter's token, and not from it on. */
  readonly fromTheEnd: boolean;
}

/** A change this small, of the largest, is rounding. */
const ROUNDING = 1e-3;

/** A share of places that is no chance. */
const MOST = 0.8;

/**
 * Changes every letter of a sequence in turn and looks where the states change. A state says most about its own letters: of a
 * causal model the states before do not change at all; of others the letter's own token changes most.
 */
export async function changesOf(asker: ModelProbe, sequence: string): Promise<Changes> {
  const changed = Array.from(sequence, (letter, at) =>
    withLetter(sequence, at, "ACGT"[("ACGT".indexOf(letter) + 1) % 4]),
  );
  const [original, ...others] = (await asker.embeddingsUnpadded([sequence, ...changed])).map(baseTokens);
  const tokens = original!;
  const tokenOf = (letter: number) => tokens.findIndex(({ start, end }) => start <= letter && letter < end);
  const places = others.flatMap((now, letter) => {
    const changes = tokens.map(({ start, end, state }) => {
      const same = now.find((token) => token.start === start && token.end === end);
      return same === undefined ? Number.NaN : distance(state, same.state);
    });
    const largest = Math.max(...changes.filter((change) => !Number.isNaN(change)), 0);
    const own = tokenOf(letter);
    if (own < 0 || largest === 0 || changes.some(Number.isNaN)) return [];
    const differ = changes.map((change) => change > ROUNDING * largest);
    return [
      {
        letter,
        own,
        opposite: tokenOf(sequence.length - 1 - letter),
        first: differ.indexOf(true),
        last: differ.lastIndexOf(true),
        most: changes.indexOf(largest),
      },
    ];
  });
  const causal = asker.model.kind === "causal";
  return {
    places,
    tokens,
    found: ({ first, most }) => (causal ? first : most),
    fromTheEnd:
      causal &&
      share(places, ({ own, last }) => own === last) >= MOST &&
      share(places, ({ own, first }) => own === first) < 1 - MOST,
  };
}

/** The share of places of which something holds; 0 where there are none. */
export function share(places: readonly ChangedPlace[], holds: (place: ChangedPlace) => boolean): number {
  return places.filter(holds).length / Math.max(1, places.length);
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, x, k) => sum + (x - b[k]) ** 2, 0));
}

/**
 * What the four letters at an end of a sequence add up to: Σ exp(f(s x) − f(s)) over x in A, C, G, T.
 *
 * Where f is a sum of log P(letter | letters before), appended letters add up to P(A, C, G or T | s): at most 1, and 1 for a
 * model that knows of no other token. Letters put in front add up to anything.
 */
export interface EndSums {
  /** One per context. */
  readonly appended: readonly number[];
  readonly prepended: readonly number[];
}

/** Contexts of letters; twelve are enough for a fault to show and few enough to be cheap. */
const contexts = randomSequences(16, 12, 7);

const found = new WeakMap<ModelProbe, Promise<EndSums>>();

/** Asked once per model, since two checks look at it. */
export function endSums(asker: ModelProbe): Promise<EndSums> {
  const known = found.get(asker) ?? ask(asker);
  found.set(asker, known);
  return known;
}

async function ask(asker: ModelProbe): Promise<EndSums> {
  const whole = contexts.flatMap((s) => [
    s,
    ...[...BASES].map((x) => s + x),
    ...[...BASES].map((x) => x + s),
  ]);
  const scores = await asker.scoresUnpadded(whole);
  const sum = (context: number, first: number) => {
    const at = 9 * context;
    return [0, 1, 2, 3].reduce((total, x) => total + Math.exp(scores[at + first + x] - scores[at]), 0);
  };
  return {
    appended: contexts.map((_, i) => sum(i, 1)),
    prepended: contexts.map((_, i) => sum(i, 5)),
  };
}

/** By how much sums of probabilities may miss 1 for want of precision. */
export function slack({ tolerance }: Pick<ModelProbe, "tolerance">): number {
  return 0.01 + 50 * tolerance;
}

/** An effect smaller than this, of the score, is none: even far letters change a score by more. */
const NO_EFFECT = 1e-9;

/**
 * Places of a sequence at which no other letter changes its score. The second and third other letter are asked for only where
 * the first changes nothing: two letters may well be alike to a model, all four are not.
 *
 * @param places  0-based; negative ones count from the end
 */
export async function ignoredLetters(
  asker: ModelProbe,
  sequence: string,
  score: number,
  places: readonly number[],
): Promise<readonly number[]> {
  let unread = places;
  for (const alternative of [0, 1, 2] as const) {
    if (unread.length === 0) break;
    const variants = unread.map((place) => otherLetters(sequence, place)[alternative]);
    const scores = await asker.scoresUnpadded(variants);
    unread = unread.filter((_, i) => Math.abs(scores[i] - score) <= NO_EFFECT * Math.abs(score));
  }
  return unread;
}
