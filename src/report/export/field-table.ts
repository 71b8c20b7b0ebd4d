import { keysOf } from "../../base/record.ts";
/** Type of a field: texts, whole numbers of at most 31 bits, numbers (float64), or vectors of float32. */
export type FieldType = "text" | "integer" | "number" | "vector";

/** A column of an exported table. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
}

/** Value of a field; null where a row has none. */
export type FieldValue = string | number | Float32Array | null;

/** Consecutive rows as columns, [fields][rows]. */
export interface FieldBlock {
  readonly length: number;
  readonly columns: readonly ArrayLike<FieldValue>[];
}

/** A table with typed fields, read in blocks of rows. */
export interface FieldTable {
  /** Base name of its files, without extension. */
  readonly name: string;
  readonly fields: readonly Field[];
  readonly length: number;
  /** Rows from the first, in blocks that fit in memory. Can be called repeatedly. */
  blocks(): AsyncIterable<FieldBlock>;
}

/** A record: one value per field, by name. */
export type FieldRecord<Name extends string> = Readonly<Record<Name, Exclude<FieldValue, Float32Array>>>;

/** A table of records in memory. */
export interface RecordTable extends FieldTable {
  /** One object per row, its keys in the order of the fields. */
  readonly records: readonly object[];
}

/** Table of records. @param forms  type by field name, in the order of the columns */
export function recordTable<Name extends string>(
  name: string,
  forms: Readonly<Record<Name, FieldType>>,
  records: readonly FieldRecord<Name>[],
): RecordTable {
  const names = keysOf(forms);
  return {
    name,
    fields: names.map((field) => ({ name: field, type: forms[field] })),
    length: records.length,
    records: records.map((record) => Object.fromEntries(names.map((field) => [field, record[field]]))),
    async *blocks() {
      const columns = names.map((field) => records.map((record) => record[field]));
      yield { length: records.length, columns };
    },
  };
}
