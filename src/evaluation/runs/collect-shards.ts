import { join } from "node:path";
import { digestFile } from "../../base/digest.ts";
import { type FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath, namesInFolder } from "../../base/folder.ts";
import { counted } from "../../base/message-text.ts";
import { ColumnsBuilder } from "../tasks/columns-builder.ts";
import type { PredictionColumns } from "../tasks/prediction-columns.ts";
import { blocksOf, rowsDigest } from "../tasks/row-list.ts";
import { inRowOrder } from "../tasks/row-order.ts";
import type { RowList } from "../tasks/task-rows.ts";
import { type CellRecord, cellName, cellTitle } from "./cell.ts";
import { rowsFolder } from "./run-folder.ts";
import { shardName, shardOfRow } from "./shard.ts";
import { readShardFile, readShardHeader, type ShardContents, type ShardHeader } from "./shard-file.ts";
import { readShardDone, type ShardDone, type ShardTiming } from "./shard-store.ts";
import type { StoredResult } from "./stored-results.ts";

/** All predictions of a cell, in row order, with the timing of its shards. */
export interface CollectedCell {
  readonly predictions: PredictionColumns;
  readonly timing: readonly ShardTiming[];
}

/** The complete shards of a cell, not read yet. */
export interface FoundShards {
  readonly record: CellRecord;
  /** Folder of the files. */
  readonly place: string;
  readonly shards: readonly FoundShard[];
  readonly timing: readonly ShardTiming[];
}

interface FoundShard {
  readonly name: string;
  readonly header: ShardHeader;
}

/**
 * Finds the shards of a cell and checks that they are complete: every shard of one split exactly once, of
 * this cell, finished and unchanged since. Finished shards are digested, not unpacked.
 *
 * @throws {InputError} naming every missing or invalid shard, with a remedy for each
 */
export function findShards(folder: string, record: CellRecord): Promise<FoundShards> {
  return findShardsIn(rowsFolder(folder, record), record);
}

/** `findShards` for the folder `rows` of a cell at any place. */
export async function findShardsIn(place: string, record: CellRecord): Promise<FoundShards> {
  const names = (await kindOfPath(place)) === undefined ? [] : await namesInFolder(place);
  const errors: string[] = [];
  const found: FoundShard[] = [];
  for (const name of names.filter((name) => name.endsWith(".jsonl"))) {
    const header = await readShardHeader(join(place, name));
    if (header === undefined) errors.push(notBegun(name, await readShardFile(join(place, name)), names));
    else if (header.cell !== record.identity) {
      errors.push(
        `${name} belongs to another run (cell ${cellName(header.cell)}): move it away and run this shard again`,
      );
    } else found.push({ name, header });
  }

  const count = agreedCount(found, errors);
  const shards = found.filter(({ header }) => header.shard.count === count);
  errors.push(...duplicates(shards), ...missing(shards, count, names));
  const timing: ShardTiming[] = [];
  for (const shard of shards) {
    const done = await readShardDone(join(place, `${shardName(shard.header.shard)}.done.json`));
    const error = await unfinished(place, shard, done);
    if (error !== undefined) errors.push(error);
    if (done !== undefined) timing.push(done.timing);
  }
  if (errors.length > 0) throw refusal(place, record, errors);
  timing.sort((a, b) => a.shard.index - b.shard.index);
  return { record, place, shards, timing };
}

/**
 * Reads the shards of a cell and checks that each row is there once, in its shard.
 * @throws {InputError} when the rows are not those that the run was planned with
 */
export async function collectShards(found: FoundShards): Promise<CollectedCell> {
  const { record, place, shards, timing } = found;
  const builder = new ColumnsBuilder(shards.reduce((sum, { header }) => sum + header.rows, 0));
  const refused = (message: string) => refusal(place, record, [message]);
  for (const { name, header } of shards) {
    const { index, count } = header.shard;
    await readShardFile(join(place, name), (batch) => {
      const stray = batch.rows.find((row) => shardOfRow(row, count) !== index);
      if (stray !== undefined) throw refused(`${name} contains row ${stray}, which belongs to another shard`);
      try {
        builder.add(batch);
      } catch (error) {
        throw error instanceof InputError
          ? refused(`${error.message}: ${name} or another shard was edited`)
          : error;
      }
    });
  }
  const predictions = inRowOrder(builder.done());
  const rows = predictions.rowList;
  const twice = firstRepeated(rows);
  if (twice !== undefined) throw refused(`row ${twice} occurs twice`);
  // A plan has an upper bound of the rows, a result the scored ones.
  const isEarly =
    record.cell.untilWidth !== undefined &&
    record.rows.planned === undefined &&
    rows.length < record.rows.selected;
  if (!isEarly && (rows.length !== record.rows.selected || rowsDigest(rows) !== record.rows.digest)) {
    throw refused(
      `the shards contain ${counted(rows.length, "row")}; the run was planned with ${record.rows.selected}`,
    );
  }
  return { predictions, timing };
}

