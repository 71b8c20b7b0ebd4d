import type { Motif } from "../dna/motifs/motif.ts";
import type { PublishedResult } from "../evaluation/published/published-result.ts";
import { readPublished } from "../evaluation/published/read-published.ts";
import { type CellPredictions, readCellPredictions } from "../evaluation/runs/collect-shards.ts";
import { type CustomForms, findTask } from "../evaluation/runs/forms.ts";
import { type PositionScores, readPositionScores } from "../evaluation/runs/position-scores.ts";
import type { StoredResult } from "../evaluation/runs/stored-results.ts";
import { readStrata } from "../evaluation/strata/strata-file.ts";
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
  /** Scores of bases by cell identity, of runs with `--position-scores`. */
  readonly positions: ReadonlyMap<string, PositionScores>;
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

/** Options of `gatherReport`, with the custom tasks, settings and model families of the results. */
export interface ReportOptions extends CustomForms {
  readonly title?: string;
  /** Published results; default: those of the package. */
  readonly published?: readonly PublishedResult[];
  /** Reads the predictions of a cell; undefined: none stored. Default: the shards of the cell's run. */
  readonly predictions?: (stored: StoredResult) => Promise<PredictionColumns | undefined>;
  /** Matrices of motifs by name, for logos. */
  readonly motifs?: ReadonlyMap<string, Motif>;
}

/** Builds a report from merged results and the rows of their runs. */
export async function gatherReport(
  results: readonly StoredResult[],
  {
    title = "DNA language models on regulatory DNA",
    motifs,
    published,
    predictions,
    ...forms
  }: ReportOptions = {},
): Promise<Report> {
  const known = published ?? (await readPublished());
  const views = new RowViews(predictions, forms);
  const groups = await compareModels(
    results,
    forms,
    predictions === undefined ? (stored) => views.read(stored) : undefined,
  );
  const panels: ReportPanel[] = [];
  for (const panel of panelsOf(results, forms)) {
    const heading = findTask(panel.task, forms) ?? unknownTask(panel.task);
    panels.push({
      ...panel,
      heading,
      comparison: panelComparison(groups, panel),
      views: await views.of(panel),
      positions: await fromEach(panel, readPositionScores),
      strata: await fromEach(panel, readStrata),
      published: publishedValues(panel, known, forms),
      ...(motifs === undefined ? {} : { motifs }),
      forms,
    });
  }
  return { title, panels };
}

/** Heading of a task of another program. */
const unknownTask = (name: string): TaskHeading => ({
  title: name,
  question: "A custom task without description.",
});

/** Contents of a file in the folders of a panel's results, by cell identity. */
async function fromEach<Contents>(
  { entries }: Panel,
  read: (stored: StoredResult) => Promise<Contents | undefined>,
): Promise<ReadonlyMap<string, Contents>> {
  const found = new Map<string, Contents>();
  for (const { stored, result } of entries) {
    const contents = await read(stored);
    if (contents !== undefined) found.set(result.identity, contents);
  }
  return found;
}

/**
 * Rows of results by cell identity. The shards of a cell are read once, for its comparison or its figures.
 */
class RowViews {
  private readonly known = new Set<string>();
  private readonly views = new Map<string, RowView>();

  constructor(
    private readonly predictionsOf: ReportOptions["predictions"],
    private readonly forms: CustomForms | undefined,
  ) {}

  /** Reads the predictions of a result and keeps their view. */
  async read(stored: StoredResult): Promise<CellPredictions> {
    const read = await readCellPredictions(stored);
    await this.add(stored, "why" in read ? undefined : read.predictions);
    return read;
  }

  /** Views of a panel's entries; entries without stored rows are left out. */
  async of({ entries }: Panel): Promise<ReadonlyMap<string, RowView>> {
    const views = new Map<string, RowView>();
    for (const { stored, result } of entries) {
      if (!this.known.has(result.identity)) {
        if (this.predictionsOf === undefined) await this.read(stored);
        else await this.add(stored, await this.predictionsOf(stored));
      }
      const view = this.views.get(result.identity);
      if (view !== undefined) views.set(result.identity, view);
    }
    return views;
  }

  private async add({ result }: StoredResult, predictions: PredictionColumns | undefined): Promise<void> {
    this.known.add(result.identity);
    const { task: name, taskVersion, protocol, seed, recipe, model } = result.cell;
    const task = findTask(name, this.forms);
    // Another version of the task may have other facts.
    if (task?.viewRows === undefined || task.version !== taskVersion) return;
    if (predictions === undefined || predictions.length === 0) return;
    const scoreRounding = model.scoreRounding ?? result.ties?.rounding ?? 0;
    const context = { protocol, seed, recipe, scoreRounding, rowsInTable: result.rows.inTable };
    this.views.set(result.identity, await task.viewRows(predictions, context));
  }
}
