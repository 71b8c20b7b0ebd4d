import { NumberLog } from "../../base/number-log.ts";
import { type Numbers, type NumberType, newNumbers } from "../../base/typed-numbers.ts";

/** Name and type of one column of predictions. */
export interface PredictionColumnForm {
  /** "row", a part of the prediction such as "values", or the name of a fact. */
  readonly name: string;
  readonly of: "prediction" | "fact";
  readonly type: NumberType;
  /** Numbers of one row. */
  readonly width: number;
  /** Present if the numbers are codes of texts: 0 no text, k the k-th of these. */
  readonly texts?: readonly string[];
}

/** One column, in the order of the predictions. */
export interface PredictionColumn extends PredictionColumnForm {
  /**
   * [rows, width], row-major; NaN if a row has no such part or fact. A column on disk is read at each access.
   */
  readonly data: Numbers;
  /** Numbers of the rows [start, end) of a column on disk; absent for a column in memory. */
  readonly read?: (start: number, end: number) => Numbers;
}

/** Numbers of a column that are in memory together. */
export const BLOCK_NUMBERS = 2 ** 18;

/** Rows of a block of columns, the widest of which has `width` numbers of a row. */
export const blockRows = (width: number, blockNumbers = BLOCK_NUMBERS) =>
  Math.max(Math.floor(blockNumbers / width), 1);

/** A column of a log's numbers: in memory if it is short. @param blockNumbers  numbers of a short column */
export function storedColumn(
  form: PredictionColumnForm,
  log: NumberLog,
  blockNumbers = BLOCK_NUMBERS,
): PredictionColumn {
  const { type, width } = form;
  const read = (start: number, end: number) => log.read(start * width, end * width, type);
  if (log.length <= blockNumbers) return { ...form, data: read(0, log.length / width) };
  return {
    ...form,
    read,
    get data() {
      return read(0, log.length / width);
    },
  };
}

/** Numbers of the rows [start, end). */
export const columnRows = (column: PredictionColumn, start: number, end: number): Numbers =>
  column.read?.(start, end) ?? column.data.subarray(start * column.width, end * column.width);

/** Name and type without numbers. */
export const formOf = ({ name, of, type, width, texts }: PredictionColumn): PredictionColumnForm => ({
  name,
  of,
  type,
  width,
  ...(texts && { texts }),
});

/** Numbers of some rows in a given order. @param order  their 0-based indices */
export function picked(column: PredictionColumn, order: Uint32Array): PredictionColumn {
  const { data, width } = column;
  const form = formOf(column);
  const log = new NumberLog(order.length * width);
  const rows = blockRows(width);
  for (let start = 0; start < order.length; start += rows) {
    const indices = order.subarray(start, start + rows);
    const part = newNumbers(form.type, indices.length * width);
    indices.forEach((from, to) => {
      for (let k = 0; k < width; k++) part[to * width + k] = data[from * width + k];
    });
    log.append(part);
  }
  return storedColumn(form, log);
}
