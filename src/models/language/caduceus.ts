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
import { CACHED_VALUES } from "./blocks/state-space.ts";
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

// Caduceus (Schiff et al. 2024, arXiv:2403.03234): Caduceus-PS evaluates both strands with shared parameters,
// Caduceus-Ph one strand.
// axes: b batch · t tokens · d width · v vocabulary; rows are b sequences, or 2b strands

/** States of the backbone: each [t, rows, d]. */
interface States {
  /** E[ids], then the output H of every block. */
  readonly hidden: readonly Sym[];
  /** RMS(R + H) after the last block. */
  readonly last: Sym;
}

/**
 * The backbone: H = E[ids], R = 0; in every block R ← R + H, H ← mixer(RMS(R)); at the end RMS(R + H). As in
 * the official code, hidden states are the H, without the residual stream R.
 *
 * @param ids        [t, rows]
 * @param positions  int32 [rows], the query of each row: the last H and `last` are [1, rows, d]; all tokens
 *   are queries if absent
 */
function backbone(
  p: CaduceusParameters,
  c: CaduceusConfig,
  ids: Sym,
  loops: boolean,
  positions: Sym | undefined,
): States {
  const hidden = [embed(p.words, ids)];
  let residual = hidden[0];
  p.blocks.forEach(({ norm, mixer }, i) => {
    const queries = i === p.blocks.length - 1 ? positions : undefined;
    const selectQueries = (x: Sym) => (queries === undefined ? x : tokenAt(x, queries));
    const normed = rmsNorm(norm, residual, c.norm_epsilon);
    const output = bidirectionalMamba(mixer, normed, { loops, selectQueries });
    hidden.push(output);
    residual = add(selectQueries(residual), output);
  });
  return { hidden, last: rmsNorm(p.finalNorm, residual, c.norm_epsilon) };
}

/** State of token positions[i] of each row i.  x: [t, rows, d], positions: int32 [rows] → [1, rows, d] */
function tokenAt(x: Sym, positions: Sym): Sym {
  const [, rows, width] = x.shape;
  return gatherElements(x, expand(reshape(positions, [1, rows, 1]), [1, rows, width]), 0);
}

/** Caduceus-Ph: the forward pass on the given strand. */
function oneStrand(
  p: CaduceusParameters,
  c: CaduceusConfig,
  { ids, loops = true }: ForwardInput,
  positions?: Sym,
): ForwardOutput {
  const { hidden, last } = backbone(p, c, tokensFirst(ids), loops, positions);
  const lastHidden = batchFirst(last); // [b, q, d]
  return {
    hiddenStates: [...hidden.slice(0, -1).map(batchFirst), lastHidden],
    lastHidden,
    logits: linear({ weight: p.words.weight }, lastHidden),
  };
}

interface TwoStrands {
  readonly positions: Sym | undefined;
  /**
   * In training with LoRA, the parameters for the reverse complements, with separate dropout masks: the
   * official blocks use every weight once per strand and draw a mask for each use.
   */
  readonly otherStrands: CaduceusParameters | undefined;
}

/** Joins the states of sequences and of reverse complements as rows of one batch. */
function joinRows(own: States, other: States): States {
  return {
    hidden: own.hidden.map((x, i) => concat([x, other.hidden[i]], 1)),
    last: concat([own.last, other.last], 1),
  };
}

/**
 * Caduceus-PS: the forward pass on both strands.
 *
 * In the official code (with `fused_add_norm`, as trained) a token's state has one half per strand, and every
 * block swaps the halves. A half therefore passes alternately through blocks on its own and on the other
 * strand. Here the parameters of every other block are reverse-complemented instead, and the strands are rows
 * of one batch.
 */
function twoStrands(
  p: CaduceusParameters,
  c: CaduceusConfig,
  { ids, loops = true }: ForwardInput,
  { positions, otherStrands }: TwoStrands,
): ForwardOutput {
  const [batch, tokens] = ids.shape;
  const [complements, headComplements] = p.complements.map((map) => cast(map, "int32"));
  const own = tokensFirst(ids); // [t, b]
  const queries = positions && positionsOnBothStrands(positions, tokens);
  const { hidden, last } =
    otherStrands === undefined
      ? backbone(alternateStrands(p), c, bothStrands(own, complements), loops, queries)
      : joinRows(
          backbone(alternateStrands(p), c, own, loops, undefined),
          backbone(alternateStrands(otherStrands), c, reverseComplement(own, complements), loops, undefined),
        );
  /** Halves of the official code's state after this number of blocks. */
  const halvesAfter = (blocks: number, x: Sym) => {
    const { own, other } = byStrand(x, batch);
    return blocks % 2 === 0 ? { own, other } : { own: flip(other, 2), other: flip(own, 2) };
  };
  const lastHalves = halvesAfter(c.n_layer, last);
  const lastHidden = concatStrands(lastHalves); // [b, q, 2d]
  return {
    hiddenStates: [...hidden.slice(0, -1).map((x, i) => concatStrands(halvesAfter(i, x))), lastHidden],
    lastHidden,
    logits: add(
      linear({ weight: p.words.weight }, lastHalves.own),
      linear({ weight: gather(p.words.weight, headComplements) }, lastHalves.other),
    ),
  };
}

