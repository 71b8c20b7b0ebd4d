import { PUBLISHED_RECIPE } from "../../src/models/chrombpnet/training/recipe.ts";
import type { PretrainingRecipe } from "../../src/models/training/pretraining.ts";
import type { ChrombpnetRecord } from "./chrombpnet.ts";
import { FLANK, GENOME } from "./corpus.ts";

/** How a toy was made and what came of it: training.json beside its weights. */
export interface ToyRecord {
  readonly family: string;
  readonly recipe: PretrainingRecipe & { readonly length: number };
  readonly parameters: number;
  /** Of each epoch, nats per guessed token: on the training sequences while it lasted, on the validation sequences after it. */
  readonly losses: readonly (readonly [training: number, validation: number])[];
  /** On pairs of the demo's test chromosomes. */
  readonly accuracy: {
    readonly value: number;
    readonly low: number;
    readonly high: number;
    readonly n: number;
  };
}

/** toys/README.md, from the records. */
export function readmeOf(records: readonly ToyRecord[], chrombpnet?: ChrombpnetRecord): string {
  const lines = records.map(({ family, recipe, parameters, losses, accuracy }) => {
    const { value, low, high, n } = accuracy;
    return [
      `toy:${family}`,
      parameters.toLocaleString("en-US"),
      `${recipe.epochs} × ${recipe.batchSize}, ${recipe.learningRate}`,
      curve(losses.map(([, validation]) => validation)),
      withInterval({ value, low, high }),
      String(n),
    ];
  });
  const header = [
    "model",
    "trained parameters",
    "epochs × batch, learning rate",
    "loss, first to last epoch",
    "paired accuracy",
    "pairs",
  ];
  const knowing = records.filter(({ accuracy }) => accuracy.low > 0.5).map(({ family }) => family);
  const others = records.filter(({ accuracy }) => accuracy.low <= 0.5).map(({ family }) => family);
  return `# Toys

Small language models, one per family, and a small ChromBPNet, for the demo and for trying things: \`--model toy:hyenadna\`. They have the layout of the
real checkpoints and are opened, asked and fine-tuned as those are. **They know the binding sites of our synthetic genomes and nothing of real ones**; no number that
they give says anything about the published models.

\`npx tsx scripts/train-toys.ts\` makes them, with one thread: the same weights each time on the same machine. The language models saw the planted
sites of a synthetic genome of seed ${GENOME.seed} and scale ${GENOME.scale} with ${FLANK} letters on either side, one after the other in random order. The demo's genome has seed 0: other letters, the same kinds of sites.
Masked models guess hidden tokens, causal ones the next token; Adam with a constant learning rate, no dropout.

The loss is the mean cross-entropy per guessed token, in nats, on sequences that were not trained on; tokens differ between families, so losses do as well.
The paired accuracy is Task 1's, zero-shot and corrected, on the test chromosomes of the demo's genome, with its interval of 95 %.

${row(header)}
${row(header.map(() => ":---"))}
${lines.map(row).join("\n")}

The whole interval lies above chance for ${knowing.join(", ") || "none"}.${others.length > 0 ? ` These pairs do not tell from chance: ${others.join(", ")}.` : ""}
${chrombpnet === undefined ? "" : chrombpnetPart(chrombpnet)}`;
}

function chrombpnetPart(record: ChrombpnetRecord): string {
  const { cellLine, recipe, parameters, regions, losses, auroc, pearson } = record;
  const { bias, accessibility, epochs, batchSize, learningRate, countsWeight, negativesPerPeak } = recipe;
  const sizes = ({ filters, dilatedLayers }: typeof bias) =>
    `${filters} filters and ${dilatedLayers} dilated layers`;
  const header = [
    "model",
    "trained parameters",
    "most epochs × batch, learning rate",
    "loss, first to last epoch",
    "AUROC of peaks",
    "Pearson r of variants",
  ];
  const cells = [
    "toy:chrombpnet",
    parameters.toLocaleString("en-US"),
    `${epochs} × ${batchSize}, ${learningRate}`,
    curve(
      losses.accessibility.map(([, validation]) => validation),
      1,
    ),
    withInterval(auroc),
    withInterval(pearson),
  ];
  return `
## ChromBPNet

\`toy:chrombpnet\` predicts the reads of ${cellLine}. It was trained by \`dart-eval chrombpnet train\`'s own code on the training chromosomes of the same
genome of seed ${GENOME.seed}, its epoch chosen on the validation chromosomes: ${regions.peaks.toLocaleString("en-US")} peaks of both, with ${negativesPerPeak} non-peaks per peak. The bias has ${sizes(bias)},
accessibility ${sizes(accessibility)}. The counts' error weighs ${countsWeight} per median read where the published recipe has
${PUBLISHED_RECIPE.countsWeight}: so few filters follow profiles and neglect the counts otherwise. training.json has the whole recipe.

The loss is the whole one of accessibility, on the validation chromosomes; the epoch of the smallest is kept. The AUROC is Task 4's, of peaks against non-peaks on the test chromosomes of the demo's
genome; Pearson's r is Task 5's, of the African variants' effects on it. Both in the setting \`predicted\`, corrected, with intervals of 95 %.

${row(header)}
${row(header.map(() => ":---"))}
${row(cells)}
`;
}

const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

const withInterval = ({ value, low, high }: Readonly<Record<"value" | "low" | "high", number>>) =>
  `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;

/** At most eight of the losses, evenly spread; training.json has all. */
function curve(losses: readonly number[], digits = 3): string {
  const shown = Math.min(8, losses.length);
  const step = (losses.length - 1) / Math.max(shown - 1, 1);
  return Array.from({ length: shown }, (_, i) => losses[Math.round(i * step)].toFixed(digits)).join(" ");
}
