import { expect, test } from "vitest";
import { openGenome } from "../../src/dna/genome/genome.ts";
import { kMerTokenizer, nucleotideTransformerVocabulary } from "../../src/dna/tokenizers/k-mer.ts";
import { caduceusTokenizer, evoTokenizer, hyenadnaTokenizer } from "../../src/dna/tokenizers/one-letter.ts";
import { openTokenizerJson } from "../../src/dna/tokenizers/open-tokenizer.ts";
import {
  overlappingKMerTokenizer,
  overlappingKMerVocabulary,
} from "../../src/dna/tokenizers/overlapping-k-mer.ts";
import { languageModelCard } from "../../src/models/language/catalogue.ts";
import { HUB_CHECKPOINTS } from "../../src/models/language/hub-checkpoints.ts";
import { modelSizes } from "../../src/report/model-tables.ts";
import { sharedData, testWithSharedData } from "../shared-data.ts";

const sizes = new Map(modelSizes().map((each) => [each.model, each]));

/** Numbers of parameters that others counted in the files (GLMap's audit of models, May 2026). */
const COUNTED: Readonly<Record<string, number>> = {
  "caduceus/ph-131k": 7_725_312,
  "caduceus/ph-1k-d256": 1_934_592,
  "caduceus/ph-1k-d118": 470_702,
  "mistral-dna/1m": 985_664,
  "mistral-dna/17m": 16_797_952,
  "mistral-dna/138m": 138_474_240,
  "mistral-dna/422m": 421_589_760,
  "hf:GenerTeam/GENERator-eukaryote-1.2b-base": 1_162_061_824,
  "hf:GenerTeam/GENERator-eukaryote-3b-base": 2_998_262_784,
  "hf:InstaDeepAI/agro-nucleotide-transformer-1b": 991_261_206,
  // the stored complement maps are two tables of 16 tokens
  "caduceus/ps-131k": 7_725_344 - 2 * 16,
  // the stored frequencies are 16 per layer
  "nucleotide-transformer/v2-50m-multi-species": 55_905_164 - 12 * 16,
  "nucleotide-transformer/v2-100m-multi-species": 97_889_484 - 22 * 16,
  // the stored head repeats the word embeddings and its bias, and positions are numbered
  "gena-lm/base-lastln-t2t": 135_260_928 - 32_000 * 769 - 512,
};

test.each(Object.entries(COUNTED))("the parameters of %s are those of its file", (model, counted) => {
  expect(sizes.get(model)?.parameters).toBe(counted);
});

test.each([
  ["l20", 20],
  ["l24", 40],
  ["l28", 112],
  ["l32", 225],
])("the parameters of PlantCaduceus_%s are the %i million that its authors state", (name, millions) => {
  const { parameters } = sizes.get(`hf:kuleshov-group/PlantCaduceus_${name}`)!;
  expect(Math.abs(parameters / (1e6 * millions) - 1)).toBeLessThan(0.1);
});

test("the operations of a causal decoder are those of its matrix products and little more", () => {
  // 2 · parameters per token for every dense layer, without the embedding, and 4 · t² · d for attention
  const { gigaflop, tokensOf350: t } = sizes.get("hf:GenerTeam/GENERator-eukaryote-1.2b-base")!;
  const products = 2 * t * (1_162_061_824 - 4128 * 2048) + 26 * 4 * t ** 2 * 2048;
  expect(gigaflop / (products / 1e9)).toBeGreaterThan(1);
  expect(gigaflop / (products / 1e9)).toBeLessThan(1.01);
});

test("a repository is listed once, and its family exists", () => {
  const repos = [...HUB_CHECKPOINTS.map(({ repo }) => repo)];
  expect(new Set(repos).size).toBe(repos.length);
  expect(repos.length + sizes.size).toBeGreaterThan(100);
  for (const { service } of HUB_CHECKPOINTS) {
    if (service.by === "family") expect(languageModelCard(service.family).name).toBe(service.family);
  }
  for (const { architecture, trainedOn } of HUB_CHECKPOINTS) {
    expect([architecture, trainedOn]).not.toContain("");
  }
});

const bases = "ACGTTGCA".repeat(44).slice(0, 350);
const vocabulary = nucleotideTransformerVocabulary(2, 6);
test.each([
  ["caduceus/ps-131k", caduceusTokenizer()],
  ["hyenadna/large-1m", hyenadnaTokenizer()],
  ["hf:togethercomputer/evo-1-131k-base", evoTokenizer({ start: true })],
  ["nucleotide-transformer/v2-500m-multi-species", kMerTokenizer("nt", vocabulary, "vocab.txt")],
  ["hf:zhihan1996/DNA_bert_6", overlappingKMerTokenizer("6", overlappingKMerVocabulary(6), "vocab.txt")],
] as const)("350 bases are as many tokens of %s as listed", (model, tokenizer) => {
  expect(sizes.get(model)?.tokensOf350).toBe(tokenizer.encode(bases).ids.length);
});

testWithSharedData("the mean number of byte pairs of 350 bases", "genome/mini.hg38.fa.gz", async (file) => {
  const genome = await openGenome(file);
  const chromosome = await genome.chromosome("chr20");
  await genome.close();
  const windows = Array.from({ length: 2000 }, (_, i) =>
    Buffer.from(chromosome.subarray(1000 + 450 * i, 1350 + 450 * i)).toString(),
  );
  for (const [model, folder] of [
    ["dnabert2/117m", "dnabert2"],
    ["gena-lm/large-t2t", "gena_t2t_1000h_multi_32k"],
  ] as const) {
    const tokenizer = await openTokenizerJson(sharedData(`tokenizers/${folder}/tokenizer.json`)!);
    const total = windows.reduce((sum, window) => sum + tokenizer.encode(window).ids.length, 0);
    expect(Math.round(total / windows.length)).toBe(sizes.get(model)?.tokensOf350);
  }
});
