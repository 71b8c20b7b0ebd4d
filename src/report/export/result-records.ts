import { cellName, evaluatedData } from "../../evaluation/runs/cell.ts";
import type { CustomForms } from "../../evaluation/runs/forms.ts";
import { programsOf, type StoredResult } from "../../evaluation/runs/stored-results.ts";
import { readStrata } from "../../evaluation/strata/strata-file.ts";
import { type FieldType, type RecordTable, recordTable } from "./field-table.ts";

/** Fields that name the cell of a record. */
const CELL = {
  cell: "text",
  task: "text",
  dataset: "text",
  setting: "text",
  protocol: "text",
  model: "text",
} as const satisfies Readonly<Record<string, FieldType>>;

const cellOf = ({ result: { identity, cell } }: StoredResult) => ({
  cell: cellName(identity),
  task: cell.task,
  dataset: cell.dataset ?? null,
  setting: cell.setting,
  protocol: cell.protocol,
  model: cell.model.name,
});

/** Cells of some runs: one record per cell with everything that identifies it. */
function cellTable(results: readonly StoredResult[], forms?: CustomForms): RecordTable {
  const types = {
    ...CELL,
    identity: "text",
    family: "text",
    checkpoint: "text",
    model_identity: "text",
    weights: "text",
    task_version: "integer",
    seed: "integer",
    context: "integer",
    split: "text",
    limit: "integer",
    rows: "integer",
    rows_in_table: "integer",
    rows_digest: "text",
    data: "text",
    recipe: "text",
    toolkit: "text",
    device: "text",
    precision: "text",
    seconds: "number",
  } as const;
  const records = results.map((stored) => {
    const { result, timing } = stored;
    const { cell, rows } = result;
    const each = (of: (one: (typeof timing)[number]) => string | null) =>
      [...new Set(timing.map(of))].filter((text) => text !== null).join(", ") || null;
    return {
      ...cellOf(stored),
      identity: result.identity,
      family: result.family ?? null,
      checkpoint: result.checkpoint ?? null,
      model_identity: cell.model.identity,
      weights: cell.weights ?? null,
      task_version: cell.taskVersion,
      seed: cell.seed,
      context: cell.context ?? null,
      split: cell.split,
      limit: cell.limit,
      rows: rows.selected,
      rows_in_table: rows.inTable,
      rows_digest: rows.digest,
      data: JSON.stringify(evaluatedData(cell, forms)),
      recipe: JSON.stringify(cell.recipe),
      toolkit: programsOf(timing).join(", ") || null,
      device: each(({ device }) => device),
      precision: cell.precision ?? null,
      seconds: timing.reduce((sum, { seconds }) => sum + seconds, 0),
    };
  });
  return recordTable("cells", types, records);
}

/**
 * Metrics of some runs in tidy form: one record per metric and interval, or one without bounds for a metric
 * that has no interval. `interval` numbers the intervals of a metric from 1, the one to print first.
 */
function metricTable(results: readonly StoredResult[]): RecordTable {
  const types = {
    ...CELL,
    metric: "text",
    of: "text",
    title: "text",
    main: "integer",
    better: "text",
    chance: "number",
    value: "number",
    interval: "integer",
    low: "number",
    high: "number",
    n: "number",
    method: "text",
    blocks: "integer",
    unreliable: "text",
    why: "text",
  } as const;
  const records = results.flatMap((stored) =>
    stored.result.metrics.flatMap((metric) => {
      const intervals = metric.intervals.length === 0 ? [undefined] : metric.intervals;
      return intervals.map((interval, i) => ({
        ...cellOf(stored),
        metric: metric.name,
        of: metric.of ?? null,
        title: metric.title,
        main: metric.main ? 1 : 0,
        better: metric.better,
        chance: metric.chance ?? null,
        value: metric.value,
        interval: interval === undefined ? null : i + 1,
        low: interval?.low ?? null,
        high: interval?.high ?? null,
        n: interval?.n ?? null,
        method: interval?.method ?? null,
        blocks: interval?.basis?.blocks ?? null,
        unreliable: interval?.basis?.unreliable ?? null,
        why: metric.why ?? null,
      }));
    }),
  );
  return recordTable("metrics", types, records);
}

/** Metrics of groups of rows, such as motifs, in tidy form: one record per group and number. */
function breakdownTable(results: readonly StoredResult[]): RecordTable {
  const types = {
    ...CELL,
    breakdown: "text",
    name: "text",
    within: "text",
    quantity: "text",
    value: "number",
  } as const;
  const records = results.flatMap((stored) =>
    (stored.result.breakdowns ?? []).flatMap(({ name, columns, rows }) =>
      rows.flatMap((row) =>
        columns.map((column, c) => ({
          ...cellOf(stored),
          breakdown: name,
          name: row.name,
          within: row.within ?? null,
          quantity: column.name,
          value: row.values[c] ?? null,
        })),
      ),
    ),
  );
  return recordTable("breakdowns", types, records);
}

/**
 * Main metrics by strata of rows in tidy form: one record per cell and stratum, of cells with `strata.json`.
 */
async function strataTable(results: readonly StoredResult[]): Promise<RecordTable> {
  const types = {
    ...CELL,
    metric: "text",
    property: "text",
    stratum: "text",
    from: "number",
    to: "number",
    rows: "integer",
    value: "number",
    low: "number",
    high: "number",
    n: "number",
    method: "text",
    unreliable: "text",
    suppressed: "text",
  } as const;
  const found = await Promise.all(
    results.map(async (stored) => ({ stored, strata: await readStrata(stored) })),
  );
  const records = found.flatMap(({ stored, strata }) =>
    (strata?.stratifications ?? []).flatMap(({ name: property, strata: some }) =>
      some.map(({ name, from, to, rows, value, interval, suppressed }) => ({
        ...cellOf(stored),
        metric: strata?.metric.name ?? null,
        property,
        stratum: name,
        from: from ?? null,
        to: to ?? null,
        rows,
        value,
        low: interval?.low ?? null,
        high: interval?.high ?? null,
        n: interval?.n ?? null,
        method: interval?.method ?? null,
        unreliable: interval?.basis?.unreliable ?? null,
        suppressed: suppressed ?? null,
      })),
    ),
  );
  return recordTable("strata", types, records);
}

/** All tables of records: cells, metrics, breakdowns and strata. */
export const recordTables = async (
  results: readonly StoredResult[],
  forms?: CustomForms,
): Promise<readonly RecordTable[]> => [
  cellTable(results, forms),
  metricTable(results),
  breakdownTable(results),
  await strataTable(results),
];
