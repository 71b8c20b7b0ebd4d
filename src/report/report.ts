import type { Motif } from "../dna/motifs/motif.ts";
import { readCellPredictions } from "../evaluation/comparison/cell-predictions.ts";
import type { PublishedResult } from "../evaluation/published/published-result.ts";
import { readPublished } from "../evaluation/published/read-published.ts";
import { allTasks, type CustomForms, findTask } from "../evaluation/runs/forms.ts";
import type { StoredResult } from "../evaluation/runs/result.ts";
import { type CellStrata, readStrata } from "../evaluation/strata/strata-file.ts";
import type { PredictionColumns } from "../evaluation/tasks/prediction-columns.ts";
import type { RowView } from "../evaluation/tasks/row-view.ts";
import type { Task } from "../evaluation/tasks/task.ts";
import { compareModels, type PanelComparison, panelComparison } from "./comparisons.ts";
import { type Panel, panelsOf } from "./panels.ts";
import { type PublishedValues, publishedValues } from "./published-table.ts";
import type { StrataOfCells } from "./strata-tables.ts";

/** Title and description of a task. */
type TaskHeading = Pick<Task, "title" | "question">;

/** Panel with everything that a report shows. */
export interface ReportPanel extends Panel {
  readonly heading: TaskHeading;
  /** Comparison of its models, one group per protocol. */
  readonly comparison: PanelComparison;
  /** Rows by cell identity, of cells whose rows are stored. */
  readonly views: ReadonlyMap<string, RowView>;
  /** Strata of the results that `dart-eval strata` was run on. */
  readonly strata: StrataOfCells;
  /** Published numbers of the same models on the same data. */
  readonly published: PublishedValues;
  /** Matrices of motifs by name, for logos. */
  readonly motifs?: ReadonlyMap<string, Motif>;
  /** Custom tasks, settings and families of the report. */
  readonly forms?: CustomForms | undefined;
}

/** Contents of a page or document. */
export interface Report {
  readonly title: string;
  readonly panels: readonly ReportPanel[];
}

/** Names of all models, in order of first occurrence. */
export const modelsOf = ({ panels }: Report): readonly string[] => [
  ...new Set(panels.flatMap(({ entries }) => entries.map(({ label }) => label))),
];

/** Options of `gatherReport`. */
export interface ReportOptions {
  readonly title?: string;
  /** Titles of tasks by name, since results have the name only; default: the catalogue and `forms`. */
  readonly tasks?: readonly (TaskHeading & Pick<Task, "name">)[];
  /** Published results; default: those of the package. */
  readonly published?: readonly PublishedResult[];
  /** Reads the predictions of a cell; undefined: none stored. Default: the shards of the cell's run. */
  readonly predictions?: (stored: StoredResult) => Promise<PredictionColumns | undefined>;
  /** Matrices of motifs by name, for logos. */
  readonly motifs?: ReadonlyMap<string, Motif>;
  /** Custom tasks, settings and model families that results name. */
  readonly forms?: CustomForms;
}

/** Builds a report from merged results and the rows of their runs. */
export async function gatherReport(
  results: readonly StoredResult[],
  {
    title = "DNA language models on regulatory DNA",
    forms,
    motifs,
    tasks = allTasks(forms),
    published,
    predictions = storedPredictions,
  }: ReportOptions = {},
): Promise<Report> {
  const known = published ?? (await readPublished());
  const groups = await compareModels(results, forms);
  const panels: ReportPanel[] = [];
  for (const panel of panelsOf(results, forms)) {
    const views = await viewsOf(panel, predictions, forms);
    const heading = taskHeading(panel.task, tasks);
    panels.push({
      ...panel,
      heading,
      comparison: panelComparison(groups, panel),
      views,
      strata: await strataOf(panel),
      published: publishedValues(panel, known, forms),
      ...(motifs === undefined ? {} : { motifs }),
      forms,
    });
  }
  return { title, panels };
}

function taskHeading(name: string, tasks: NonNullable<ReportOptions["tasks"]>): TaskHeading {
  const task = tasks.find((one) => one.name === name);
  return task ?? { title: name, question: "A custom task without description." };
}

/** Strata of a panel's results by cell identity. */
async function strataOf({ entries }: Panel): Promise<StrataOfCells> {
  const strata = new Map<string, CellStrata>();
  for (const { stored, result } of entries) {
    const found = await readStrata(stored);
    if (found !== undefined) strata.set(result.identity, found);
  }
  return strata;
}

/** Rows of each entry of a panel, by cell identity; entries without stored rows are left out. */
async function viewsOf(
  { entries }: Panel,
  predictionsOf: NonNullable<ReportOptions["predictions"]>,
  forms: CustomForms | undefined,
): Promise<ReadonlyMap<string, RowView>> {
  const views = new Map<string, RowView>();
  for (const { stored, result } of entries) {
    const { task: name, taskVersion, protocol, seed, recipe, model } = result.cell;
    const task = findTask(name, forms);
    // Another version of the task may have other facts.
    if (task?.viewRows === undefined || task.version !== taskVersion) continue;
    const predictions = await predictionsOf(stored);
    if (predictions === undefined || predictions.length === 0) continue;
    const scoreRounding = model.scoreRounding ?? result.ties?.rounding ?? 0;
    const context = { protocol, seed, recipe, scoreRounding, rowsInTable: result.rows.inTable };
    views.set(result.identity, await task.viewRows(predictions, context));
  }
  return views;
}

async function storedPredictions(stored: StoredResult): Promise<PredictionColumns | undefined> {
  const read = await readCellPredictions(stored);
  return "why" in read ? undefined : read.predictions;
}
