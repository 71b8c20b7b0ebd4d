import { CAUSAL, type DemoTask, HEAD, MASKED, NETWORK, SMALL_HEAD, TUNING } from "../runs.ts";

export const regulatoryElementsDemo: DemoTask = {
  task: "regulatory-elements",
  inputs: (files) => ({ elements: files.regulatoryElements }),
  runs: [
    // Masked models evaluate one masked copy of the sequence per token, so few rows suffice. They come first
    // because they take longest of those that do not train.
    { setting: "zero-shot", rows: 4, models: ["toy:caduceus"] },
    { setting: "zero-shot", rows: 16, models: ["toy:nucleotide-transformer", MASKED, "toy:gena-lm"] },
    {
      setting: "zero-shot",
      both: true,
      models: ["kmer-markov:order=1", "kmer-markov:order=5", CAUSAL, "toy:mistral-dna"],
      quick: {},
    },
    {
      setting: "probed",
      recipe: HEAD,
      models: [CAUSAL],
      quick: {
        models: [CAUSAL, MASKED],
        rows: 40,
        recipe: { ...HEAD, epochs: 2, trainRows: 64, valRows: 32 },
      },
    },
    { setting: "probed", rows: 100, recipe: SMALL_HEAD, models: [MASKED] },
    { setting: "fine-tuned", rows: 40, recipe: TUNING, models: [CAUSAL, MASKED] },
    {
      setting: "ab-initio",
      rows: 100,
      recipe: NETWORK,
      models: ["probing-head-like"],
      quick: { rows: 40, recipe: { ...NETWORK, epochs: 1, trainRows: 128, valRows: 32 } },
    },
  ],
  signals: [
    {
      setting: "zero-shot",
      model: "kmer-markov-1",
      equals: 0.5,
      reason: "the shuffle preserves dinucleotide counts",
    },
    {
      setting: "zero-shot",
      model: "kmer-markov-5",
      above: 0.5,
      reason: "6-mers capture parts of sites",
    },
    ...["hyenadna-toy", "mistral-dna-toy"].map((model) => ({
      setting: "zero-shot",
      model,
      above: 0.5,
      reason: "elements contain the sites of its training data",
    })),
    {
      setting: "probed",
      model: "hyenadna-toy",
      metric: "auroc",
      above: 0.5,
      reason: "its embeddings distinguish sites from shuffled ones",
    },
  ],
};
