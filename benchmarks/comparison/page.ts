import { FAMILIES, PAIRS, SEQUENCES, SEVERAL_TASKS } from "./designs.ts";
import {
  type FamilyResult,
  measureFamily,
  measurePair,
  measureSequence,
  measureTasks,
  type PairResult,
  type SequenceResult,
  type TasksResult,
} from "./measure.ts";

/** Parts of the simulation. */
export const PARTS = {
  pairs: { designs: PAIRS, measure: measurePair },
  families: { designs: FAMILIES, measure: measureFamily },
  tasks: { designs: SEVERAL_TASKS, measure: measureTasks },
  sequences: { designs: SEQUENCES, measure: measureSequence },
} as const;

export type PartName = keyof typeof PARTS;

/** A result with the number of its simulations. */
export type Simulated<Result> = Result & { readonly replicates: number };

/** Results of the parts. */
export interface Results {
  readonly pairs: readonly Simulated<PairResult>[];
  readonly families: readonly Simulated<FamilyResult>[];
  readonly tasks: readonly Simulated<TasksResult>[];
  readonly sequences: readonly Simulated<SequenceResult>[];
}

/** The tables of all parts as Markdown. */
export function comparisonPage({ pairs, families, tasks, sequences }: Results): string {
  return `# Simulations of comparisons

Written by \`npx tsx benchmarks/comparison.ts\` (\`--part\`, \`--design\` and \`--replicates\` divide the work; \`--write\` makes this page).
\`n\` is the number of simulations; a share of 5 % has a standard error of 0.7 % with 1,000 of them, 1.0 % with 500 and 1.5 % with 200. Half of the
variance of a score is common to all models, the other half is the model's own, and neighbouring rows share a part of both. Simulations
take 1,000 draws and 999 sign flips, the command 5,000 and 9,999. [comparing.md](comparing.md) has the methods.
${[pairsSection(pairs), familiesSection(families), tasksSection(tasks), sequencesSection(sequences)].join("")}`;
}

function pairsSection(pairs: Results["pairs"]): string {
  const rows = pairs.map((one) => [
    one.title,
    one.difference.toFixed(3),
    percent(one.found),
    percent(one.covered),
    percent(one.held),
    String(one.replicates),
  ]);
  return section(
    "Two models",
    `Share of p-values of at most 0.05: the type-I error of equal models, the power of different ones. Coverage of the 95 % interval of the
difference. Share of tie groups that hold the better model (with equal models: a given one of them).`,
    ["design", "true difference", "p ≤ 0.05", "interval covers", "tie group holds the best", "n"],
    rows,
  );
}

function familiesSection(families: Results["families"]): string {
  const rows = families.map((one) => [
    one.title,
    one.values.map((value) => value.toFixed(3)).join(" "),
    percent(one.anyFalse),
    percent(one.power),
    percent(one.held),
    one.size.toFixed(1),
    percent(one.probability),
    String(one.replicates),
  ]);
  return section(
    "Six models",
    `Share of simulations in which Holm's p-value of any pair of equal models is at most 0.05 (family-wise error), power over the pairs that differ,
share of tie groups that hold the truly best model (with several: a given one), their mean size, and the mean probability of being the best
that this model is given.`,
    [
      "design",
      "true values",
      "any false pair",
      "power",
      "tie group holds the best",
      "models in it",
      "probability given",
      "n",
    ],
    rows,
  );
}

function tasksSection(tasks: Results["tasks"]): string {
  const rows = tasks.map((one) => [
    one.title,
    percent(one.falseDiscovery),
    percent(one.power),
    percent(one.ranks),
    one.length.toFixed(1),
    String(one.replicates),
  ]);
  return section(
    "Several tasks",
    `Five models on five tasks with 600 rows each. Benjamini–Hochberg over all 50 pairs at 5 %: mean share of false ones among the pairs found, and
power. Coverage of the 95 % intervals of mean ranks, and their mean length.`,
    ["design", "false discovery rate", "power", "rank interval covers", "its length", "n"],
    rows,
  );
}

function sequencesSection(sequences: Results["sequences"]): string {
  const rows = sequences.map((one) => [
    one.title,
    percent(one.anyTimeFalse),
    percent(one.fixedFalse),
    percent(one.covered),
    one.rows.toFixed(0),
    String(one.replicates),
  ]);
  return section(
    "Growing numbers of rows",
    `Two equal models, looked at after 256, 512, 768, 1024, 1280, 1600 and 2000 rows. Share of simulations in which the interval of the difference
excludes 0 at some look, with bounds that are valid at any look and with intervals of a fixed number of rows. Coverage of the interval
of one model when its evaluation ends at a half-width of 0.06, and the mean number of rows at the end.`,
    [
      "design",
      "any-time bounds exclude 0",
      "fixed intervals exclude 0",
      "interval at the end covers",
      "rows at the end",
      "n",
    ],
    rows,
  );
}

/** A heading, its text and a table; nothing for a part without results. */
function section(
  heading: string,
  text: string,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const table = [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
  return `\n## ${heading}\n\n${text}\n\n${table}\n`;
}

const percent = (share: number | null) =>
  share === null || Number.isNaN(share) ? "–" : `${(100 * share).toFixed(1)} %`;
