import { reverseComplement } from "../../../src/dna/sequence/reverse-complement.ts";
import type { Model, SequenceEmbedding } from "../../../src/models/model.ts";

/**
 * Arbitrary P(base | the two before it): rows sum to 1, all rows differ, and the reversed chain differs. `.`
 * precedes the first base.
 */
function probability(letter: string, context: string): number {
  const weights = [..."ACGT"].map((x) => 1 + ((hash(context + x) >>> 8) % 97) / 10);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights["ACGT".indexOf(letter)] / total;
}

/** FNV-1a. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (const letter of text) h = Math.imul(h ^ letter.charCodeAt(0), 0x01000193);
  return h >>> 0;
}

/** log P of the base at i, given those at the positions `i + back`. */
function term(letters: string, i: number, back: readonly number[]): number {
  return Math.log(probability(letters[i], back.map((step) => letters[i + step] ?? ".").join("")));
}

const sumOver = (letters: string, of: (i: number) => number) =>
  [...letters].reduce((sum, _, i) => sum + of(i), 0);

/** Σ log P(base | the two before it). */
export const causal = (letters: string) => sumOver(letters, (i) => term(letters, i, [-2, -1]));
/** Σ log P(base | both neighbours). */
export const masked = (letters: string) => sumOver(letters, (i) => term(letters, i, [-1, 1]));

type Score = (letters: string) => number;
type Scores = (sequences: readonly string[]) => readonly number[];

export const scoring = (kind: "causal" | "masked", scores: Scores, more: Partial<Model> = {}): Model => ({
  name: "toy",
  kind,
  tokens: "one-letter",
  logLikelihood: (sequences) =>
    scores(
      sequences.map((letters) => {
        if (/[^ACGTN]/.test(letters)) throw new Error("not DNA");
        return letters.replaceAll("N", "A");
      }),
    ),
  ...more,
});
const each =
  (score: Score): Scores =>
  (sequences) =>
    sequences.map(score);

let noise = 0;

/** Models with one fault each, and the check that must find it; `score` is the sound score. */
export const scoringFaults = (
  kind: "causal" | "masked",
  score: Score,
): readonly (readonly [string, string, Model])[] => {
  const toy = (scores: Scores) => scoring(kind, scores);
  const longestOf = (sequences: readonly string[]) => Math.max(...sequences.map(({ length }) => length));
  return [
    ["too few results", "answers", toy((sequences) => sequences.slice(1).map(score))],
    [
      "an error for any DNA",
      "answers",
      scoring(kind, () => {
        throw new Error("no weights");
      }),
    ],
    ["NaN on repeats", "finite", toy(each((s) => (/A{20}/.test(s) ? Number.NaN : score(s))))],
    [
      "NaN for rows with padding",
      "finite",
      toy((all) => all.map((s) => (s.length < longestOf(all) ? Number.NaN : score(s)))),
    ],
    [
      "minus infinity",
      "finite",
      toy(each((s) => (s.includes("CGCGCGCG") ? Number.NEGATIVE_INFINITY : score(s)))),
    ],
    ["dropout left on", "repeatable", toy(each((s) => score(s) * (1 + 0.01 * Math.sin(++noise))))],
    [
      "sorted by length and not restored",
      "batch-order",
      toy((all) => all.toSorted((a, b) => b.length - a.length).map(score)),
    ],
    [
      "a state carried to the next row",
      "batch-order",
      toy((all) => all.map((s, i) => score(s) + (i > 0 ? 0.1 : 0))),
    ],
    [
      "normalised over the batch",
      "batch-order",
      toy((all) => all.map((s) => score(s) - score(all.join("")) / all.join("").length)),
    ],
    [
      "padding scored",
      "padding",
      toy((all) => all.map((s) => score(s) + (longestOf(all) - s.length) * Math.log(0.1))),
    ],
    [
      "padding attended to",
      "padding",
      toy((all) => all.map((s) => score(s) + (s.length < longestOf(all) ? 0.2 : 0))),
    ],
    [
      "[SEP] scored",
      "special-tokens",
      toy(each((s) => score(s) + Math.log(probability("A", `${s.slice(-2)}.`) / 50))),
    ],
    ["the first base dropped", "k-mer-offset", toy(each((s) => score(s.slice(1))))],
    ["the last base dropped", "k-mer-offset", toy(each((s) => score(s.slice(0, -1))))],
    [
      "bases after the last complete k-mer dropped",
      "k-mer-offset",
      toy(each((s) => score(s.slice(0, s.length - (s.length % 6))))),
    ],
    ["a constant", "k-mer-offset", toy(each((s) => (s === "" ? 0 : -1)))],
    [
      "N dropped",
      "unknown-letters",
      { ...toy(each(score)), logLikelihood: (all) => all.map((s) => score(s.replaceAll("N", ""))) },
    ],
    [
      "N is NaN",
      "unknown-letters",
      {
        ...toy(each(score)),
        logLikelihood: (all) => all.map((s) => (s.includes("N") ? Number.NaN : score(s))),
      },
    ],
    ["cut at 300 bases", "truncation", toy(each((s) => score(s.slice(0, 300))))],
    ["the last 300 bases kept", "truncation", toy(each((s) => score(s.slice(-300))))],
    ["NaN beyond 300 letters", "truncation", toy(each((s) => (s.length > 300 ? Number.NaN : score(s))))],
  ];
};

