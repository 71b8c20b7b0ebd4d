import { type Asker, type BaseToken, baseTokens } from "./asker.ts";
import { withLetter } from "./probes.ts";

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
export async function changesOf(asker: Asker, sequence: string): Promise<Changes> {
  const changed = Array.from(sequence, (letter, at) =>
    withLetter(sequence, at, "ACGT"[("ACGT".indexOf(letter) + 1) % 4]!),
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
  return Math.sqrt(a.reduce((sum, x, k) => sum + (x - b[k]!) ** 2, 0));
}
