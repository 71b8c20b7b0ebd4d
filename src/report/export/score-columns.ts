import { lowerBound } from "../../base/binary-search.ts";
import { openFile } from "../../base/read-file.ts";
import { bytesPerNumber, type Numbers, newNumbers, typeOfNumbers } from "../../base/typed-numbers.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { type CustomForms, findTask } from "../../evaluation/runs/forms.ts";
import type { CellResult } from "../../evaluation/runs/stored-results.ts";
import type { PredictionColumn, PredictionColumnForm } from "../../evaluation/tasks/column.ts";
import type { Prediction } from "../../evaluation/tasks/prediction.ts";
import type { PredictionColumns } from "../../evaluation/tasks/prediction-columns.ts";
import type { Field, FieldType, FieldValue } from "./field-table.ts";
import { type FactColumns, factDescription, factValue } from "./row-facts.ts";

/** A cell's predictions in a temporary file, column by column in row order. */
export interface SpilledCell {
  readonly kind: PredictionColumns["kind"];
  /** Ascending row numbers. */
  readonly rows: Numbers;
  /** Columns other than the row numbers, without their numbers. */
  readonly columns: readonly SpilledColumn[];
  /** Numbers of all columns for the cell's rows at the places [start, end). */
  read(start: number, end: number): Promise<readonly Numbers[]>;
}

type SpilledColumn = Omit<PredictionColumn, "data">;

/** Writes a cell's predictions to a file, so that the memory of an export does not grow with its models. */
export async function spillCell(
  { kind, columns, rows }: PredictionColumns,
  path: string,
): Promise<SpilledCell> {
  const stored = columns.filter(({ data }) => data !== rows);
  const offsets: number[] = [];
  let size = 0;
  for (const { data } of stored) {
    offsets.push(size);
    size += data.byteLength;
  }
  await writeFileAtomic(path, bytesOf(stored));
  const forms = stored.map(({ data, ...form }) => ({ ...form, type: typeOfNumbers(data) }));
  return {
    kind,
    rows,
    columns: forms,
    async read(start, end) {
      await using file = await openFile(path);
      const found: Numbers[] = [];
      for (const [c, { type, width }] of forms.entries()) {
        const rowBytes = bytesPerNumber(type) * width;
        const numbers = newNumbers(type, (end - start) * width);
        const bytes = await file.read(offsets[c] + start * rowBytes, numbers.byteLength);
        new Uint8Array(numbers.buffer).set(bytes);
        found.push(numbers);
      }
      return found;
    },
  };
}

