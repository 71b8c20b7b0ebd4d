import { join } from "node:path";
import { sha256Hex } from "../../base/digest.ts";
import { stableStringify } from "../../base/json.ts";
import { splitPartOf } from "../../dna/genome/chromosome-split.ts";
import { cellName, evaluatedData, taskTitle } from "../../evaluation/runs/cell.ts";
import { collectShards, findShardsIn } from "../../evaluation/runs/collect-shards.ts";
import { type CustomForms, findTask } from "../../evaluation/runs/forms.ts";
import type { CellResult, StoredResult } from "../../evaluation/runs/stored-results.ts";
import type { Field, FieldTable, FieldValue } from "./field-table.ts";
import { FactColumns, factDescription, factType, sameNumbers, withStrata } from "./row-facts.ts";
import { type RowField, type SpilledCell, scoreColumns, scoresOf, spillCell } from "./score-columns.ts";

/** Rows of one data set with their facts and the scores of all models. */
export interface RowTable extends FieldTable {
  readonly fields: readonly RowField[];
}

/** Values per block, which bound the memory of a block. */
const BLOCK_VALUES = 2 ** 20;

/**
 * Tables of the rows of merged cells: one table per task and evaluated data, with a line per row that any
 * cell scored, in row order. Its fields are the row number, the split of its chromosome, its facts (position,
 * label, effect, ...) and the scores of each cell in the precision of the model, named
 * `MODEL.SETTING.PROTOCOL.` and the quantity.
 *
 * Holds the facts of one table and the predictions of one cell in memory; scores wait in temporary files.
 *
 * @param spill  folder for temporary files, which are needed as long as a table is read
 * @throws {InputError} when a shard is missing or was changed
 */
export async function* rowTables(
  results: readonly StoredResult[],
  spill: string,
  forms?: CustomForms,
): AsyncGenerator<RowTable> {
  const groups = new Map<string, StoredResult[]>();
  for (const stored of results) {
    const key = dataKey(stored.result, forms);
    groups.set(key, [...(groups.get(key) ?? []), stored]);
  }
  const namesOf = [...groups.values()].map(([stored]) => dataName(stored.result));
  for (const [i, [key, group]] of [...groups].entries()) {
    const isUnique = namesOf.filter((name) => name === namesOf[i]).length === 1;
    const name = isUnique ? namesOf[i] : `${namesOf[i]}-${sha256Hex(key).slice(0, 8)}`;
    yield await rowTable(name, group, cellLabels, join(spill, String(i)), forms);
  }
}

/**
 * Table of the rows of one cell: its name in `cell`, then the row number, split, facts and scores, with names
 * that SQL reads without quotes, such as `element_log_likelihood`.
 */
export async function cellRowTable(
  stored: StoredResult,
  spill: string,
  forms?: CustomForms,
): Promise<FieldTable> {
  const name = cellName(stored.result.identity);
  const table = await rowTable(name, [stored], () => [""], spill, forms);
  const fields = table.fields.map(({ name, type }) => ({ name: name.replace(/\W/g, "_"), type }));
  return {
    name,
    fields: [{ name: "cell", type: "text" }, ...fields],
    length: table.length,
    async *blocks() {
      for await (const { length, columns } of table.blocks()) {
        yield { length, columns: [new Array<string>(length).fill(name), ...columns] };
      }
    },
  };
}

/**
 * Task, version, seed and evaluated data: results with equal keys have the same rows with the same numbers.
 */
function dataKey({ cell }: CellResult, forms?: CustomForms): string {
  const { task, dataset = null, context = null, taskVersion, seed } = cell;
  return stableStringify([task, dataset, context, taskVersion, seed, evaluatedData(cell, forms)]);
}

/** `chromatin-activity-K562`, usable as a file name. */
function dataName({ cell }: CellResult): string {
  return taskTitle(cell)
    .replace(/[^\p{L}\p{N}_.-]+/gu, "-")
    .replace(/^\.+/, "");
}

async function rowTable(
  name: string,
  group: readonly StoredResult[],
  labelsOf: (results: readonly CellResult[]) => readonly string[],
  spill: string,
  forms?: CustomForms,
): Promise<RowTable> {
  const facts = new FactColumns();
  const cells: (SpilledCell & { readonly result: CellResult })[] = [];
  for (const [i, stored] of group.entries()) {
    const { folder, result } = stored;
    const collected = await collectShards(await findShardsIn(join(folder, "rows"), result));
    const predictions = await withStrata(stored, collected.predictions);
    facts.add(predictions);
    const rows = sameNumbers(facts.rows, predictions.rows) ? facts.rows : predictions.rows;
    const spilled = await spillCell(predictions, `${spill}-${i}`);
    cells.push({ ...spilled, rows, result });
  }
  const described = findTask(group[0].result.cell.task, forms)?.facts ?? {};
  const labels = labelsOf(group.map(({ result }) => result));
  const shared = [...keyColumns(facts), ...factColumns(facts, described)];
  const scored = cells.map((cell, i) => scoreColumns(cell, labels[i], facts, described, forms));
  const fields = [...shared, ...scored.flat()].map(({ read: _, ...field }) => field);
  const width = scored.flat().reduce((sum, { values }) => sum + values, shared.length);
  const blockRows = Math.max(256, Math.floor(BLOCK_VALUES / width));
  const { rows } = facts;
  return {
    name,
    fields,
    length: rows.length,
    async *blocks() {
      for (let start = 0; start < rows.length; start += blockRows) {
        const end = Math.min(rows.length, start + blockRows);
        const columns = shared.map(({ read }) => read(start, end));
        for (const [i, cell] of cells.entries()) {
          columns.push(...(await scoresOf(cell, scored[i], rows.subarray(start, end))));
        }
        yield { length: end - start, columns };
      }
    },
  };
}

/**
 * Labels of cells as prefixes of fields: model, setting and protocol, and the cell's name where these are
 * equal.
 */
function cellLabels(results: readonly CellResult[]): string[] {
  const labels = results.map(({ cell }) => `${cell.model.name}.${cell.setting}.${cell.protocol}`);
  return labels.map((label, i) =>
    labels.filter((other) => other === label).length === 1
      ? label
      : `${label}.${cellName(results[i].identity)}`,
  );
}

/**
 * Field whose values do not depend on a cell. @property read  values of the rows at the places [start, end)
 */
interface SharedColumn extends RowField {
  readonly read: (start: number, end: number) => readonly FieldValue[];
}

function keyColumns(facts: FactColumns): SharedColumn[] {
  const row: SharedColumn = {
    name: "row",
    type: factType(facts.rows),
    kind: "key",
    what: "0-based number of the row in the prepared table",
    read: (start, end) => Array.from(facts.rows.subarray(start, end)),
  };
  const chrom = facts.reader("chrom");
  if (chrom === undefined) return [row];
  const split: SharedColumn = {
    name: "split",
    type: "text",
    kind: "key",
    what: "part of the benchmark's chromosome split: train, val or test",
    read: (start, end) => chrom(start, end).map((name) => splitPartOf(String(name)) ?? null),
  };
  return [row, split];
}

/** Positions first, then facts with a description, then others. */
function factColumns(facts: FactColumns, described: Readonly<Record<string, string>>): SharedColumn[] {
  const known = Object.keys(described);
  const place = ({ name }: Field) => (known.includes(name) ? known.indexOf(name) : known.length);
  return facts.fields
    .toSorted((a, b) => place(a) - place(b))
    .map((field) => ({
      ...field,
      kind: "fact",
      what: factDescription(field.name, described),
      read: facts.reader(field.name)!,
    }));
}
