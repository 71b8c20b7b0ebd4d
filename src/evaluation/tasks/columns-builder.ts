import { InputError, InternalError } from "../../base/errors.ts";
import { NumberLog } from "../../base/number-log.ts";
import { commonType, smallestType } from "../../base/typed-numbers.ts";
import { type PredictionColumn, type PredictionColumnForm, storedColumn } from "./column.ts";
import type { Prediction } from "./prediction.ts";
import { type ColumnsLayout, PredictionColumns } from "./prediction-columns.ts";

/** Limits of the parts of columns that are in memory. */
interface ColumnStorage {
  /** Bytes of a column; default as `NumberLog`. */
  readonly memory?: number;
  /** Numbers of a column that are read together. */
  readonly blockNumbers?: number;
}

/**
 * Concatenates batches of predictions; each column gets the smallest type that fits all its values. Columns
 * beyond a few megabytes are on disk.
 */
export class ColumnsBuilder {
  private readonly columns = new Map<string, Growing>();
  private kind: Prediction["kind"] | undefined;
  private first: number | undefined;
  private length = 0;

  /**
   * @param capacity  rows of all batches
   * @param layout    existing columns, whose types are lower bounds
   */
  constructor(
    private readonly capacity: number,
    layout?: ColumnsLayout,
    private readonly storage: ColumnStorage = {},
  ) {
    this.kind = layout?.kind;
    for (const form of layout?.columns ?? []) this.columns.set(keyOf(form), this.growing(form));
  }

  /** @throws {InputError} when the batch has another kind or number of values */
  add(batch: PredictionColumns): void {
    this.kind ??= batch.kind;
    this.first ??= batch.rows[0];
    const there = new Map(batch.columns.map((column) => [keyOf(column), column]));
    const from = this.length;
    const isNew = this.columns.size === 0;
    for (const [key, column] of there) {
      if (this.columns.has(key)) continue;
      if (!isNew && isRequired(column)) throw this.otherValues(batch);
      const { name, of, type, width, texts } = column;
      const growing = this.growing({ name, of, type, width, ...(texts && { texts: [] }) });
      growing.leaveOut(from);
      this.columns.set(key, growing);
    }
    for (const [key, growing] of this.columns) {
      const column = there.get(key);
      const fits = column === undefined ? !isRequired(growing.form) : column.width === growing.form.width;
      if (!fits || batch.kind !== this.kind) throw this.otherValues(batch);
      if (column === undefined) growing.leaveOut(batch.length);
      else growing.write(column);
    }
    this.length += batch.length;
  }

  /** @throws {InternalError} when nothing was added */
  done(): PredictionColumns {
    if (this.kind === undefined) throw new InternalError("no predictions were added");
    const { blockNumbers } = this.storage;
    const columns = [...this.columns.values()].map((column) => column.done(blockNumbers));
    return new PredictionColumns(this.kind, this.length, columns, blockNumbers);
  }

  private growing(form: PredictionColumnForm): Growing {
    return new Growing(form, new NumberLog(this.capacity * form.width, this.storage.memory));
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
  private type: PredictionColumnForm["type"];

  constructor(
    readonly form: PredictionColumnForm,
    private readonly log: NumberLog,
  ) {
    this.codes = form.texts && new Map(form.texts.map((text, i) => [text, i + 1]));
    this.type = form.type;
  }

  write({ data, type, texts }: PredictionColumn): void {
    let [written, needed] = [data, type];
    const { codes: known } = this;
    if (texts !== undefined && known !== undefined) {
      const codes = texts.map((text) => codeOf(known, text));
      const recoded = Float64Array.from(data, (code) => (code === 0 ? 0 : codes[code - 1]));
      [written, needed] = [recoded, smallestType(recoded)];
    }
    this.type = commonType(this.type, needed);
    this.log.append(written);
  }

  /** Marks rows without this part. */
  leaveOut(rows: number): void {
    if (rows === 0) return;
    if (this.codes === undefined) this.type = commonType(this.type, "float32");
    this.log.appendRepeated(this.codes === undefined ? Number.NaN : 0, rows * this.form.width);
  }

  done(blockNumbers: number | undefined): PredictionColumn {
    const { texts: _, ...form } = this.form;
    const texts = this.codes && { texts: [...this.codes.keys()] };
    return storedColumn({ ...form, type: this.type, ...texts }, this.log, blockNumbers);
  }
}

/** Code of a text, from 1; a new text gets the next one. */
function codeOf(codes: Map<string, number>, text: string): number {
  const code = codes.get(text) ?? codes.size + 1;
  codes.set(text, code);
  return code;
}
