import { InternalError } from "../../base/errors.ts";
import { asType, type Numbers, smallestType } from "../../base/typed-numbers.ts";
import {
  BLOCK_NUMBERS,
  blockRows,
  columnRows,
  formOf,
  type PredictionColumn,
  type PredictionColumnForm,
  picked,
} from "./column.ts";
import {
  type Prediction,
  type Predictions,
  partsOf,
  predictionOfParts,
  type RowFacts,
  TOKENS,
} from "./prediction.ts";
import { rowListOf } from "./row-list.ts";
import type { RowList } from "./task-rows.ts";

/** Kind and columns of predictions, without their rows. */
export interface ColumnsLayout {
  readonly kind: Prediction["kind"];
  readonly columns: readonly PredictionColumnForm[];
}

const ROW = "row";

const isRow = ({ name, of }: PredictionColumnForm) => of === "prediction" && name === ROW;

/**
 * Predictions of one kind as typed columns, which take a tenth of the memory of objects. The iterator creates
 * objects one at a time.
 *
 * Files store facts as numbers and texts; `Row` is the type that the task declares for them, in the first
 * signatures of the methods that read facts.
 */
export class PredictionColumns<Row extends RowFacts = RowFacts> implements Predictions<Row> {
  private readonly row: PredictionColumn;
  private readonly parts: readonly PredictionColumn[];
  private readonly facts: readonly PredictionColumn[];
  private allRows: Numbers | undefined;

  constructor(
    readonly kind: Prediction["kind"],
    readonly length: number,
    readonly columns: readonly PredictionColumn[],
    /** Numbers of a column that `blocks` has in memory together. */
    readonly blockNumbers = BLOCK_NUMBERS,
  ) {
    const row = columns.find(isRow);
    if (row === undefined || row.width !== 1) throw new InternalError("predictions without row numbers");
    this.row = row;
    this.parts = columns.filter((column) => column.of === "prediction" && column !== row);
    this.facts = columns.filter(({ of }) => of === "fact");
  }

  /** Row numbers: 4 bytes each, of which `rowList` has a part in memory. */
  get rows(): Numbers {
    this.allRows ??= this.row.data;
    return this.allRows;
  }

  /** Row numbers, read from disk block by block. */
  get rowList(): RowList {
    return rowListOf(this.length, (start, end) => columnRows(this.row, start, end));
  }

  /** Kind and columns. */
  get layout(): ColumnsLayout {
    return { kind: this.kind, columns: this.columns.map(formOf) };
  }

  /**
   * @param kind  the expected kind; required if there may be no predictions
   * @throws {InternalError} when kinds or numbers of values differ, or a value is not finite
   */
  static of<Row extends RowFacts>(
    predictions: Predictions<Row>,
    kind?: Prediction["kind"],
  ): PredictionColumns<Row> {
    const columns: PredictionColumns<Row> =
      predictions instanceof PredictionColumns ? predictions : columnsOfObjects([...predictions], kind);
    if (kind === undefined || columns.kind === kind) return columns;
    throw new InternalError(`row ${columns.rows[0]} has ${columns.kind}, and ${kind} was expected`);
  }

  *[Symbol.iterator](): Generator<Prediction<Row>> {
    for (const block of this.blocks()) for (let i = 0; i < block.length; i++) yield block.at(i);
  }

  /** Consecutive blocks of predictions in memory: columns on disk are read once. */
  *blocks(): Generator<PredictionColumns<Row>> {
    const stored = this.columns.filter(({ read }) => read !== undefined);
    const rows = blockRows(Math.max(1, ...stored.map(({ width }) => width)), this.blockNumbers);
    if (stored.length === 0) yield this;
    else for (let at = 0; at < this.length; at += rows) yield this.slice(at, at + rows);
  }

  /** Row numbers and some facts of the predictions. */
  withFacts(names: readonly (keyof Row & string)[]): PredictionColumns<Row> {
    const columns = this.columns.filter(
      (column) => column === this.row || (column.of === "fact" && names.includes(column.name)),
    );
    return new PredictionColumns(this.kind, this.length, columns, this.blockNumbers);
  }

  /** @param i  0-based index, not the row's number */
  at(i: number): Prediction<Row> {
    const row = this.row.read === undefined ? this.row.data[i] : columnRows(this.row, i, i + 1)[0];
    return predictionOfParts(this.kind, row, this.factsAt(i), (name) => {
      const column = this.parts.find((part) => part.name === name);
      const numbers = column && columnRows(column, i, i + 1);
      return numbers === undefined || Number.isNaN(numbers[0]) ? undefined : numbers;
    });
  }

  /** @param i  0-based index, not the row's number */
  factsAt(i: number): Row;
  factsAt(i: number): RowFacts {
    const facts: Record<string, string | number> = {};
    for (const column of this.facts) {
      const { name, texts, read } = column;
      const value = read === undefined ? column.data[i] : read(i, i + 1)[0];
      if (texts !== undefined) {
        if (value > 0) facts[name] = texts[value - 1];
      } else if (!Number.isNaN(value)) facts[name] = value;
    }
    return facts;
  }

  slice(start: number, end: number): PredictionColumns<Row> {
    const last = Math.min(end, this.length);
    const columns = this.columns.map((column) => ({
      ...formOf(column),
      data: columnRows(column, start, last),
    }));
    return new PredictionColumns(this.kind, last - start, columns);
  }

  /** Some predictions in a given order. @param order  their 0-based indices */
  pick(order: Uint32Array): PredictionColumns<Row> {
    const columns = this.columns.map((column) => picked(column, order));
    return new PredictionColumns(this.kind, order.length, columns);
  }