async function* bytesOf(columns: readonly PredictionColumn[]): AsyncGenerator<Uint8Array> {
  for (const { data } of columns) {
    if (data.byteLength > 0) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}

/** Field of a table of rows, with its description. */
export interface RowField extends Field {
  readonly kind: "key" | "fact" | "score";
  readonly what: string;
  /** The cell of a score. */
  readonly cell?: CellResult;
}

/** Field of a cell's scores. @property read  values of a place in a block of the cell's columns */
interface ScoreColumn extends RowField {
  readonly read: (block: readonly Numbers[], i: number) => FieldValue;
  /** Numbers per row. */
  readonly values: number;
}

/** Fields of a cell's scores, and of its facts that differ between cells. */
export function scoreColumns(
  { kind, columns, result }: SpilledCell & { readonly result: CellResult },
  label: string,
  facts: FactColumns,
  described: Readonly<Record<string, string>>,
  forms?: CustomForms,
): ScoreColumn[] {
  return columns.flatMap(({ name, of, width, type, texts }, c): ScoreColumn[] => {
    if (of === "fact") {
      if (!facts.differs(name)) return [];
      const factField = {
        name: `${label}.${name}`,
        type: texts ? "text" : type.startsWith("float") || type === "uint32" ? "number" : "integer",
      } as const;
      const what = `${factDescription(name, described)}, which depends on the cell`;
      return [
        {
          ...factField,
          kind: "fact",
          what,
          cell: result,
          values: 1,
          read: (block, i) => factValue(block[c][i], texts),
        },
      ];
    }
    return scoreFields(kind, { name, width }, result.cell.task, forms).map(
      ({ name: part, type, what, at }) => ({
        name: label === "" ? part : `${label}.${part}`,
        type,
        kind: "score",
        what,
        cell: result,
        values: at === undefined ? width : 1,
        read: (block, i) =>
          at === undefined
            ? Float32Array.from(block[c].subarray(i * width, (i + 1) * width))
            : factValue(block[c][i * width + at], undefined),
      }),
    );
  });
}

/** Values of a cell's fields for some rows; null for rows that the cell did not score. */
export async function scoresOf(
  cell: SpilledCell,
  columns: readonly ScoreColumn[],
  rows: Numbers,
): Promise<FieldValue[][]> {
  const from = lowerBound(cell.rows, rows[0]);
  const to = lowerBound(cell.rows, rows[rows.length - 1] + 1);
  const block = await cell.read(from, to);
  const scored = cell.rows.subarray(from, to);
  return columns.map(({ read }) => {
    let at = 0;
    return Array.from(rows, (row) => (scored[at] === row ? read(block, at++) : null));
  });
}

/** A field made of a column of predictions. */
interface ScoreField {
  /** Name within its cell: `element.log_likelihood`. */
  readonly name: string;
  readonly type: FieldType;
  /** Noun phrase for the table of columns. */
  readonly what: string;
  /** 0-based number of the value in the column's row; undefined: all of them, as a vector. */
  readonly at: number | undefined;
}

const QUANTITIES: Readonly<
  Record<Exclude<Prediction["kind"], "logits" | "vector">, readonly [string, string]>
> = {
  likelihood: ["log_likelihood", "log-likelihood of the {member}, nats"],
  activity: ["log_counts", "predicted log(1 + counts) of the {member}, nats"],
  distance: ["distance", "cosine distance of the {member} to the first sequence of the row"],
};

/**
 * Fields of one column of predictions, other than row numbers and facts.
 *
 * @param task  name of the task, which names the sequences of a row
 */
function scoreFields(
  kind: Prediction["kind"],
  { name, width }: Pick<PredictionColumnForm, "name" | "width">,
  task: string,
  forms?: CustomForms,
): ScoreField[] {
  const members = findTask(task, forms)?.members ?? [];
  const memberOf = (i: number) => (members[i] ?? `sequence ${i + 1}`).replaceAll(" ", "");
  const perMember = (first: number, suffix: string, type: FieldType, what: string) =>
    Array.from({ length: width }, (_, i): ScoreField => {
      const member = memberOf(first + i);
      return { name: `${member}.${suffix}`, type, what: what.replace("{member}", member), at: i };
    });
  const [, way = "", member] = /^(?:(.+) )?member (\d+)$/.exec(name) ?? [];
  if (kind === "logits") {
    const of = memberOf(Number(member));
    return Array.from({ length: width }, (_, k) => ({
      name: `${of}.logit${k}`,
      type: "number",
      what: `logit of class ${k} for the ${of}`,
      at: k,
    }));
  }
  if (kind === "vector") {
    const of = memberOf(Number(member));
    const [suffix, order] = way === "" ? ["", ""] : [`.${way}`, `, ${way}`];
    return [
      {
        name: `${of}.embedding${suffix}`,
        type: "vector",
        what: `pooled embedding of the ${of}${order}`,
        at: undefined,
      },
    ];
  }
  const [quantity, what] = QUANTITIES[kind];
  const first = kind === "distance" ? 1 : 0;
  if (name === "tokens")
    return perMember(0, "tokens", "integer", "tokens of the {member}, special ones included");
  return name === "values"
    ? perMember(first, quantity, "number", what)
    : perMember(first, `${quantity}.${name}`, "number", `${what}, ${name}`);
}
