import { join } from "node:path";
import { Pcg64 } from "../src/base/pcg64.ts";
import { type Genome, genomeInMemory, openGenome } from "../src/dna/genome/genome.ts";
import { BASES } from "../src/dna/sequence/encoding.ts";
import { inMotif } from "../src/evaluation/strata/genome-values.ts";
import type { Prediction } from "../src/evaluation/tasks/prediction.ts";
import { PredictionColumns } from "../src/evaluation/tasks/prediction-columns.ts";
import { variantEffects } from "../src/evaluation/tasks/variant-effects/variant-effects.ts";
import { HOCOMOCO, seconds, sharedData, theMotifs } from "./motif-scanner.ts";

/** The stratification of variants by overlap with a motif. */
interface VariantsSpeed {
  readonly motifs: string;
  readonly variants: number;
  /** CPU seconds to prepare the motifs of all widths. */
  readonly secondsToPrepare: number;
  readonly secondsToScan: number;
  readonly variantsPerSecond: number;
  readonly variantsTimesMotifsPerSecond: number;
  readonly shareInMotif: number;
}

const VARIANTS = 20_000;

/** Single-nucleotide variants at random positions of chromosome 20 of the test data, or of random bases. */
export async function benchmark(): Promise<readonly VariantsSpeed[]> {
  const rng = new Pcg64(5);
  const { name, motifs } = await theMotifs(rng);
  const genome = await theGenome(rng, name === HOCOMOCO);
  const bases = await genome.chromosome("chr20");
  const positions = Int32Array.from({ length: VARIANTS }, () => Math.floor(rng.nextFloat64() * bases.length));
  const predictions = PredictionColumns.of(
    Array.from(positions.sort(), (start, row): Prediction => {
      const allele1 = String.fromCharCode(bases[start]);
      const others = [...BASES].filter((base) => base !== allele1);
      const allele2 = others[Math.floor(rng.nextFloat64() * others.length)];
      const facts = { chrom: "chr20", start, end: start + 1, allele1, allele2 };
      return { kind: "likelihood", row, values: [0, 0], facts };
    }),
  );
  const rows = { inTable: VARIANTS, selected: VARIANTS, digest: "" };
  const cell = {
    identityVersion: 1,
    task: "variant-effects",
    taskVersion: 1,
    setting: "zero-shot",
    model: { name: "none", identity: null },
    protocol: "corrected" as const,
    seed: 0,
    split: "all" as const,
    limit: null,
    recipe: {},
    data: {},
  };
  const record = { identity: "", cell, rows };
  const prepared = await seconds(() => inMotif(genome, motifs, "motifs.meme"));
  const scanned = await seconds(() =>
    prepared.result.valuesOf({ task: variantEffects, record, predictions }),
  );
  await genome.close();
  const inside = scanned.result.values.filter((value) => value === "in a motif").length;
  return [
    {
      motifs: name,
      variants: VARIANTS,
      secondsToPrepare: prepared.seconds,
      secondsToScan: scanned.seconds,
      variantsPerSecond: VARIANTS / scanned.seconds,
      variantsTimesMotifsPerSecond: (VARIANTS * motifs.length) / scanned.seconds,
      shareInMotif: inside / VARIANTS,
    },
  ];
}

async function theGenome(rng: Pcg64, isShared: boolean): Promise<Genome> {
  if (isShared) return openGenome(join(sharedData, "genome", "mini.hg38.fa.gz"));
  const sequence = Array.from({ length: 1_000_000 }, () => BASES[Math.floor(4 * rng.nextFloat64())]).join("");
  return genomeInMemory("random", new Map([["chr20", sequence]]));
}
