import { join } from "node:path";
import { kindOfPath } from "../../base/folder.ts";
import { caduceusTokenizer } from "../../dna/tokenizers/one-letter.ts";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import {
  add,
  cast,
  concat,
  expand,
  flip,
  gather,
  gatherElements,
  mul,
  range,
  reduceMean,
  reshape,
  slice,
  squeeze,
  sub,
  transpose,
} from "../../net/graph/build.ts";
import type { Dim } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { embed, linear } from "../../net/nn/linear.ts";
import { type Norm, rmsNorm } from "../../net/nn/norm.ts";
import type { Architecture, ClassifierHead, ForwardInput, ForwardOutput } from "./architecture.ts";
import { bidirectionalMamba, reverseComplemented } from "./blocks/mamba.ts";
import {
  type CaduceusConfig,
  type CaduceusParameters,
  declareCaduceus,
  initialCaduceus,
  readCaduceusConfig,
  vocabularyOf,
} from "./caduceus-parameters.ts";
import type { LanguageModelCard } from "./card.ts";
import type { LoraAdapters } from "./lora.ts";
import { ParameterTable } from "./parameters.ts";
import { caduceusCheckpoints } from "./published-checkpoints/caduceus.ts";

// Caduceus-PS shares its parameters between the strands, Caduceus-Ph reads one strand (Schiff et al. 2024,
// arXiv:2403.03234). axes: b batch · t tokens · s strands (2 for PS, else 1) · d width · v vocabulary

interface States {
  readonly hidden: readonly Sym[];
  readonly last: Sym;
}

/**
 * R ← R + H; H ← mixer(RMS(R)) in every block, from H = E[ids] and R = 0; then RMS(R + H). A block's output
 * is added where the next block begins, so hidden states contain no residual.
 *
 * @param ids        [t, rows]
 * @param positions  int32 [rows], one query per row; all tokens if absent
 * @returns          E[ids] and every H, and the normalised sum: each [t, rows, d]; the last H and the sum are
 *   [1, rows, d] with one query per row
 */
function states(
  p: CaduceusParameters,
  c: CaduceusConfig,
  ids: Sym,
  loops: boolean,
  positions: Sym | undefined,
): States {
  const hidden = [embed(p.words, ids)];
  let residual = hidden[0];
  p.blocks.forEach(({ norm, mixer }, i) => {
    const one = i === p.blocks.length - 1 ? positions : undefined;
    const queriesOf = (x: Sym) => (one === undefined ? x : tokenAt(x, one));
    hidden.push(bidirectionalMamba(mixer, rmsNorm(norm, residual, c.norm_epsilon), { loops, queriesOf }));
    residual = add(queriesOf(residual), hidden.at(-1)!);
  });
  return { hidden, last: rmsNorm(p.finalNorm, residual, c.norm_epsilon) };
}

/** Token positions[i] of row i: [t, rows, d], int32 [rows] → [1, rows, d] */
function tokenAt(x: Sym, positions: Sym): Sym {
  const [, rows, width] = x.shape;
  return gatherElements(x, expand(reshape(positions, [1, rows!, 1]), [1, rows!, width!]), 0);
}

/** Caduceus-Ph: the given strand. */
function oneStrand(
  p: CaduceusParameters,
  c: CaduceusConfig,
  { ids, loops = true }: ForwardInput,
  positions?: Sym,
): ForwardOutput {
  const { hidden, last } = states(p, c, tokensFirst(ids), loops, positions);
  const lastHidden = tokensSecond(last);
  return {
    hiddenStates: [...hidden.slice(0, -1).map(tokensSecond), lastHidden],
    lastHidden,
    logits: linear({ weight: p.words.weight }, lastHidden),
  };
}

interface TwoStrands {
  readonly positions: Sym | undefined;
  /**
   * The parameters for the reverse complements, if dropout masks differ: the official blocks read every
   * weight once per strand, and each reading draws its own mask.
   */
  readonly otherStrands: CaduceusParameters | undefined;
}

/** States of both strands, as rows of one batch. */
function rowsOfBoth(own: States, other: States): States {
  return {
    hidden: own.hidden.map((x, i) => concat([x, other.hidden[i]], 1)),
    last: concat([own.last, other.last], 1),
  };
}

