import { InputError } from "../../base/errors.ts";
import { baseMap, readAsMap, storedIndex, tokenIndex, tokenRange } from "../../dna/tokenizers/base-map.ts";
import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import type { Model, PoolOptions, SequenceEmbedding } from "../model.ts";
import { tokenOutputs } from "./token-outputs.ts";
import type { TokenQuery } from "./token-query.ts";

/**
 * Mean over the tokens that stand for bases of their states, in float64. Special tokens and padding are left out.
 *
 * @returns [width]; NaN where no token stands for a base
 */
export function meanOverBases({ states, tokens, width, starts, ends }: SequenceEmbedding): Float64Array {
  const covering = Array.from({ length: tokens }, (_, i) => i).filter((i) => ends[i]! > starts[i]!);
  return meanOfRows(states, width, covering);
}

/** Mean of some rows of a row-major matrix. */
function meanOfRows(values: Float32Array, width: number, rows: readonly number[]): Float64Array {
  const mean = new Float64Array(width);
  for (const row of rows) {
    for (let column = 0; column < width; column++) mean[column]! += values[row * width + column]!;
  }
  return mean.map((sum) => sum / rows.length);
}

/**
 * One vector per sequence: the mean of its token states, [width], in float64.
 *
 * `corrected`: over the tokens that stand for bases. `paper`: over what the original's scripts took. For whole sequences
 * (`over: "bases"`) that is the same, but of a model of single letters it includes [SEP] (quirk Q6); for alleles (`over:
 * "row"`) it is the padded row with everything in it (quirk Q9), padding hidden from the model.
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
  const embeddings = await tokenOutputs(query, rows, { ...options, paddingHidden });
  return embeddings.map((embedding, i) => {
    if (options.protocol !== "paper") return meanOverBases(embedding);
    const { start, end } =
      over === "row"
        ? { start: 0, end: embedding.tokens }
        : tokenRange(readAsMap(storedIndex(tokenIndex(query.tokenizer, rows[i]!, bases[i]!))));
    return meanOfTokens(embedding, start, end);
  });
}

/** Mean of the states of tokens [start, end). */
function meanOfTokens({ states, width }: SequenceEmbedding, start: number, end: number): Float64Array {
  const range = Array.from({ length: end - start }, (_, token) => start + token);
  return meanOfRows(states, width, range);
}

/**
 * The same of any model: by its own `pool` where it has one, else from its token states. What is told of the original's
 * rules above then goes by the spans of the tokens: where every base has a token of its own, the token after the last base is
 * [SEP].
 *
 * @throws {InputError} when the model gives no embeddings
 */
export async function poolSequences(
  model: Model,
  sequences: readonly string[],
  options: PoolOptions,
): Promise<readonly Float64Array[]> {
  if (model.pool !== undefined) return model.pool(sequences, options);
  if (model.embed === undefined) {
    throw new InputError(`the model ${JSON.stringify(model.name)} gives no embeddings (no \`embed\`)`);
  }
  const { over, ...asked } = options;
  const embeddings = await model.embed(sequences, { ...asked, paddingHidden: over === "row" });
  if (options.protocol !== "paper") return embeddings.map(meanOverBases);
  return embeddings.map((embedding, i) => {
    const { start, end } =
      over === "row" ? { start: 0, end: embedding.tokens } : paperRange(embedding, sequences[i]!.length);
    return meanOfTokens(embedding, start, end);
  });
}

/** Tokens that the original averaged of a sequence of so many bases. */
function paperRange({ tokens, starts, ends }: SequenceEmbedding, bases: number) {
  const first = ends.findIndex((end, token) => end > starts[token]!);
  const oneEach =
    first >= 0 &&
    first + bases <= tokens &&
    starts.subarray(first, first + bases).every((start, i) => start === i && ends[first + i] === i + 1);
  if (oneEach) return { start: first, end: Math.min(first + bases + 1, tokens) };
  return tokenRange(readAsMap(baseMap({ starts, ends }, bases)));
}
