import { CELL_LINES } from "../../datasets/cell-lines.ts";
import { AFRICAN_CAQTLS, YORUBAN_DSQTLS } from "../../datasets/sources/catalogue.ts";
import { type CellRecord, evaluatedData } from "../runs/cell.ts";

/** One data set of the benchmark: the sources that its inputs may be. */
interface BenchmarkData {
  readonly task: string;
  /** Name of the data set where the task has several. */
  readonly dataset: string | null;
  /** By the name of the input; a source that is built into a table stands for the table. */
  readonly inputs: Readonly<Record<string, readonly string[]>>;
  /** The file holds several data sets, and the cell names the one that it read. */
  readonly named?: true;
  /** Seed of the task's own random numbers, where sequences depend on it. */
  readonly seed?: number;
}

function activityOf(line: string): BenchmarkData["inputs"] {
  const name = line.toLowerCase();
  return {
    peaks: [`${name}-dnase-peaks`],
    idr: [`${name}-dnase-idr-peaks`],
    nonpeaks: [`${name}-dnase-non-peaks`],
    signal: [`${name}-dnase-signal`],
  };
}

const BENCHMARK_DATA: readonly BenchmarkData[] = [
  {
    task: "regulatory-elements",
    dataset: null,
    inputs: { elements: ["ccres", "task-1-data"], genome: ["hg38"] },
    seed: 0,
  },
  {
    task: "motif-footprinting",
    dataset: null,
    inputs: { footprints: ["footprint-sequences", "motifs", "task-2-data"] },
  },
  {
    task: "cell-type-elements",
    dataset: null,
    inputs: { elements: ["cell-type-peaks", "task-3-data"], genome: ["hg38"], subset: ["clustering-rows"] },
  },
  ...CELL_LINES.flatMap((dataset): BenchmarkData[] => [
    { task: "chromatin-activity", dataset, inputs: { ...activityOf(dataset), genome: ["hg38"] } },
    { task: "chromatin-activity", dataset, inputs: { peaks: ["task-4-data"] }, named: true },
  ]),
  {
    task: "variant-effects",
    dataset: AFRICAN_CAQTLS,
    inputs: {
      variants: ["african-caqtls"],
      effects: ["task-5-data"],
      genome: ["hg38"],
      ...activityOf("GM12878"),
      "training-genome": ["hg38"],
    },
  },
  {
    task: "variant-effects",
    dataset: YORUBAN_DSQTLS,
    inputs: {
      variants: ["yoruban-dsqtls"],
      genome: ["hg19"],
      ...activityOf("GM12878"),
      "training-genome": ["hg38"],
    },
  },
];

/** The data set of the benchmark that a cell was evaluated on, or why it was not one. */
export type BenchmarkFit = { readonly dataset: string | null } | { readonly why: string };

/** By the origins of the cell's inputs; names of tasks, data sets and files show nothing. */
export function benchmarkDataOf({ cell, origins }: Pick<CellRecord, "cell" | "origins">): BenchmarkFit {
  if (origins === undefined) return { why: "the run did not record where its data come from" };
  const inputs = inputsOf(cell, origins);
  const custom = inputs.filter((input) => origins[input]?.source === undefined);
  if (custom.length > 0) {
    const files = custom.map((input) => origins[input]?.file ?? `${input} given in memory`);
    return { why: `custom data: ${files.join(", ")}` };
  }
  const found = BENCHMARK_DATA.find(
    (data) =>
      data.task === cell.task &&
      (data.named === undefined || data.dataset === cell.dataset) &&
      inputs.every((input) => data.inputs[input]?.includes(origins[input].source!)),
  );
  if (found === undefined) {
    const sources = inputs.map((input) => `${input} ${origins[input].source}`);
    return { why: `inputs that are not one data set of the benchmark: ${sources.join(", ")}` };
  }
  if (found.seed !== undefined && found.seed !== cell.seed) {
    return { why: `controls shuffled with seed ${cell.seed}; the published ones have seed ${found.seed}` };
  }
  return { dataset: found.dataset };
}

/** Names of the inputs that the scores depend on, those that trained included. */
function inputsOf(cell: CellRecord["cell"], origins: NonNullable<CellRecord["origins"]>): string[] {
  const own = Object.keys(evaluatedData(cell));
  const training = Object.keys(cell.data).filter((name) => name.includes(" "));
  const ofTraining = training.map((name) => name.slice(name.indexOf(" ") + 1));
  const trainingGenome = "training-genome" in origins ? "training-genome" : "genome";
  return [...new Set([...own, ...ofTraining.map((name) => (name === "genome" ? trainingGenome : name))])];
}