/**
 * Parameters whose first, third, … block is reverse-complemented, and with an odd number of blocks the final
 * norm too.
 */
function alternateStrands(p: CaduceusParameters): CaduceusParameters {
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
const batchFirst = (x: Sym) => transpose(x, [1, 0, 2]);

const architecture = (config: unknown, file: string) => build(readCaduceusConfig(config, file));

/** Measured ratio of allocated to live memory: the runtime's allocations double in size. */
const ALLOCATED_PER_LIVE = 2;

interface BuildOptions {
  /** True declares separate projections for each direction. */
  readonly untied?: boolean;
  readonly lora?: LoraAdapters;
}

function build(c: CaduceusConfig, { untied = false, lora }: BuildOptions = {}): Architecture {
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
    liveValuesPerToken: ALLOCATED_PER_LIVE * strands * (4 + 5 * c.ssm_cfg.expand) * c.d_model,
    maxRowsPerRun: Math.ceil(CACHED_VALUES / (strands * c.ssm_cfg.d_state * c.ssm_cfg.expand * c.d_model)),
    forward: (input) => forward(input),
    ...(otherStrands === undefined ? { forwardAt: forward } : {}),
    untied: () => build(c, { untied: true }),
    classifier: (labels) => classifier(c, labels, p.complements[0], forward),
    adaptedModules: ["caduceus"],
    withLora: (factors) => build(c, { lora: factors }),
    initializer: (tensor) => initialCaduceus(tensor, c),
  };
}

/**
 * The dense layer `score` on the mean state of all tokens, [SEP] included. Caduceus-PS averages the logits of
 * both strands, whose states it has; Caduceus-Ph does so, with a second forward pass, if the config has
 * `conjoin_eval`.
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
  const meanLogits = (own: Sym, other: Sym) => linear(score, mul(add(own, other), 0.5));
  return {
    tensors: [...table.tensors.values()],
    logits(output, input) {
      const states = pooled(output);
      if (c.rcps) return meanLogits(slice(states, 1, 0, c.d_model), flip(slice(states, 1, c.d_model), 1));
      if (!c.conjoin_eval) return linear(score, states);
      const ids = tokensFirst(reverseComplement(tokensFirst(input.ids), cast(complements, "int32")));
      return meanLogits(states, pooled(forward({ ...input, ids })));
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
   * Only PlantCaduceus, a Caduceus-PS, has a tokenizer.json: bases in lower case, N as [UNK], no token at the
   * end.
   */
  tokenizer: async (folder) =>
    (await kindOfPath(join(folder, "tokenizer.json"))) === "file"
      ? openTokenizer(folder)
      : caduceusTokenizer(),
  ...caduceusCheckpoints,
};

// Both strands as rows of one batch: first all sequences, then all their reverse complements.
// axes: b batch · t tokens · d width

/** Token ids of the other strand: complements in reverse order.  ids: [t, b], complements: [v] → [t, b] */
const reverseComplement = (ids: Sym, complements: Sym): Sym => flip(gather(complements, ids), 0);

/** Token ids of sequences and of their reverse complements: [t, b] → [t, 2b] */
const bothStrands = (ids: Sym, complements: Sym): Sym =>
  concat([ids, reverseComplement(ids, complements)], 1);

/** Positions of a token on both strands: p and t − 1 − p.  int32 [b] → int32 [2b] */
function positionsOnBothStrands(positions: Sym, tokens: Dim): Sym {
  const last = cast(slice(range(tokens), 0, -1), "int32");
  return concat([positions, sub(last, positions)], 0);
}

/** States of both strands, in the order of the given strand's tokens: each [b, t, d]. */
export interface Strands {
  readonly own: Sym;
  readonly other: Sym;
}

/** Splits the rows of `bothStrands` by strand.  x: [t, 2b, d] */
function byStrand(x: Sym, batch: Dim): Strands {
  const [tokens, , width] = x.shape;
  const strands = transpose(reshape(x, [tokens, 2, batch, width]), [1, 2, 0, 3]);
  const strand = (i: number) => squeeze(slice(strands, 0, i, i + 1), 0);
  return { own: strand(0), other: flip(strand(1), 1) };
}

/** Concatenates the strands' states, the other strand's channels in reverse order: [b, t, 2d] */
const concatStrands = ({ own, other }: Strands): Sym => concat([own, flip(other, 2)], 2);
