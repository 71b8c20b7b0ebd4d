import { InputError, InternalError } from "../../base/errors.ts";
import {
  asType,
  commonType,
  type Numbers,
  type NumberType,
  newNumbers,
  smallestType,
  typeOfNumbers,
} from "../../base/typed-numbers.ts";
import type { Prediction } from "./prediction.ts";
import {
  type ColumnsLayout,
  type PredictionColumn,
  type PredictionColumnForm,
  PredictionColumns,
} from "./prediction-columns.ts";

/** Concatenates batches of predictions; each column gets the smallest type that fits all its values. */
export class ColumnsBuilder {
  private readonly columns = new Map<string, Growing>();
  private kind: Prediction["kind"] | undefined;
  private first: number | undefined;
  private length = 0;

  /** @param layout  existing columns, whose types are lower bounds */
  constructor(
    private readonly capacity: number,
    layout?: ColumnsLayout,
  ) {
    this.kind = layout?.kind;
    for (const form of layout?.columns ?? []) this.columns.set(keyOf(form), new Growing(form, capacity));
  }

  /** @throws {InputError} when the batch has another kind or number of values */
  add(batch: PredictionColumns): void {
    this.kind ??= batch.kind;
    this.first ??= batch.rows[0];
    const there = new Map(batch.columns.map((column) => [keyOf(column), column]));
    const [from, to] = [this.length, this.length + batch.length];
    const isNew = this.columns.size === 0;
    for (const [key, column] of there) {
      if (this.columns.has(key)) continue;
      if (!isNew && isRequired(column)) throw this.otherValues(batch);
      const growing = new Growing({ ...column, ...(column.texts && { texts: [] }) }, this.capacity);
      growing.leaveOut(0, from);
      this.columns.set(key, growing);
    }
    for (const [key, growing] of this.columns) {
      const column = there.get(key);
      const fits = column === undefined ? !isRequired(growing.form) : column.width === growing.form.width;
      if (!fits || batch.kind !== this.kind) throw this.otherValues(batch);
      if (column === undefined) growing.leaveOut(from, to);
      else growing.write(column, from);
    }
    this.length = to;
  }

  /** @throws {InternalError} when nothing was added */
  done(): PredictionColumns {
    if (this.kind === undefined) throw new InternalError("no predictions were added");
    const columns = [...this.columns.values()].map((column) => column.upTo(this.length));
    return new PredictionColumns(this.kind, this.length, columns);
  }

  private otherValues({ rows }: PredictionColumns): InputError {
    return new InputError(`row ${rows[0]} has another kind or number of values than row ${this.first}`);
  }
}

/** True if all predictions of a cell must have the column. */
const isRequired = ({ of, name }: PredictionColumnForm) =>
  of === "prediction" && /^(row|values|member \d+)$/.test(name);

const keyOf = ({ name, of, texts }: PredictionColumnForm) =>
  `${of} ${texts === undefined ? "number" : "text"} ${name}`;

/** A column while batches are added to it. */
class Growing {
  private readonly codes: Map<string, number> | undefined;
  private data: Numbers;

  constructor(
    readonly form: PredictionColumnForm,
    capacity: number,
  ) {
    this.codes = form.texts && new Map(form.texts.map((text, i) => [text, i + 1]));
    this.data = newNumbers(form.type, capacity * form.width);
  }

  write({ data, type, texts }: PredictionColumn, at: number): void {
    let [written, needed] = [data, type];
    if (texts !== undefined) {
      const codes = texts.map((text) => this.codeOf(text));
      const recoded = Float64Array.from(data, (code) => (code === 0 ? 0 : codes[code - 1]));
      [written, needed] = [recoded, smallestType(recoded)];
    }
    this.widen(needed);
    this.data.set(written, at * this.form.width);
  }

  /** Marks rows without this part. */
  leaveOut(from: number, to: number): void {
    if (this.codes !== undefined || from === to) return;
    this.widen("float32");
    this.data.fill(Number.NaN, from * this.form.width, to * this.form.width);
  }

  upTo(length: number): PredictionColumn {
    const type = typeOfNumbers(this.data);
    const { texts: _, ...form } = this.form;
    const data = this.data.subarray(0, length * this.form.width);
    return { ...form, type, data, ...(this.codes === undefined ? {} : { texts: [...this.codes.keys()] }) };
  }

  private widen(type: NumberType): void {
    this.data = asType(this.data, commonType(typeOfNumbers(this.data), type));
  }

  private codeOf(text: string): number {
    const known = this.codes!.get(text);
    if (known !== undefined) return known;
    this.codes!.set(text, this.codes!.size + 1);
    return this.codes!.size;
  }
}
