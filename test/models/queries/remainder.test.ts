import { afterAll, expect, test } from "vitest";
import { remainderKMerTokenizer } from "../../../src/dna/tokenizers/remainder-k-mer.ts";
import { llama } from "../../../src/models/language/llama.ts";
import { causalLogLikelihoods } from "../../../src/models/queries/causal-likelihood.ts";
import { Programs } from "../../../src/models/queries/programs.ts";
import { hashedWeights } from "../hashed-weights.ts";

const bases = [..."ATCG"];
const lines = ["<oov>", "<s>", "</s>", "<pad>", ...bases.flatMap((a) => bases.map((b) => a + b))];
const tokenizer = remainderKMerTokenizer("two", lines);
const model = llama.architecture(
  {
    model_type: "llama",
    vocab_size: 20,
    hidden_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 16,
    hidden_act: "silu",
    rms_norm_eps: 1e-5,
    max_position_embeddings: 32,
  },
  "config.json",
);
const weights = hashedWeights(model.tensors);
const programs = new Programs(model, weights, async (name) => weights.get(name)!, {});
const query = { kind: "causal", programs, tokenizer, architecture: model } as const;
afterAll(() => programs.close());

test("the probability of a remainder is the sum over the k-mers that begin with it", async () => {
  const score = async (sequences: readonly string[]) =>
    causalLogLikelihoods(
      query,
      sequences.map((each) => tokenizer.encode(each)),
      {},
    );
  const [odd, prefix] = await score(["ACG", "AC"]);
  const whole = await score(bases.map((base) => `ACG${base}`));
  const total = whole.reduce((sum, value) => sum + Math.exp(value), 0);
  expect(odd).toBeCloseTo(Math.log(total), 5);
  expect(odd).toBeLessThan(prefix);
  const ends = await score(bases.map((base) => `AC${base}`));
  expect(ends.reduce((sum, value) => sum + Math.exp(value - prefix), 0)).toBeLessThanOrEqual(1);
});
