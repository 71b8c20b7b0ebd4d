import { InputError } from "../../base/errors.ts";
import { baseMap, readAsMap, storedIndex, tokenIndex, tokenRange } from "../../dna/tokenizers/base-map.ts";
import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import { dataOf } from "../../net/arrays/array.ts";
import { chunks, collate, longestRow, rowsPerRun, runsOfEqualLength } from "../language/collate.ts";
import {
  type EmbedOptions,
  type Model,
  type PoolOptions,
  type SequenceEmbedding,
  supports,
} from "../model.ts";
import type { GraphQuery, TokenQuery } from "./programs.ts";

/**
 * Mean of the states of all tokens that cover bases, in float64, without special tokens and padding.
 *
 * @returns [width]; NaN if no token covers a base
 */
export function meanOverBases({ states, tokens, width, starts, ends }: SequenceEmbedding): Float64Array {
  const covering = Array.from({ length: tokens }, (_, i) => i).filter((i) => ends[i] > starts[i]);
  return meanOfRows(states, width, covering);
}

/** Mean of rows of a row-major matrix. */
function meanOfRows(values: Float32Array, width: number, rows: readonly number[]): Float64Array {
  const mean = new Float64Array(width);
  for (const row of rows) {
    for (let column = 0; column < width; column++) mean[column] += values[row * width + column];
  }
  return mean.map((sum) => sum / rows.length);
}

/**
 * Mean of the token states of each sequence, [width], in float64.
 *
 * `corrected`: over the tokens that cover bases. `paper`: over the tokens that the original's scripts
 * averaged. For whole sequences (`over: "bases"`) these are the same, plus [SEP] for models with one token
 * per base (quirk Q6); for alleles (`over: "row"`) the whole padded row (quirk Q9), padding masked.
 *
 * @param bases  length of each sequence
 */
export async function pooledEmbeddings(
  query: TokenQuery,
  rows: readonly Tokens[],
  bases: readonly number[],
  { over, ...options }: PoolOptions,
): Promise<readonly Float64Array[]> {
  const paddingHidden = over === "row";
  const embeddings = await tokenStates(query, rows, { ...options, paddingHidden });
  return embeddings.map((embedding, i) => {
    if (options.protocol !== "paper") return meanOverBases(embedding);
    const { start, end } =
      over === "row"
        ? { start: 0, end: embedding.tokens }
        : tokenRange(readAsMap(storedIndex(tokenIndex(query.tokenizer, rows[i], bases[i]))));
    return meanOfTokens(embedding, start, end);
  });
}

/** Mean of the states of tokens [start, end). */
function meanOfTokens({ states, width }: SequenceEmbedding, start: number, end: number): Float64Array {
  const range = Array.from({ length: end - start }, (_, token) => start + token);
  return meanOfRows(states, width, range);
}

/**
 * Mean token states from any model: by its `pool`, or else from its `embed`. The rules of `paper` above then
 * follow from the tokens' spans: where every base has its own token, the token after the last base is [SEP].
 *
 * @throws {InputError} when the model has neither
 */
export async function poolSequences(
  model: Model,
  sequences: readonly string[],
  options: PoolOptions,
): Promise<readonly Float64Array[]> {
  if (supports(model, "pool")) return model.pool(sequences, options);
  if (!supports(model, "embed")) {
    throw new InputError(
      `the model ${JSON.stringify(model.name)} gives no embeddings: it has neither \`pool\` nor \`embed\``,
    );
  }
  const { over, ...rest } = options;
  const embeddings = await model.embed(sequences, { ...rest, paddingHidden: over === "row" });
  if (options.protocol !== "paper") return embeddings.map(meanOverBases);
  return embeddings.map((embedding, i) => {
    const { start, end } =
      over === "row" ? { start: 0, end: embedding.tokens } : paperRange(embedding, sequences[i].length);
    return meanOfTokens(embedding, start, end);
  });
}

/** Range of tokens that the original averaged for a sequence of this many bases. */
function paperRange({ tokens, starts, ends }: SequenceEmbedding, bases: number) {
  const first = ends.findIndex((end, token) => end > starts[token]);
  const oneEach =
    first >= 0 &&
    first + bases <= tokens &&
    starts.subarray(first, first + bases).every((start, i) => start === i && ends[first + i] === i + 1);
  if (oneEach) return { start: first, end: Math.min(first + bases + 1, tokens) };
  return tokenRange(readAsMap(baseMap({ starts, ends }, bases)));
}

export const statesQuery: GraphQuery = {
  name: "states",
  outputs: (model, given, tokens) => ({ states: model.forward(given, tokens).lastHidden }),
};

/**
 * Last hidden states of every token of every row.
 *
 * `corrected`: rows of equal length are run together, so that nothing is padded and a row's states depend on
 * the row alone.
 *
 * `paper`: the rows are one batch of the original and are padded to the longest of them. The model attends to
 * padding unless `paddingHidden`: the original passed no attention mask when it extracted embeddings (quirk
 * Q7), so states depend on the batch; it passed one when it compared alleles. States of padding are returned
 * too.
 *
 * @throws {InputError} when rows must be padded and the tokenizer has no padding token
 */
export async function tokenStates(
  query: TokenQuery,
  rows: readonly Tokens[],
  { protocol, paddingHidden = false, padTo = 0, signal }: EmbedOptions,
): Promise<readonly SequenceEmbedding[]> {
  const { architecture, programs, tokenizer } = query;
  const together = protocol === "paper" ? Math.max(longestRow(rows), padTo) : undefined;
  const runs =
    together === undefined
      ? runsOfEqualLength(rows, architecture)
      : chunks([...rows.keys()], rowsPerRun(architecture, together));
  const outputs: SequenceEmbedding[] = [];
  for (const members of runs) {
    signal?.throwIfAborted();
    const given = members.map((row) => rows[row]);
    const tokens = together ?? longestRow(given);
    const pad = given.some(({ ids }) => ids.length < tokens) ? padId(tokenizer) : 0;
    const batch = collate(given, { pad, tokens });
    if (together !== undefined && !paddingHidden) batch.mask.data.fill(1);
    const results = await programs.run(statesQuery, batch);
    const width = results.states.shape[2];
    const all = dataOf(results.states, "float32");
    members.forEach((row, i) => {
      outputs[row] = {
        states: all.slice(i * tokens * width, (i + 1) * tokens * width),
        tokens,
        width,
        starts: padded(rows[row].starts, tokens),
        ends: padded(rows[row].ends, tokens),
      };
    });
  }
  return outputs;
}

/** Spans of tokens; those of padding are empty. */
function padded(spans: Int32Array, tokens: number): Int32Array {
  if (spans.length === tokens) return spans;
  const longer = new Int32Array(tokens);
  longer.set(spans);
  return longer;
}

function padId({ name, special }: TokenQuery["tokenizer"]): number {
  if (special.pad !== undefined) return special.pad;
  throw new InputError(`the tokenizer ${name} has no padding token, but the rows differ in length`, {
    hint: "its files must define pad_token; the corrected protocol needs no padding",
  });
}
