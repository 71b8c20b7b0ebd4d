import { join } from "node:path";
import { FormatError } from "../base/errors.ts";
import { forEachLine } from "../base/text-lines.ts";
import type { PublishedResult } from "../evaluation/published/published-result.ts";
import { readPublished } from "../evaluation/published/read-published.ts";
import { allTasks, type CustomForms } from "../evaluation/runs/forms.ts";
import type { StoredResult } from "../evaluation/runs/result.ts";
import type { Task } from "../evaluation/tasks/task.ts";
import { type Histogram, histogram } from "./chart-data.ts";
import { type Panel, panelsOf } from "./panels.ts";
import { type PublishedValues, publishedValues } from "./published-table.ts";

/** Title and description of a task. */
type TaskHeading = Pick<Task, "title" | "asks">;

/** Panel with everything that a report shows. */
export interface ReportPanel extends Panel {
  readonly heading: TaskHeading;
  /** Histograms of score differences by cell identity, of cells with pairs of scores. */
  readonly differences: ReadonlyMap<string, Histogram>;
  /** Published numbers of the same models on the same data. */
  readonly published: PublishedValues;
  /** Custom tasks, settings and families of the report. */
  readonly forms?: CustomForms | undefined;
}

/** Contents of a page or document. */
export interface Report {
  readonly title: string;
  readonly panels: readonly ReportPanel[];
}

/** Options of `gatherReport`. */
export interface ReportOptions {
  readonly title?: string;
  /** Titles of tasks by name, since results have the name only; default: the catalogue and `forms`. */
  readonly tasks?: readonly (TaskHeading & Pick<Task, "name">)[];
  /** Published results; default: those of the package. */
  readonly published?: readonly PublishedResult[];
  /** Custom tasks, settings and model families that results name. */
  readonly forms?: CustomForms;
}

/** Builds a report from merged results, with score differences from their folders. */
export async function gatherReport(
  results: readonly StoredResult[],
  {
    title = "DNA language models on regulatory DNA",
    forms,
    tasks = allTasks(forms),
    published,
  }: ReportOptions = {},
): Promise<Report> {
  const known = published ?? (await readPublished());
  const panels: ReportPanel[] = [];
  for (const panel of panelsOf(results, forms)) {
    const differences = new Map<string, Histogram>();
    for (const { stored, result } of panel.entries) {
      const values = await scoreDifferences(stored);
      if (values !== undefined) differences.set(result.identity, histogram(values));
    }
    const heading = taskHeading(panel.task, tasks);
    panels.push({ ...panel, heading, differences, published: publishedValues(panel, known, forms), forms });
  }
  return { title, panels };
}

function taskHeading(name: string, tasks: NonNullable<ReportOptions["tasks"]>): TaskHeading {
  const task = tasks.find((one) => one.name === name);
  return task ?? { title: name, asks: "A custom task without description." };
}

/**
 * Score of element minus control for every row, from a merged cell's `scores.tsv`; 0 for ties.
 *
 * @returns  in file order; undefined if the cell has no pairs of scores
 * @throws {FormatError} naming file and line when a score is not a number
 */
async function scoreDifferences({ folder, result }: StoredResult): Promise<Float64Array | undefined> {
  if (!("median_diff" in result.published)) return undefined;
  const file = join(folder, "scores.tsv");
  const { rounding = 0 } = result.ties ?? {};
  const differences: number[] = [];
  let element = -1;
  let control = -1;
  await forEachLine(file, (text, line) => {
    const cells = text.split("\t");
    if (line === 1) {
      element = cells.indexOf("seq_score");
      control = cells.indexOf("ctrl_score");
      if (element < 0 || control < 0) {
        throw new FormatError(
          { file, line },
          `the header is ${JSON.stringify(text)}; expected columns seq_score and ctrl_score`,
        );
      }
      return;
    }
    const [first, second] = [Number(cells[element]), Number(cells[control])];
    const difference = first - second;
    if (!Number.isFinite(difference)) {
      throw new FormatError(
        { file, line },
        `the row is ${JSON.stringify(text)}; expected two scores`,
        "run dart-eval merge again",
      );
    }
    const tie = Math.abs(difference) <= rounding * (Math.abs(first) + Math.abs(second));
    differences.push(tie ? 0 : difference);
  });
  return Float64Array.from(differences);
}
