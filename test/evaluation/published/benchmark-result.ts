import { sha256Hex } from "../../../src/base/digest.ts";
import type { CellRecord } from "../../../src/evaluation/runs/cell.ts";
import type { CellResult } from "../../../src/evaluation/runs/stored-results.ts";
import { taskNamed } from "../../../src/evaluation/tasks/catalogue.ts";
import type { Metric } from "../../../src/evaluation/tasks/measurement.ts";
import { recipeFor } from "../../../src/evaluation/tasks/recipe.ts";
import { checkpointName } from "../../../src/models/language/card.ts";
import { LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";

export interface ResultForm {
  readonly task: string;
  readonly setting: string;
  readonly family?: string;
  readonly dataset?: string;
  readonly model?: string;
  readonly metrics?: readonly Metric[];
  /** Sources by input; the benchmark's own where it is absent, custom data where it is empty. */
  readonly sources?: Readonly<Record<string, string>>;
  readonly cell?: Partial<CellRecord["cell"]>;
  /** The published one of the family where it is absent; null for other weights. */
  readonly checkpoint?: string | null;
}

const activity = (line: string) => ({
  peaks: `${line.toLowerCase()}-dnase-peaks`,
  idr: `${line.toLowerCase()}-dnase-idr-peaks`,
  nonpeaks: `${line.toLowerCase()}-dnase-non-peaks`,
  signal: `${line.toLowerCase()}-dnase-signal`,
});

function sourcesOf({ task, dataset = "" }: ResultForm): Readonly<Record<string, string>> {
  switch (task) {
    case "regulatory-elements":
      return { elements: "ccres", genome: "hg38" };
    case "motif-footprinting":
      return { footprints: "footprint-sequences" };
    case "cell-type-elements":
      return { elements: "cell-type-peaks", genome: "hg38" };
    case "chromatin-activity":
      return { ...activity(dataset), genome: "hg38" };
    default:
      return dataset.startsWith("Yor")
        ? { variants: "yoruban-dsqtls", genome: "hg19" }
        : { variants: "african-caqtls", genome: "hg38" };
  }
}

/** The checkpoint of a family that DART-Eval evaluated. */
export function publishedCheckpoint(family: string | undefined): string | undefined {
  const card = LANGUAGE_MODELS.find(({ name }) => name === family);
  const found = card?.checkpoints.find(({ usedByDartEval }) => usedByDartEval);
  return found === undefined ? undefined : checkpointName(found);
}

/** Result of a run on the benchmark's own files under the paper protocol; options override its parts. */
export function benchmarkResult(form: ResultForm): CellResult {
  const { task, setting, family, dataset, metrics = [], model = "model" } = form;
  const settings = taskNamed(task).settings[setting];
  const protocol = form.cell?.protocol ?? "paper";
  const sources = form.sources ?? sourcesOf(form);
  const inputs = Object.keys(sourcesOf(form));
  const checkpoint = form.checkpoint === undefined ? publishedCheckpoint(family) : form.checkpoint;
  const digest = (text: string) => sha256Hex(text);
  return {
    format: "dart-eval result",
    formatVersion: 2,
    identity: digest(JSON.stringify(form)),
    cell: {
      identityVersion: 1,
      task,
      taskVersion: 1,
      ...(dataset === undefined ? {} : { dataset }),
      model: { name: model, identity: model },
      setting,
      protocol,
      seed: 0,
      split: settings.defaultSplit,
      limit: null,
      recipe: recipeFor(settings, { task, setting, family, protocol }),
      data: Object.fromEntries(inputs.map((input) => [input, digest(`${dataset} ${input}`)])),
      ...form.cell,
    },
    rows: { inTable: 100, selected: 100, digest: digest("rows") },
    ...(family === undefined ? {} : { family }),
    ...(checkpoint === undefined || checkpoint === null ? {} : { checkpoint }),
    origins: Object.fromEntries(
      inputs.map((input) => [
        input,
        { file: `${input}.tsv`, ...(sources[input] === undefined ? {} : { source: sources[input] }) },
      ]),
    ),
    metrics,
    published: {},
    counts: {},
    averages: {},
    quirks: [],
    notes: [],
  };
}

/** A metric with an interval of this half-width; without one where that is 0. */
export function metric(name: string, value: number | null, half = 0.01): Metric {
  const intervals =
    value === null || half === 0
      ? []
      : [{ value, low: value - half, high: value + half, n: 100, method: "wilson" }];
  return { name, title: name, better: "higher", main: true, value, intervals };
}
