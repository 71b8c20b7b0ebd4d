import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tokens } from "../../../src/dna/tokenizers/tokenizer.ts";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import { LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import { dnabert2 } from "../../../src/models/language/dnabert2.ts";
import { hyenadna } from "../../../src/models/language/hyenadna.ts";
import { LanguageModel } from "../../../src/models/language-model.ts";
import type { AlleleTokens } from "../../../src/models/queries/masked-variant.ts";
import { maskedVariantLogLikelihoods } from "../../../src/models/queries/masked-variant.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { TINY_ENCODERS, tinyEncoder } from "../tiny-encoders.ts";
import { counted, tokensOf } from "../tiny-query.ts";
import { plainLogSoftmax } from "./plain-log-softmax.ts";

const corrected = { protocol: "corrected" } as const;
const paper = { protocol: "paper" } as const;

const encoder = TINY_ENCODERS.find(([name]) => name === "Nucleotide Transformer v2")!;
const MASK = encoder[3].special.mask!;

describe("a masked model", () => {
  const query = tinyEncoder(encoder);
  afterAll(() => query.close());

  const row = tokensOf([3, 6, 7, 8, 9, 10, 11, 12]);
  const withToken = (tokens: Tokens, place: number, id: number) => ({
    ...tokens,
    ids: tokens.ids.with(place, id),
  });
  const single: AlleleTokens = [row, withToken(row, 4, 20)];
  const double: AlleleTokens = [row, withToken(withToken(row, 2, 15), 5, 16)];
  const shorter: AlleleTokens = [tokensOf([3, 6, 7]), tokensOf([3, 6, 9])];

  /** log P of both alleles' tokens at other positions, from the row masked at these positions. */
  async function plainly([first, second]: AlleleTokens, hidden: number[], scored: number[]) {
    const common = hidden.reduce((ids, place) => ids.with(place, MASK), first.ids);
    const guesses = await plainLogSoftmax(query, common);
    const sum = ({ ids }: Tokens) => scored.reduce((total, place) => total + guesses[place][ids[place]], 0);
    return [sum(first), sum(second)] as const;
  }

  test("scores both alleles' tokens where they differ, with these masked", async () => {
    const answers = await maskedVariantLogLikelihoods(query, [single, double, shorter], corrected);
    const expected = [
      await plainly(single, [4], [4]),
      await plainly(double, [2, 5], [2, 5]),
      await plainly(shorter, [2], [2]),
    ];
    answers.forEach(({ first, second }, i) => {
      expect(first).toBeCloseTo(expected[i][0], 5);
      expect(second).toBeCloseTo(expected[i][1], 5);
    });
  });

  test("runs one row for a variant of one token", async () => {
    const counter = counted(query);
    await maskedVariantLogLikelihoods(counter.query, [single, shorter, single], corrected);
    expect(counter.rows).toBe(2);
  });

  test("under the paper's protocol sums over the whole row, with the same difference", async () => {
    const answers = await maskedVariantLogLikelihoods(query, [single, shorter], paper);
    const expected = await plainly(single, [4], [1, 2, 3, 4, 5, 6, 7]);
    expect(answers[0].first).toBeCloseTo(expected[0], 4);
    expect(answers[0].second).toBeCloseTo(expected[1], 4);
    const [narrow, narrower] = await maskedVariantLogLikelihoods(query, [single, shorter], corrected);
    const effect = ({ first, second }: { first: number; second: number }) => second - first;
    expect(effect(answers[0])).toBeCloseTo(effect(narrow), 5);
    expect(effect(answers[1])).toBeCloseTo(effect(narrower), 5);
  });

  test("under the paper's protocol sums are float32, as in the original", async () => {
    const [answer] = await maskedVariantLogLikelihoods(query, [single], paper);
    for (const value of [answer.first, answer.second]) expect(Math.fround(value)).toBe(value);
    const exact = await plainly(single, [4], [1, 2, 3, 4, 5, 6, 7]);
    expect(answer.first).not.toBe(exact[0]);
  });

  test("scores equal alleles, and no alleles", async () => {
    expect(await maskedVariantLogLikelihoods(query, [[row, row]], corrected)).toEqual([
      { first: 0, second: 0 },
    ]);
    expect(await maskedVariantLogLikelihoods(query, [], corrected)).toEqual([]);
  });

  test("alleles with different numbers of tokens are an error", async () => {
    const pair: AlleleTokens = [row, tokensOf([3, 6, 7])];
    const asked = maskedVariantLogLikelihoods(query, [single, pair], corrected);
    await expect(asked).rejects.toThrow(/the alleles of variant 1 have 8 and 3 tokens/);
  });
});

describe("a causal model", () => {
  const folder = mkdtempSync(join(tmpdir(), "dart-eval-variant-"));
  let model: LanguageModel;
  beforeAll(async () => {
    await initCheckpoint(hyenadna, { preset: "toy", seed: 0, folder });
    model = await LanguageModel.open(folder, LANGUAGE_MODELS);
  });
  afterAll(async () => {
    await model.close();
    rmSync(folder, { recursive: true });
  });

  const start = "ACGTTGCATG";
  const end = "GGCATAC";
  const pair = [`${start}A${end}`, `${start}T${end}`] as const;
  /** log P(base | prefix), from the likelihoods of two prefixes. */
  const lastGiven = async (letters: string) => {
    const [long, short] = await model.logLikelihood([letters, letters.slice(0, -1)], corrected);
    return long - short;
  };

  test("uses the tokens before the variant only", async () => {
    const [answer] = await model.compareAlleles([pair], corrected);
    expect(answer.first).toBeCloseTo(await lastGiven(`${start}A`), 4);
    expect(answer.second).toBeCloseTo(await lastGiven(`${start}T`), 4);
    const [other] = await model.compareAlleles([[`${start}A`, `${start}T`]], corrected);
    expect(other.first).toBeCloseTo(answer.first, 6);
  });

  test("under the paper's protocol has the same difference", async () => {
    const [narrow] = await model.compareAlleles([pair], corrected);
    const [whole] = await model.compareAlleles([pair], paper);
    expect(whole.second - whole.first).toBeCloseTo(narrow.second - narrow.first, 4);
    expect(whole.first).toBeLessThan(narrow.first - 5);
  });

  test("does not predict the first base", async () => {
    expect(await model.compareAlleles([["ACG", "TCG"]], corrected)).toEqual([{ first: 0, second: 0 }]);
  });
});

test("a variant that changes the number of byte-pair tokens is an error", async () => {
  const folder = temporaryFolder();
  await initCheckpoint(dnabert2, { preset: "toy", seed: 0, folder });
  const model = await LanguageModel.open(folder, LANGUAGE_MODELS);
  const asked = model.compareAlleles([["ACGTACGT", "ACGTACNT"]], corrected);
  await expect(asked).rejects.toThrow(/the alleles of variant 0 have 4 and 6 tokens/);
  await model.close();
});
