import { afterAll, expect, test } from "vitest";
import {
  overlappingKMerTokenizer,
  overlappingKMerVocabulary,
} from "../../../src/dna/tokenizers/overlapping-k-mer.ts";
import { bert } from "../../../src/models/language/bert.ts";
import { statesQuery } from "../../../src/models/queries/embeddings.ts";
import { maskedTokenLogProbabilities } from "../../../src/models/queries/masked-likelihood.ts";
import { maskedVariantLogLikelihoods } from "../../../src/models/queries/masked-variant.ts";
import { Programs } from "../../../src/models/queries/programs.ts";
import { hashedWeights } from "../hashed-weights.ts";

const tokenizer = overlappingKMerTokenizer("two", overlappingKMerVocabulary(2));
const model = bert.architecture(
  {
    vocab_size: 21,
    hidden_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 16,
    max_position_embeddings: 32,
  },
  "config.json",
);
const weights = hashedWeights(model.tensors);
const programs = new Programs(model, weights, async (name) => weights.get(name)!, {});
const query = { kind: "masked", programs, tokenizer, architecture: model } as const;
afterAll(() => programs.close());

const OPTIONS = { protocol: "corrected" } as const;

/** Logits at every position of a row. */
async function logitsOf(ids: readonly number[]) {
  const row = {
    ids: { dtype: "int32", shape: [1, ids.length], data: Int32Array.from(ids) },
    mask: { dtype: "float32", shape: [1, ids.length], data: new Float32Array(ids.length).fill(1) },
  } as const;
  const all = await programs.run(
    { ...statesQuery, name: "logits", outputs: (m, given, t) => ({ logits: m.forward(given, t).logits }) },
    row,
  );
  const values = [...(all.logits.data as Float32Array)];
  return ids.map((_, i) => values.slice(21 * i, 21 * (i + 1)));
}

/** log of the share of the k-mers with a base at an offset in the softmax. */
function logShare(logits: readonly number[], offset: number, base: string) {
  const weightOf = (id: number) => Math.exp(logits[id]);
  const ids = logits.map((_, id) => id);
  const total = ids.reduce((sum, id) => sum + weightOf(id), 0);
  const own = ids.filter((id) => id >= 5 && tokenizer.token(id)![offset] === base);
  return Math.log(own.reduce((sum, id) => sum + weightOf(id), 0) / total);
}

test("a base is predicted with all its k-mers masked, as the sum over the k-mers that have it", async () => {
  const sequence = "ACGTT";
  const tokens = tokenizer.encode(sequence);
  const [scored] = await maskedTokenLogProbabilities(query, [tokens], OPTIONS);
  const ids = [...tokens.ids];
  const MASK = 4;
  const perBase: number[] = [];
  for (let base = 0; base < sequence.length; base++) {
    const masked = ids.map((id, i) =>
      i >= 1 && i <= 4 && (i - 1 === base || i - 1 === base - 1) ? MASK : id,
    );
    const token = Math.min(base, 3);
    perBase.push(logShare((await logitsOf(masked))[token + 1], base - token, sequence[base]));
  }
  // spans of 2-mers: their first base; the last one also has the last base
  const expected = [perBase[0], perBase[1], perBase[2], perBase[3] + perBase[4]];
  expect(scored.first).toBe(1);
  expect([...(scored.values as Float64Array)].map((v, i) => Math.abs(v - expected[i]) < 1e-5)).toEqual([
    true,
    true,
    true,
    true,
  ]);
});

test("the probabilities of the four bases at a position sum to at most 1, and alleles read the same", async () => {
  const alleles = [..."ACGT"].map((base) => tokenizer.encode(`AC${base}TT`));
  const [first, ...others] = alleles;
  const pairs = others.map((other) => [first, other] as const);
  const results = await maskedVariantLogLikelihoods(query, pairs, OPTIONS);
  const logs = [results[0].first, ...results.map(({ second }) => second)];
  expect(new Set(results.map((each) => each.first)).size).toBe(1);
  const total = logs.reduce((sum, value) => sum + Math.exp(value), 0);
  expect(total).toBeGreaterThan(0.5);
  expect(total).toBeLessThanOrEqual(1 + 1e-6);
  const rows = await maskedTokenLogProbabilities(query, alleles, OPTIONS);
  rows.forEach(({ values }, i) => {
    expect(values[2]).toBeCloseTo(logs[i], 5);
  });
});

test("an unknown k-mer is predicted as such", async () => {
  const [scored] = await maskedTokenLogProbabilities(query, [tokenizer.encode("ACNTT")], OPTIONS);
  expect(Array.from(scored.values).every((value) => Number.isFinite(value) && value < 0)).toBe(true);
});
