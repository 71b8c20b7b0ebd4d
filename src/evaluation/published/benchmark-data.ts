import { type CellRecord, evaluatedData } from "../runs/cell.ts";
import { type CustomForms, findTask } from "../runs/forms.ts";

/**
 * The benchmark's data set that a cell was evaluated on, or the reason why it was evaluated on other data.
 */
export type BenchmarkFit = { readonly dataset: string | null } | { readonly why: string };

/** Identifies the data set by the origins of the cell's inputs, not by names of data sets or files. */
export function benchmarkDataOf(
  { cell, origins }: Pick<CellRecord, "cell" | "origins">,
  forms?: CustomForms,
): BenchmarkFit {
  if (origins === undefined) return { why: "the run did not record where its data come from" };
  const sources = inputsOf(cell, origins, forms).map((input) => [input, origins[input]?.source] as const);
  const custom = sources.filter(([, source]) => source === undefined);
  if (custom.length > 0) {
    const files = custom.map(([input]) => origins[input]?.file ?? `${input} given in memory`);
    return { why: `custom data: ${files.join(", ")}` };
  }
  const found = findTask(cell.task, forms)?.benchmark?.datasets.find(
    (data) =>
      (data.named === undefined || data.dataset === cell.dataset) &&
      sources.every(([input, source]) => source !== undefined && data.inputs[input]?.includes(source)),
  );
  if (found === undefined) {
    const list = sources.map(([input, source]) => `${input} ${source}`);
    return { why: `inputs that are not one data set of the benchmark: ${list.join(", ")}` };
  }
  if (found.seed !== undefined && found.seed !== cell.seed) {
    return { why: `controls shuffled with seed ${cell.seed}; the published ones have seed ${found.seed}` };
  }
  return { dataset: found.dataset };
}

/**
 * True if a user's name of a data set means one of the benchmark's: equal up to case and punctuation, or an
 * alias.
 */
export function isSameDataset(
  { task, dataset }: { readonly task: string; readonly dataset: string },
  given: string,
  forms?: CustomForms,
): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const known = findTask(task, forms)?.benchmark?.datasets.find((one) => one.dataset === dataset);
  return known?.alias?.test(plain(given)) ?? plain(dataset) === plain(given);
}

/** Names of the inputs that the scores depend on, those of training included. */
function inputsOf(
  cell: CellRecord["cell"],
  origins: NonNullable<CellRecord["origins"]>,
  forms?: CustomForms,
): string[] {
  const own = Object.keys(evaluatedData(cell, forms));
  const training = Object.keys(cell.data).filter((name) => name.includes(" "));
  const ofTraining = training.map((name) => name.slice(name.indexOf(" ") + 1));
  const trainingGenome = "training-genome" in origins ? "training-genome" : "genome";
  return [...new Set([...own, ...ofTraining.map((name) => (name === "genome" ? trainingGenome : name))])];
}
