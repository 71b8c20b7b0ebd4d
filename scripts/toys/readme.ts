import { PUBLISHED_RECIPE } from "../../src/models/chrombpnet/training/recipe.ts";
import type { PretrainingRecipe } from "../../src/models/training/pretraining.ts";
import type { ChrombpnetRecord } from "./chrombpnet.ts";
import { FLANK, GENOME } from "./corpus.ts";

/** Training and evaluation of a toy: training.json next to its weights. */
export interface ToyRecord {
  readonly family: string;
  readonly recipe: PretrainingRecipe & { readonly length: number };
  readonly parameters: number;
  /**
   * Per epoch, nats per predicted token: on the training sequences during it, on the validation sequences
   * after it.
   */
  readonly losses: readonly (readonly [training: number, validation: number])[];
  /** On pairs of the demo's test chromosomes. */
  readonly accuracy: {
    readonly value: number;
    readonly low: number;
    readonly high: number;
    readonly n: number;
  };
}

/** Text of toys/README.md. */
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

Small language models, one per family, and a small ChromBPNet, for the demo and for trials: \`--model toy:hyenadna\`. They have the files of the
published checkpoints and are loaded, evaluated and fine-tuned in the same way. **They are trained on synthetic genomes alone**; their scores say nothing about the
published models.

\`npx tsx scripts/train-toys.ts\` trains them with one thread, which gives the same weights each time on the same machine. The training data of the language models is
the planted sites of a synthetic genome of seed ${GENOME.seed} and scale ${GENOME.scale} with ${FLANK} bases on either side, concatenated in random order. The demo's genome has seed 0: other bases, the same kinds of sites.
Masked models predict masked tokens, causal models the next token; Adam with a constant learning rate, no dropout.

The loss is the mean cross-entropy per predicted token, in nats, on validation sequences; losses of families with different tokens are not comparable.
The paired accuracy is that of Task 1, zero-shot and corrected, on the test chromosomes of the demo's genome, with its 95 % interval.

${row(header)}
${row(header.map(() => ":---"))}
${lines.map(row).join("\n")}

The interval is above chance for ${knowing.join(", ") || "none"}.${others.length > 0 ? ` Not distinguishable from chance on these pairs: ${others.join(", ")}.` : ""}
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
    "maximum epochs × batch, learning rate",
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

\`toy:chrombpnet\` predicts the reads of ${cellLine}. The code of \`dart-eval chrombpnet train\` trained it on the training chromosomes of the same
genome of seed ${GENOME.seed} and selected the epoch on the validation chromosomes: ${regions.peaks.toLocaleString("en-US")} peaks in total, with ${negativesPerPeak} non-peaks per peak. The bias network has ${sizes(bias)},
the accessibility network ${sizes(accessibility)}. The weight of the counts' loss is ${countsWeight} per median read instead of the published
${PUBLISHED_RECIPE.countsWeight}, because so few filters otherwise fit the profiles and neglect the counts. training.json has the whole recipe.

The loss is the total loss of the accessibility network on the validation chromosomes; the epoch with the smallest is selected. The AUROC is that of Task 4, peaks against
non-peaks on the test chromosomes of the demo's genome; Pearson's r is that of Task 5 on the African variants. Both are in the setting \`predicted\`, corrected, with 95 % intervals.

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