/** Faults that only likelihoods of causal models can have or reveal. */
export const causalFaults: readonly (readonly [string, string, Model])[] = [
  [
    "logits at the base's own position",
    "causal-shift",
    scoring(
      "causal",
      each((s) => sumOver(s, (i) => term(s, i, [-1, 0]))),
    ),
  ],
  [
    "logits at two positions before",
    "causal-shift",
    scoring(
      "causal",
      each((s) => sumOver(s, (i) => term(s, i, [-3, -2]))),
    ),
  ],
  ["a masked model declared as causal", "causal-shift", scoring("causal", each(masked))],
  [
    "the reverse complement scored",
    "strand",
    scoring(
      "causal",
      each((s) => causal(reverseComplement(s))),
    ),
  ],
  [
    "read backwards",
    "strand",
    scoring(
      "causal",
      each((s) => causal([...s].reverse().join(""))),
    ),
  ],
  [
    "[SEP] scored, the first letter not",
    "special-tokens",
    scoring(
      "causal",
      each((s) =>
        s === "" ? 0 : causal(s) - causal(s[0]) + Math.log(probability("A", `${s.slice(-2)}.`) / 50),
      ),
    ),
  ],
];

const WIDTH = 6;

const AROUND = { causal: [-2, -1, 0], masked: [-2, -1, 0, 1, 2] } as const;

/** Features of a base, by its distance from the position and its letter. */
const FEATURES = new Map(
  AROUND.masked.map((step) => [
    step,
    new Map(
      [..."ACGTN."].map((letter) => [
        letter,
        Array.from({ length: WIDTH }, (_, k) => {
          const feature = (hash(`${letter} ${step} ${k}`) % 1000) / 500 - 1;
          return feature * (step === 0 ? 1 : 0.2);
        }),
      ]),
    ),
  ]),
);

/** Sum of the features of the bases around a position; those of its own base weigh most. */
function state(letters: string, i: number, kind: "causal" | "masked"): number[] {
  const sum = new Array<number>(WIDTH).fill(0);
  for (const step of AROUND[kind]) {
    const features = FEATURES.get(step)!.get(letters[i + step] ?? ".")!;
    for (let k = 0; k < WIDTH; k++) sum[k] += features[k];
  }
  return sum;
}

interface ToyTokens {
  readonly states: readonly (readonly number[])[];
  readonly spans: readonly (readonly [number, number])[];
}

/**
 * Tokens of k bases with [CLS] before and [SEP] after; a remainder of fewer than k bases is split into single
 * bases.
 */
function tokensOf(letters: string, k: number, kind: "causal" | "masked"): ToyTokens {
  const starts: number[] = [];
  for (let at = 0; at < letters.length; at += at + k <= letters.length ? k : 1) starts.push(at);
  const spans = starts.map((start, i) => [start, starts[i + 1] ?? letters.length] as const);
  const mean = (start: number, end: number) => {
    const states = Array.from({ length: end - start }, (_, i) => state(letters, start + i, kind));
    return states[0].map((_, c) => states.reduce((sum, each) => sum + each[c], 0) / states.length);
  };
  const special = Array.from({ length: WIDTH }, () => 0.5);
  return {
    states: [special, ...spans.map(([start, end]) => mean(start, end)), special],
    spans: [[0, 0], ...spans, [0, 0]],
  };
}

const embeddingOf = ({ states, spans }: ToyTokens): SequenceEmbedding => ({
  states: Float32Array.from(states.flat()),
  tokens: states.length,
  width: WIDTH,
  starts: Int32Array.from(spans, ([start]) => start),
  ends: Int32Array.from(spans, ([, end]) => end),
});

export interface EmbeddingToy {
  readonly kind: "causal" | "masked";
  readonly k: number;
}

type Embed = (sequences: readonly string[]) => readonly ToyTokens[];