/**
 * Caduceus-PS: both strands through the same parameters. The official blocks keep two halves for every token,
 * one per strand, and swap them in each block (as written with `fused_add_norm`, and as trained). Each half
 * is therefore one strand's network whose first, third, … block reads the other strand. Here these blocks are
 * reverse-complemented once, and the strands are rows of one batch.
 */
function twoStrands(
  p: CaduceusParameters,
  c: CaduceusConfig,
  { ids, loops = true }: ForwardInput,
  { positions, otherStrands }: TwoStrands,
): ForwardOutput {
  const [batch, tokens] = ids.shape;
  const [complements, headComplements] = p.complements.map((map) => cast(map, "int32")) as [Sym, Sym];
  const own = tokensFirst(ids);
  const queries = positions && positionsOnBothStrands(positions, tokens!);
  const { hidden, last } =
    otherStrands === undefined
      ? states(fromBothSides(p), c, bothStrands(own, complements), loops, queries)
      : rowsOfBoth(
          states(fromBothSides(p), c, own, loops, undefined),
          states(fromBothSides(otherStrands), c, otherStrand(own, complements), loops, undefined),
        );
  const halves = (x: Sym, blocks: number) => {
    const { own, other } = byStrand(x, batch!);
    return blocks % 2 === 0 ? { own, other } : { own: flip(other, 2), other: flip(own, 2) };
  };
  const lastHalves = halves(last, c.n_layer);
  const lastHidden = sideBySide(lastHalves);
  return {
    hiddenStates: [...hidden.slice(0, -1).map((x, i) => sideBySide(halves(x, i))), lastHidden],
    lastHidden,
    logits: add(
      linear({ weight: p.words.weight }, lastHalves.own),
      linear({ weight: gather(p.words.weight, headComplements) }, lastHalves.other),
    ),
  };
}

/**
 * The parameters for one strand: every other block, from the first, is reverse-complemented, and with an odd
 * number of blocks the final norm too.
 */
function fromBothSides(p: CaduceusParameters): CaduceusParameters {
  const reversed = (norm: Norm): Norm => ({ weight: flip(norm.weight, 0) });
  return {
    ...p,
    blocks: p.blocks.map(({ norm, mixer }, i) =>
      i % 2 === 0 ? { norm: reversed(norm), mixer: reverseComplemented(mixer) } : { norm, mixer },
    ),
    finalNorm: p.blocks.length % 2 === 0 ? p.finalNorm : reversed(p.finalNorm),
  };
}

const tokensFirst = (x: Sym) => transpose(x, [1, 0]);
const tokensSecond = (x: Sym) => transpose(x, [1, 0, 2]);

const architecture = (config: unknown, file: string) => build(readCaduceusConfig(config, file));

/** Ratio of allocated to live memory, as measured: the runtime allocates in steps that double. */
const TAKEN_OVER_ALIVE = 2;

/** Float32 values of the states of all rows up to which a step of the loop stays in the cache. */
const CACHED_VALUES = 2 ** 18;

interface Form {
  /** Declares separate projections for each direction. */
  readonly untied?: boolean;
  readonly lora?: LoraAdapters;
}

function build(c: CaduceusConfig, { untied = false, lora }: Form = {}): Architecture {
  const table = new ParameterTable(lora);
  const p = declareCaduceus(table, c, untied);
  const otherStrands =
    lora?.training && c.rcps
      ? declareCaduceus(new ParameterTable(lora, " of the other strand"), c, untied)
      : undefined;
  const strands = c.rcps ? 2 : 1;
  const forward = (input: ForwardInput, positions?: Sym) =>
    c.rcps ? twoStrands(p, c, input, { positions, otherStrands }) : oneStrand(p, c, input, positions);
  return {
    width: strands * c.d_model,
    layers: c.n_layer,
    vocabulary: vocabularyOf(c),
    maxTokens: Number.POSITIVE_INFINITY,
    tensors: [...table.tensors.values()],
    ignored: [/^score\./],
    takesMask: false,
    fixedLength: false,
    liveValuesPerToken: TAKEN_OVER_ALIVE * strands * (4 + 5 * c.ssm_cfg.expand) * c.d_model,
    mostRowsPerRun: Math.ceil(CACHED_VALUES / (strands * c.ssm_cfg.d_state * c.ssm_cfg.expand * c.d_model)),
    forward: (input) => forward(input),
    ...(otherStrands === undefined ? { forwardAt: forward } : {}),
    untied: () => build(c, { untied: true }),
    classifier: (labels) => classifier(c, labels, p.complements[0], forward),
    wrapped: ["caduceus"],
    adapted: (factors) => build(c, { lora: factors }),
    initial: (tensor) => initialCaduceus(tensor, c),
  };
}

