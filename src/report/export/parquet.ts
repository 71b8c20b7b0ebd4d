import { ByteWriter, ParquetWriter, type SchemaElement } from "hyparquet-writer";
import type { Field, FieldBlock, FieldTable } from "./field-table.ts";

/**
 * Bytes of an Apache Parquet file: a row group per block of the table, compressed with Snappy. Numbers are
 * DOUBLE, whole numbers INT32, texts UTF-8, vectors lists of FLOAT; a missing value is null.
 *
 * @param metadata  key-value metadata of the file
 */
export async function* parquetBytes(
  table: FieldTable,
  metadata: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array> {
  const { fields } = table;
  const writer = new ByteWriter();
  const file = new ParquetWriter({
    writer,
    schema: [{ name: "schema", num_children: fields.length }, ...fields.flatMap(schemaOf)],
    createdBy: "dart-eval",
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
  /** Bytes since the last call; `offset` keeps counting. */
  const written = () => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  for await (const block of table.blocks()) {
    if (block.length === 0) continue;
    await file.write({ columnData: columnData(fields, block), rowGroupSize: block.length });
    yield written();
  }
  await file.finish();
  yield written();
}

/** The writer takes arrays, also for lists. */
const columnData = (fields: readonly Field[], { columns }: FieldBlock) =>
  fields.map(({ name, type }, c) => ({
    name,
    data:
      type === "vector"
        ? Array.from(columns[c], (value) => (value instanceof Float32Array ? Array.from(value) : null))
        : Array.from(columns[c]),
  }));

function schemaOf({ name, type }: Field): SchemaElement[] {
  switch (type) {
    case "text":
      return [{ name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" }];
    case "integer":
      return [{ name, type: "INT32", repetition_type: "OPTIONAL" }];
    case "number":
      return [{ name, type: "DOUBLE", repetition_type: "OPTIONAL" }];
    case "vector":
      return [
        { name, repetition_type: "OPTIONAL", converted_type: "LIST", num_children: 1 },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", type: "FLOAT", repetition_type: "REQUIRED" },
      ];
  }
}