  /**
   * One number of each prediction.
   * @throws {InternalError} when predictions have no such part
   */
  numbers(part: string, at: number): Float64Array {
    const column = this.parts.find(({ name }) => name === part);
    if (this.length === 0) return new Float64Array(0);
    if (column === undefined || at >= column.width) {
      throw new InternalError(`predictions of kind ${this.kind} have no ${part} ${at}`);
    }
    const { width } = column;
    const numbers = new Float64Array(this.length);
    const rows = blockRows(width);
    for (let start = 0; start < numbers.length; start += rows) {
      const end = Math.min(start + rows, numbers.length);
      const part = columnRows(column, start, end);
      for (let i = start; i < end; i++) numbers[i] = part[(i - start) * width + at];
    }
    return numbers;
  }

  /** Tokens of each member, [members][rows]; undefined if a row has none. */
  get tokens(): readonly Float64Array[] | undefined {
    const column = this.parts.find(({ name }) => name === TOKENS);
    if (column === undefined || column.data.some(Number.isNaN)) return undefined;
    return Array.from({ length: column.width }, (_, member) => this.numbers(TOKENS, member));
  }

  has(part: string): boolean {
    return this.parts.some(({ name }) => name === part);
  }

  /** A function that reads a fact of the i-th prediction; undefined if the row lacks an optional fact. */
  factReader<Name extends keyof Row & string>(name: Name): (i: number) => Row[Name];
  factReader(name: string): (i: number) => string | number | undefined {
    const columns = this.facts
      .filter((fact) => fact.name === name)
      .map(({ data, texts }) => ({ data, texts }));
    return (i) => {
      for (const { data, texts } of columns) {
        const value = data[i];
        if (texts === undefined) {
          if (!Number.isNaN(value)) return value;
        } else if (value > 0) return texts[value - 1];
      }
      return undefined;
    };
  }

  /** A fact's numbers; undefined if no row has it. */
  factNumbers(name: keyof Row & string): Numbers | undefined {
    return this.facts.find((fact) => fact.name === name && fact.texts === undefined)?.data;
  }

  /** A fact's texts as codes from 1, 0 for no text; undefined if no row has it. */
  factTexts(
    name: keyof Row & string,
  ): { readonly codes: Numbers; readonly texts: readonly string[] } | undefined {
    const fact = this.facts.find((fact) => fact.name === name && fact.texts !== undefined);
    return fact?.texts && { codes: fact.data, texts: fact.texts };
  }
}

function columnsOfObjects<Row extends RowFacts>(
  predictions: readonly Prediction<Row>[],
  kind = predictions[0]?.kind,
): PredictionColumns<Row> {
  if (kind === undefined) throw new InternalError("no predictions");
  if (predictions.length === 0) {
    const rows: PredictionColumn = {
      name: ROW,
      of: "prediction",
      type: "uint8",
      width: 1,
      data: new Uint8Array(0),
    };
    return new PredictionColumns(kind, 0, [rows]);
  }
  const count = predictions.length;
  type NumberColumn = { form: Omit<PredictionColumnForm, "type">; data: Float64Array<ArrayBuffer> };
  const numbers: NumberColumn[] = [];
  const byName = {
    prediction: new Map<string, NumberColumn>(),
    fact: new Map<string, NumberColumn>(),
  };
  const texts = new Map<
    string,
    { name: string; codes: Map<string, number>; data: Float64Array<ArrayBuffer> }
  >();
  const write = (of: PredictionColumnForm["of"], name: string, i: number, values: ArrayLike<number>) => {
    let column = byName[of].get(name);
    if (column === undefined) {
      const width = values.length;
      column = { form: { name, of, width }, data: new Float64Array(count * width).fill(Number.NaN) };
      byName[of].set(name, column);
      numbers.push(column);
    }
    const { row } = predictions[i];
    if (values.length !== column.form.width) {
      throw new InternalError(`row ${row} has ${values.length} ${name}, a row before ${column.form.width}`);
    }
    for (let k = 0; k < values.length; k++) {
      if (!Number.isFinite(values[k]))
        throw new InternalError(`row ${row} has ${values[k]} among its ${name}`);
      column.data[i * values.length + k] = values[k];
    }
  };
  // One array for all single numbers: this loop runs for every row of a table.
  const single = [0];
  predictions.forEach((prediction, i) => {
    if (prediction.kind !== kind) {
      throw new InternalError(`row ${prediction.row} has ${prediction.kind}, and ${kind} was expected`);
    }
    single[0] = prediction.row;
    write("prediction", ROW, i, single);
    for (const [name, values] of partsOf(prediction)) write("prediction", name, i, values);
    for (const name of Object.keys(prediction.facts)) {
      const fact = prediction.facts[name];
      if (typeof fact === "number") {
        single[0] = fact;
        write("fact", name, i, single);
        continue;
      }
      let column = texts.get(name);
      if (column === undefined) {
        column = { name, codes: new Map(), data: new Float64Array(count) };
        texts.set(name, column);
      }
      let code = column.codes.get(fact);
      if (code === undefined) {
        code = column.codes.size + 1;
        column.codes.set(fact, code);
      }
      column.data[i] = code;
    }
  });
  const narrow = (data: Float64Array<ArrayBuffer>) => {
    const type = smallestType(data);
    return { type, data: asType(data, type) };
  };
  return new PredictionColumns(kind, count, [
    ...numbers.map(({ form, data }) => ({ ...form, ...narrow(data) })),
    ...[...texts.values()].map(({ name, codes, data }) => {
      return { name, of: "fact", width: 1, texts: [...codes.keys()], ...narrow(data) } as const;
    }),
  ]);
}
