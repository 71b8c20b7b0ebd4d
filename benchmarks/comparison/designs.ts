import type { Dependence, Layout } from "../coverage/designs.ts";
import type { Design, Metric } from "./simulate.ts";

const MB = 1_000_000;

/** Chromosomes 5, 10, 14, 18, 20 and 22: the benchmark's test split. */
const TEST: Layout = {
  name: "test chromosomes",
  chromosomes: [181, 134, 107, 80, 64, 51].map((length) => length * MB),
};
const groups = (count: number): Layout => ({ name: `${count} unequal groups`, groups: count, unequal: true });

const INDEPENDENT: Dependence = { strength: 0, range: 0, shape: "domains" };
const DOMAINS: Dependence = { strength: 0.4, range: 2 * MB, shape: "domains" };
const WITHIN: Dependence = { strength: 0.3, range: 0, shape: "domains" };

type Place = Pick<Design, "layout" | "rows" | "dependence">;

const PLACES: readonly Place[] = [
  { layout: TEST, rows: 1000, dependence: INDEPENDENT },
  { layout: TEST, rows: 1000, dependence: DOMAINS },
  { layout: groups(8), rows: 400, dependence: WITHIN },
  { layout: groups(40), rows: 800, dependence: WITHIN },
];

/**
 * A value of each metric in the middle of its usual range, and a difference that about half of the tests
 * find.
 */
const VALUES: Readonly<Record<Metric, readonly [value: number, difference: number]>> = {
  "paired accuracy": [0.75, 0.04],
  AUROC: [0.7, 0.055],
  Spearman: [0.4, 0.07],
};

const METRICS = ["paired accuracy", "AUROC", "Spearman"] as const satisfies readonly Metric[];

const designsOf = (values: (value: number, difference: number) => readonly number[], places = PLACES) =>
  places.flatMap((place) =>
    METRICS.map((metric): Design => ({ ...place, metric, values: values(...VALUES[metric]) })),
  );

/** Two models: equal, and different. */
export const PAIRS: readonly Design[] = [
  ...designsOf((value) => [value, value]),
  ...designsOf((value, difference) => [value + difference, value]),
];

const FEW = PLACES.slice(1, 3);

/** Six models: all equal, one slightly better, and in steps. */
export const FAMILIES: readonly Design[] = [
  ...designsOf((value) => Array.from({ length: 6 }, () => value), FEW),
  ...designsOf((value, d) => [value + d / 2, value, value, value, value, value], FEW),
  ...designsOf((value, d) => [0.5, 0.3, 0, -0.5, -1, -1.5].map((step) => value + step * d), FEW),
];

/** Five tasks with the same models, each with its own values. */
export interface Tasks {
  readonly title: string;
  readonly tasks: readonly Design[];
}

const TASK_METRICS = ["paired accuracy", "AUROC", "Spearman", "paired accuracy", "AUROC"] as const;

const tasksOf = (title: string, steps: (task: number) => readonly number[]): Tasks => ({
  title,
  tasks: TASK_METRICS.map((metric, task) => {
    const [value, difference] = VALUES[metric];
    return { ...PLACES[1], rows: 600, metric, values: steps(task).map((step) => value + step * difference) };
  }),
});

/** From equal models to models in steps. */
export const SEVERAL_TASKS: readonly Tasks[] = [
  tasksOf("five tasks, five models, all equal", () => [0, 0, 0, 0, 0]),
  tasksOf("five tasks, five models, two of them better in two tasks", (task) =>
    task < 2 ? [2, 2, 0, 0, 0] : [0, 0, 0, 0, 0],
  ),
  tasksOf("five tasks, five models, in steps", (task) =>
    [0, 1, 2, 3, 4].map((model) => ((model + task * (task === 4 ? 2 : 0)) % 5) - 2),
  ),
  tasksOf("five tasks, five models, in small steps", () => [0.4, 0.2, 0, -0.2, -0.4]),
];

/** Two equal models on a growing number of rows. */
export const SEQUENCES: readonly Design[] = designsOf(
  (value) => [value, value],
  [
    { ...PLACES[0], rows: 2000 },
    { ...PLACES[1], rows: 2000 },
  ],
);

/** `AUROC; 1000 rows, test chromosomes; correlation 0.4 in domains of 2 Mb`. */
export function placeTitle({ metric, layout, rows, dependence: { strength, range } }: Design): string {
  const dependence =
    strength === 0
      ? "independent"
      : range === 0
        ? `correlation ${strength} within groups`
        : `correlation ${strength} in domains of ${range / MB} Mb`;
  return `${metric}; ${rows} rows, ${layout.name}; ${dependence}`;
}
