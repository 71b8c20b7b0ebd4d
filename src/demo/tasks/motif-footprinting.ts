import { kindOfPath } from "../../base/folder.ts";
import { readBackgrounds } from "../../datasets/motif-footprinting/backgrounds.ts";
import { writeFootprints } from "../../datasets/motif-footprinting/footprint-file.ts";
import { buildFootprints } from "../../datasets/motif-footprinting/footprints.ts";
import { readMotifs } from "../../dna/motifs/meme.ts";
import { CAUSAL, type DemoTask, MASKED } from "../runs.ts";

export const motifFootprintingDemo: DemoTask = {
  task: "motif-footprinting",
  inputs: (files) => ({ footprints: files.footprints, families: files.motifFamilies }),
  async build({ footprints, motifs: file, backgrounds }) {
    if ((await kindOfPath(footprints)) === "file") return;
    const { motifs } = await readMotifs(file);
    await writeFootprints(
      footprints,
      buildFootprints(await readBackgrounds(backgrounds), motifs, { seed: 0 }),
    );
  },
  runs: [
    { setting: "zero-shot", rows: 400, models: ["kmer-markov:order=5", CAUSAL], quick: { rows: 40 } },
    { setting: "zero-shot-embedding", rows: 400, models: [CAUSAL, MASKED] },
  ],
  signals: [
    ...["kmer-markov-5", "hyenadna-toy"].map((model) => ({
      setting: "zero-shot",
      model,
      above: 0.5,
      reason: "motifs are sites, their shuffles are not",
    })),
    {
      setting: "zero-shot-embedding",
      model: "hyenadna-toy",
      above: 0.5,
      reason: "a site changes its embeddings more than its shuffle does",
    },
  ],
};
