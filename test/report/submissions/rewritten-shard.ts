import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestFile } from "../../../src/base/digest.ts";
import {
  type BatchForm,
  batchLine,
  headerLine,
  readShardFile,
} from "../../../src/evaluation/runs/shard-file.ts";
import type { Prediction } from "../../../src/evaluation/tasks/prediction.ts";
import { PredictionColumns } from "../../../src/evaluation/tasks/prediction-columns.ts";

/** Edits the stored predictions of a file as a careful forger would: with valid checksums. */
export async function forgeRows(file: string, edit: (prediction: Prediction) => Prediction): Promise<void> {
  const lines: string[] = [];
  let form: BatchForm | undefined;
  const { header, programs } = await readShardFile(file, (batch) => {
    const next = batchLine(lines.length, PredictionColumns.of([...batch].map(edit)), "0.1.0+forged", form);
    form = next.form;
    lines.push(next.line);
  });
  if (header === undefined || programs.length === 0) throw new Error(`${file} has no rows`);
  const { cell, shard, rows, batchSize } = header;
  await writeFile(file, headerLine({ cell, shard, rows, batchSize }) + lines.join(""));
}

/** `forgeRows` for a cell of a run, with the digest of the finished shard. */
export async function forgeCell(cell: string, edit: (prediction: Prediction) => Prediction): Promise<void> {
  const file = join(cell, "rows", "001-of-001.jsonl");
  await forgeRows(file, edit);
  const done = join(cell, "rows", "001-of-001.done.json");
  const record = JSON.parse(await readFile(done, "utf8"));
  await writeFile(done, JSON.stringify({ ...record, sha256: await digestFile(file) }));
}
