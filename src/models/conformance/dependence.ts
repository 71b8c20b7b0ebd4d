import { BASES } from "../../dna/sequence/encoding.ts";
import {
  type BaseToken,
  baseTokens,
  type ModelProbe,
  otherBases,
  randomSequences,
  substituted,
} from "./model-probe.ts";

/**
 * A substituted base and the tokens whose states changed. Tokens are numbered from 0 among those that cover
 * bases.
 */
export interface Substitution {
  /** 0-based. */
  readonly base: number;
  /** The token that covers the base. */
  readonly own: number;
  /** The token that covers the base at the mirrored position. */
  readonly opposite: number;
  /** First and last token with a changed state, and the token that changed most. */
  readonly first: number;
  readonly last: number;
  readonly most: number;
}

/** Effects of substituting each base of a sequence on the token states. */
export interface Changes {
  /** Substitutions that change a state and keep the token boundaries. */
  readonly substitutions: readonly Substitution[];
  readonly tokens: readonly BaseToken[];
  /**
   * The token that indicates a substitution: for a causal model the first that changed, for others the one
   * that changed most.
   */
  indicatedToken(substitution: Substitution): number;
  /** True for a causal model whose states change up to the base's token and not after it. */
  readonly fromTheEnd: boolean;
}

/** Changes below this fraction of the largest are rounding. */
const ROUNDING = 1e-3;

/** Fraction of substitutions above which a pattern is not due to chance. */
const CLEAR_FRACTION = 0.8;

/**
 * Substitutes every base of a sequence in turn and records the changed states. In a causal model states
 * before the base do not change; in others the base's own token changes most.
 */
export async function changesOf(probe: ModelProbe, sequence: string): Promise<Changes> {
  const changed = Array.from(sequence, (base, at) =>
    substituted(sequence, at, "ACGT"[("ACGT".indexOf(base) + 1) % 4]),
  );
  const [original, ...others] = (await probe.embeddingsUnpadded([sequence, ...changed])).map(baseTokens);
  const tokens = original;
  const tokenOf = (base: number) => tokens.findIndex(({ start, end }) => start <= base && base < end);
  const substitutions = others.flatMap((now, base) => {
    const changes = tokens.map(({ start, end, state }) => {
      const same = now.find((token) => token.start === start && token.end === end);
      return same === undefined ? Number.NaN : distance(state, same.state);
    });
    const largest = Math.max(...changes.filter((change) => !Number.isNaN(change)), 0);
    const own = tokenOf(base);
    if (own < 0 || largest === 0 || changes.some(Number.isNaN)) return [];
    const differ = changes.map((change) => change > ROUNDING * largest);
    return [
      {
        base,
        own,
        opposite: tokenOf(sequence.length - 1 - base),
        first: differ.indexOf(true),
        last: differ.lastIndexOf(true),
        most: changes.indexOf(largest),
      },
    ];
  });
  const causal = probe.model.kind === "causal";
  return {
    substitutions,
    tokens,
    indicatedToken: ({ first, most }) => (causal ? first : most),
    fromTheEnd:
      causal &&
      share(substitutions, ({ own, last }) => own === last) >= CLEAR_FRACTION &&
      share(substitutions, ({ own, first }) => own === first) < 1 - CLEAR_FRACTION,
  };
}

/** Fraction of substitutions with a property; 0 without substitutions. */
export function share(
  substitutions: readonly Substitution[],
  hasProperty: (substitution: Substitution) => boolean,
): number {
  return substitutions.filter(hasProperty).length / Math.max(1, substitutions.length);
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, x, k) => sum + (x - b[k]) ** 2, 0));
}

/**
 * Sums over the four bases at one end of a sequence: Σ exp(f(s x) − f(s)) over x in A, C, G, T.
 *
 * If f is Σ log P(base | bases before), the sum over appended bases is P(A, C, G or T | s): at most 1, and 1
 * for a model without other tokens. The sum over prepended bases can have any value.
 */
export interface EndSums {
  /** One sum per context. */
  readonly appended: readonly number[];
  readonly prepended: readonly number[];
}

/** Sixteen random contexts of twelve bases. */
const contexts = randomSequences(16, 12, 7);

const sumsOfProbe = new WeakMap<ModelProbe, Promise<EndSums>>();

/** End sums of a model, computed once for two checks. */
export function endSums(probe: ModelProbe): Promise<EndSums> {
  const known = sumsOfProbe.get(probe) ?? computeEndSums(probe);
  sumsOfProbe.set(probe, known);
  return known;
}

async function computeEndSums(probe: ModelProbe): Promise<EndSums> {
  const whole = contexts.flatMap((s) => [
    s,
    ...[...BASES].map((x) => s + x),
    ...[...BASES].map((x) => x + s),
  ]);
  const scores = await probe.scoresUnpadded(whole);
  const sum = (context: number, first: number) => {
    const at = 9 * context;
    return [0, 1, 2, 3].reduce((total, x) => total + Math.exp(scores[at + first + x] - scores[at]), 0);
  };
  return {
    appended: contexts.map((_, i) => sum(i, 1)),
    prepended: contexts.map((_, i) => sum(i, 5)),
  };
}

/** Tolerance for sums of probabilities near 1. */
export function slack({ tolerance }: Pick<ModelProbe, "tolerance">): number {
  return 0.01 + 50 * tolerance;
}

/** Relative change of a score below which a base has no effect. Even distant bases change scores by more. */
const NO_EFFECT = 1e-9;

/**
 * Finds positions at which no substitution changes the score. The second and third substitutions are tried
 * only if the first has no effect.
 *
 * @param positions  0-based; negative ones count from the end
 */
export async function ignoredPositions(
  probe: ModelProbe,
  sequence: string,
  score: number,
  positions: readonly number[],
): Promise<readonly number[]> {
  let unread = positions;
  for (const alternative of [0, 1, 2] as const) {
    if (unread.length === 0) break;
    const variants = unread.map((position) => otherBases(sequence, position)[alternative]);
    const scores = await probe.scoresUnpadded(variants);
    unread = unread.filter((_, i) => Math.abs(scores[i] - score) <= NO_EFFECT * Math.abs(score));
  }
  return unread;
}
