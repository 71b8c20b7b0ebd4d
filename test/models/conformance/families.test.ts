import { expect, onTestFinished, test } from "vitest";
import { fitKmerMarkov } from "../../../src/models/baselines/kmer-markov.ts";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import { conform } from "../../../src/models/conformance/conform.ts";
import { randomBases } from "../../../src/models/conformance/model-probe.ts";
import { LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import { LanguageModel } from "../../../src/models/language-model.ts";
import type { Model } from "../../../src/models/model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { shallow } from "../shallow.ts";

async function expectSound(model: Model) {
  const results = await conform(model);
  expect(results.filter(({ verdict }) => verdict === "fault")).toEqual([]);
  expect(results.filter(({ verdict }) => verdict === "holds").length).toBeGreaterThan(results.length / 2);
}

/** Likelihoods take a run per base, each a loop over the bases: minutes, which the states do not need. */
const SLOW_LIKELIHOODS = ["caduceus"];

const toys = LANGUAGE_MODELS.flatMap((card) =>
  Object.keys(card.toys)
    .slice(0, 1)
    .map((preset) => ({ card, preset })),
);

test.each(toys)(
  "$card.name $preset",
  async ({ card, preset }) => {
    const folder = temporaryFolder();
    await initCheckpoint(shallow(card), { preset, seed: 3, folder });
    const model = await LanguageModel.open(folder, LANGUAGE_MODELS);
    onTestFinished(() => model.close());
    const slow = SLOW_LIKELIHOODS.includes(card.name);
    await expectSound(slow ? Object.create(model, { logLikelihood: { value: undefined } }) : model);
  },
  120_000,
);

/** All k-mers of the four bases. */
const kmersOf = (k: number): readonly string[] =>
  k === 0 ? [""] : kmersOf(k - 1).flatMap((kmer) => [..."ACGT"].map((base) => kmer + base));

/** Tokenizers that no toy has, each with a family that uses it. */
test.each([
  ["3-mers with a remainder", "llama", ["<oov>", "<s>", "</s>", "<pad>", ...kmersOf(3)]],
  [
    "3-mers and single bases",
    "esm",
    ["<unk>", "<pad>", "<mask>", "<cls>", "<eos>", ...kmersOf(3), ..."ATCGN"],
  ],
] as const)("%s", async (_, name, vocabulary) => {
  const card = LANGUAGE_MODELS.find((each) => each.name === name)!;
  const [toy] = Object.values(card.toys);
  const folder = temporaryFolder();
  const sized = { ...card, toys: { sized: { ...toy, vocab_size: vocabulary.length } } };
  const tokenizer = { "vocab.txt": vocabulary.join("\n") };
  await initCheckpoint(sized, { preset: "sized", seed: 3, folder, tokenizer });
  const model = await LanguageModel.open(folder, LANGUAGE_MODELS);
  onTestFinished(() => model.close());
  expect(model.tokenCount("ACGTACGTAC")).toBeLessThan(12);
  await expectSound(model);
});

test.each([0, 1, 5])("a Markov model of order %i", async (order) => {
  const chromosome = new TextEncoder().encode(randomBases(20_000, 1));
  await expectSound(await fitKmerMarkov([chromosome], { order }));
});
