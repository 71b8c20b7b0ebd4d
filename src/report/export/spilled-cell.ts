import { openFile } from "../../base/read-file.ts";
import { bytesPerNumber, type Numbers, newNumbers, typeOfNumbers } from "../../base/typed-numbers.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import type { PredictionColumn } from "../../evaluation/tasks/column.ts";
import type { PredictionColumns } from "../../evaluation/tasks/prediction-columns.ts";

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