/**
 * `score` on the mean state of all tokens, [SEP] included. With two strands, the mean of the strands' logits:
 * PS has both in every state, Ph runs both only if its config has `conjoin_eval`.
 */
function classifier(
  c: CaduceusConfig,
  labels: number,
  complements: Sym,
  forward: (input: ForwardInput) => ForwardOutput,
): ClassifierHead {
  const table = new ParameterTable();
  const score = table.linear("score", c.d_model, labels, { bias: false });
  const pooled = ({ lastHidden }: ForwardOutput) => reduceMean(lastHidden, [1]);
  const meanOf = (own: Sym, other: Sym) => linear(score, mul(add(own, other), 0.5));
  return {
    tensors: [...table.tensors.values()],
    logits(output, input) {
      const states = pooled(output);
      if (c.rcps) return meanOf(slice(states, 1, 0, c.d_model), flip(slice(states, 1, c.d_model), 1));
      if (!c.conjoin_eval) return linear(score, states);
      const ids = tokensFirst(otherStrand(tokensFirst(input.ids), cast(complements, "int32")));
      return meanOf(states, pooled(forward({ ...input, ids })));
    },
  };
}

export const caduceus: LanguageModelCard = {
  name: "caduceus",
  title: "Caduceus",
  publishedAs: "Caduceus",
  kind: "masked",
  tokens: "one-letter",
  toy: true,
  cite: "Schiff et al. 2024, arXiv:2403.03234",
  licence: "Apache-2.0",
  recognises: ({ model_type }) => model_type === "caduceus",
  architecture,
  /**
   * PlantCaduceus is a Caduceus-PS with a tokenizer.json: bases in lower case, N as [UNK], and no token at
   * the end. The other checkpoints have no tokenizer.json.
   */
  tokenizer: async (folder) =>
    (await kindOfPath(join(folder, "tokenizer.json"))) === "file"
      ? openTokenizer(folder)
      : caduceusTokenizer(),
  ...caduceusCheckpoints,
};

// Both strands as rows of one batch: first all sequences, then all their reverse complements. axes: b batch ·
// t tokens · d width

/** The other strand's tokens: complements in reverse order.  ids: [t, b]; complements: [v] */
const otherStrand = (ids: Sym, complements: Sym): Sym => flip(gather(complements, ids), 0);

/** Sequences and their reverse complements: [t, b] → [t, 2b] */
const bothStrands = (ids: Sym, complements: Sym): Sym => concat([ids, otherStrand(ids, complements)], 1);

/** Positions of a token on both strands: p and t − 1 − p.  int32 [b] → int32 [2b] */
function positionsOnBothStrands(positions: Sym, tokens: Dim): Sym {
  const last = cast(slice(range(tokens), 0, -1), "int32");
  return concat([positions, sub(last, positions)], 0);
}

/** States of both strands, aligned to the sequences' own tokens: each [b, t, d]. */
export interface Strands {
  readonly own: Sym;
  readonly other: Sym;
}

/** Splits the rows of `bothStrands` by strand.  x: [t, 2b, d] */
function byStrand(x: Sym, batch: Dim): Strands {
  const [tokens, , width] = x.shape;
  const strands = transpose(reshape(x, [tokens!, 2, batch, width!]), [1, 2, 0, 3]);
  const strand = (i: number) => squeeze(slice(strands, 0, i, i + 1), 0);
  return { own: strand(0), other: flip(strand(1), 1) };
}

/** One state of twice the width, with the other strand's channels in reverse order: [b, t, 2d] */
const sideBySide = ({ own, other }: Strands): Sym => concat([own, flip(other, 2)], 2);