/** First row that equals the one before it. */
function firstRepeated(rows: RowList): number | undefined {
  let before: number | undefined;
  for (const block of blocksOf(rows)) {
    for (const row of block) {
      if (row === before) return row;
      before = row;
    }
  }
  return undefined;
}

/** Number of shards that most files agree on; files with another number are errors. */
function agreedCount(found: readonly FoundShard[], errors: string[]): number {
  const sizes = new Map<number, number>();
  for (const { header } of found) sizes.set(header.shard.count, (sizes.get(header.shard.count) ?? 0) + 1);
  const [most = [1, 0]] = [...sizes].sort((a, b) => b[1] - a[1] || b[0] - a[0]);
  for (const { name, header } of found) {
    if (header.shard.count === most[0]) continue;
    errors.push(
      `${name} is of a split into ${header.shard.count}, others are of a split into ${most[0]}: keep the files of one split`,
    );
  }
  return most[0];
}

function duplicates(shards: readonly FoundShard[]): string[] {
  const first = new Map<number, string>();
  return shards.flatMap(({ name, header }) => {
    const earlier = first.get(header.shard.index);
    first.set(header.shard.index, earlier ?? name);
    if (earlier !== undefined) {
      return [`${name} and ${earlier} are both shard ${header.shard.index}: delete the copy`];
    }
    const expected = `${shardName(header.shard)}.jsonl`;
    return name === expected
      ? []
      : [`${name} is shard ${header.shard.index}: its name should be ${expected}`];
  });
}

function missing(shards: readonly FoundShard[], count: number, names: readonly string[]): string[] {
  const there = new Set(shards.map(({ header }) => header.shard.index));
  const absent = Array.from({ length: count }, (_, i) => i + 1).filter((index) => !there.has(index));
  if (shards.length === 0)
    return names.some((name) => name.endsWith(".jsonl")) ? [] : ["no shard was run yet"];
  return absent
    .filter((index) => !names.includes(`${shardName({ index, count })}.jsonl`))
    .map((index) => `${shardName({ index, count })} is missing: run it with --shard ${index}/${count}`);
}

/** Message for a file without a valid header. */
function notBegun(name: string, { damage }: ShardContents, names: readonly string[]): string {
  if (damage === undefined) return `${name} is not finished: it has no complete line yet`;
  const done = name.replace(/\.jsonl$/, ".done.json");
  const files = names.includes(done) ? `it and ${done}` : "it";
  return `${damaged(name, damage)}; delete ${files}, and run this shard again`;
}

/** `001-of-001.jsonl is damaged at line 2: …` */
const damaged = (name: string, { place, message }: FormatError) =>
  `${name} is damaged at line ${place.line}: ${message}`;

/** Message for an unfinished or changed shard; undefined for a finished one. */
async function unfinished(
  place: string,
  { name, header }: FoundShard,
  done: ShardDone | undefined,
): Promise<string | undefined> {
  const file = join(place, name);
  const agrees = done?.cell === header.cell && (done.early === true || done.rows === header.rows);
  if (agrees && done.sha256 === (await digestFile(file))) return undefined;
  const { rows, torn, damage } = await readShardFile(file);
  const { index, count } = header.shard;
  if (damage !== undefined) {
    const kept = "the rows before it are kept";
    return done === undefined
      ? `${damaged(name, damage)}; run the command again with --shard ${index}/${count} to resume: ${kept}`
      : `${damaged(name, damage)}, after it was finished; delete ${shardName(header.shard)}.done.json and run the command again with --shard ${index}/${count} to resume: ${kept}`;
  }
  return done === undefined || rows < header.rows || torn > 0
    ? `${name} is not finished: ${rows} of ${header.rows} rows; resume with --shard ${index}/${count}`
    : `${name} was changed after it was finished: delete it and its .done.json, and run it again`;
}

function refusal(place: string, { cell, identity }: CellRecord, errors: readonly string[]): InputError {
  const list = errors.length === 1 ? errors[0] : `\n${errors.map((error) => `- ${error}`).join("\n")}`;
  return new InputError(
    `the shards of ${cellTitle(cell)} (cell ${cellName(identity)}) are not complete: ${list}`,
    {
      place: { file: place },
    },
  );
}

/** The stored predictions of a cell, or the reason why it has none. */
export type CellPredictions = { readonly predictions: PredictionColumns } | { readonly why: string };

/**
 * Reads the predictions of a merged cell from the shards in its folder.
 *
 * @throws {InputError} when the shards were changed after the run
 */
export async function readCellPredictions({ folder, result }: StoredResult): Promise<CellPredictions> {
  const rows = join(folder, "rows");
  if ((await kindOfPath(rows)) !== "folder") {
    return { why: "its folder has no rows/, the scores of its rows" };
  }
  return { predictions: (await collectShards(await findShardsIn(rows, result))).predictions };
}