export const embedding = ({ kind, k }: EmbeddingToy, embed?: Embed): Model => ({
  name: "toy",
  kind,
  tokens: k === 1 ? "one-letter" : "k-mer",
  embed: (sequences) =>
    (embed?.(sequences) ?? sequences.map((letters) => tokensOf(letters.replaceAll("N", "A"), k, kind))).map(
      embeddingOf,
    ),
});

/** Models with one fault in their token states each, and the check that must find it. */
export const embeddingFaults = (toy: EmbeddingToy): readonly (readonly [string, string, Model])[] => {
  const { kind, k } = toy;
  const tokens = (letters: string) => tokensOf(letters.replaceAll("N", "A"), k, kind);
  const made = (embed: Embed) => embedding(toy, embed);
  const eachOf = (change: (letters: string) => ToyTokens) => made((all) => all.map(change));
  const withStates = (
    from: ToyTokens,
    change: (states: readonly (readonly number[])[]) => readonly (readonly number[])[],
  ) => ({
    ...from,
    states: change(from.states),
  });
  const longestOf = (sequences: readonly string[]) => Math.max(...sequences.map(({ length }) => length));
  return [
    ["no entry for a sequence", "answers", made((all) => all.slice(1).map(tokens))],
    [
      "NaN on repeats",
      "finite",
      eachOf((s) =>
        withStates(tokens(s), (states) =>
          /A{20}/.test(s) ? states.map((row) => row.map(() => Number.NaN)) : states,
        ),
      ),
    ],
    [
      "dropout left on",
      "repeatable",
      eachOf((s) =>
        withStates(tokens(s), (states) =>
          states.map((row) => row.map((x) => x * (1 + 0.1 * Math.sin(++noise)))),
        ),
      ),
    ],
    [
      "sorted by length and not restored",
      "batch-order",
      made((all) => all.toSorted((a, b) => b.length - a.length).map(tokens)),
    ],
    [
      "padding attended to",
      "padding",
      made((all) =>
        all.map((s) =>
          withStates(tokens(s), (states) =>
            s.length < longestOf(all) ? states.map((row) => row.map((x) => x + 0.1)) : states,
          ),
        ),
      ),
    ],
    [
      "padding with spans of bases",
      "padding",
      made((all) =>
        all.map((s) => {
          const { states, spans } = tokens(s);
          const more = Array.from(
            { length: longestOf(all) - s.length },
            (_, i) => [s.length + i, s.length + i + 1] as const,
          );
          return { states: [...states, ...more.map(() => states[0])], spans: [...spans, ...more] };
        }),
      ),
    ],
    [
      "special tokens with spans of bases",
      "special-tokens",
      eachOf((s) => {
        const { states } = tokens(s);
        return { states, spans: states.map((_, i) => [i * k, (i + 1) * k] as const) };
      }),
    ],
    [
      "states of the token before",
      "k-mer-offset",
      eachOf((s) => withStates(tokens(s), (states) => [states[0], ...states.slice(0, -1)])),
    ],
    [
      "states of the token after",
      "k-mer-offset",
      eachOf((s) => withStates(tokens(s), (states) => [...states.slice(1), states[0]])),
    ],
    [
      "the last token without its bases",
      "k-mer-offset",
      eachOf((s) => {
        const t = tokens(s);
        return { states: t.states.slice(0, -2), spans: t.spans.slice(0, -2) };
      }),
    ],
    ...(k === 1
      ? []
      : ([
          [
            "spans of k-mers shifted by one base",
            "k-mer-offset",
            eachOf((s) => {
              const { states, spans } = tokens(s);
              const moved = spans.map(([start, end]) => {
                if (end === start) return [0, 0] as const;
                return [
                  start === 0 ? 0 : Math.min(start + 1, s.length),
                  Math.min(end + 1, s.length),
                ] as const;
              });
              return { states, spans: moved };
            }),
          ],
        ] as const)),
    [
      "states of the other strand",
      "strand",
      eachOf((s) => withStates(tokens(s), () => tokens(reverseComplement(s)).states)),
    ],
    // For a bidirectional model such states are not a fault.
    ...(kind === "masked"
      ? []
      : ([
          [
            "states of the other strand, with their spans",
            "strand",
            eachOf((s) => withStates(tokens(s), () => tokens(reverseComplement(s)).states.toReversed())),
          ],
        ] as const)),
    ["N dropped", "unknown-letters", eachOf((s) => tokens(s.replaceAll("N", "")))],
    ["cut at 300 bases", "truncation", eachOf((s) => tokens(s.slice(0, 300)))],
    [
      "states of the first 300 bases",
      "truncation",
      eachOf((s) => {
        const whole = tokens(s);
        return s.length <= 300
          ? whole
          : withStates(whole, (states) => states.map((row, i) => (i * k < 300 ? row : states[0])));
      }),
    ],
  ];
};
