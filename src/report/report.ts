import type { PublishedResult } from "../evaluation/published/published-result.ts";
import { readPublished } from "../evaluation/published/read-published.ts";
import type { StoredResult } from "../evaluation/runs/result.ts";
import type { Task } from "../evaluation/tasks/task.ts";
import { type Histogram, histogram } from "./histogram.ts";
import { type Panel, panelsOf } from "./panels.ts";
import { type PublishedValues, publishedValues } from "./published-table.ts";
import { scoreDifferences } from "./score-differences.ts";

/** What is said of a task above its numbers. */
type Asked = Pick<Task, "title" | "asks">;

export interface ReportPanel extends Panel {
  readonly asked: Asked;
  /** By cell identity; of the cells whose rows are pairs of scores. */
  readonly differences: ReadonlyMap<string, Histogram>;
  /** What the benchmark's authors published of the same models on the same data. */
  readonly published: PublishedValues;
}

/** All that a page or a document shows. */
export interface Report {
  readonly title: string;
  readonly panels: readonly ReportPanel[];
}

export interface ReportOptions {
  readonly title?: string;
  /** Where the results' tasks are looked up by name; results keep nothing but the name. */
  readonly tasks: readonly (Asked & Pick<Task, "name">)[];
  /** Default: all that the package knows. */
  readonly published?: readonly PublishedResult[];
}

/** Gathers merged results, and the score differences that lie beside them. */
export async function gatherReport(
  results: readonly StoredResult[],
  { title = "DNA language models on regulatory DNA", tasks, published }: ReportOptions,
): Promise<Report> {
  const known = published ?? (await readPublished());
  const panels: ReportPanel[] = [];
  for (const panel of panelsOf(results)) {
    const differences = new Map<string, Histogram>();
    for (const { stored, result } of panel.entries) {
      const values = await scoreDifferences(stored);
      if (values !== undefined) differences.set(result.identity, histogram(values));
    }
    const asked = askedBy(panel.task, tasks);
    panels.push({ ...panel, asked, differences, published: publishedValues(panel, known) });
  }
  return { title, panels };
}

function askedBy(name: string, tasks: ReportOptions["tasks"]): Asked {
  const task = tasks.find((one) => one.name === name);
  return task ?? { title: name, asks: "A task that is not in the list this report was made with." };
}
