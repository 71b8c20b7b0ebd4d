import { join } from "node:path";
import { digestFile } from "../../base/digest.ts";
import { type FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath, namesInFolder } from "../../base/folder.ts";
import { counted } from "../../base/message-text.ts";
import { ColumnsBuilder } from "../tasks/columns-builder.ts";
import type { PredictionColumns } from "../tasks/prediction-columns.ts";
import { type CellRecord, cellName, cellTitle, rowsDigest } from "./cell.ts";
import type { ShardTiming } from "./result.ts";
import { rowsFolder } from "./run-folder.ts";
import { shardName, shardOfRow } from "./shard.ts";
import { readShardFile, readShardHeader, type ShardContents, type ShardHeader } from "./shard-file.ts";
import { readShardDone, type ShardDone } from "./shard-store.ts";

/** All answers to a cell, in row order, and how its shards went. */
export interface CollectedCell {
  readonly predictions: PredictionColumns;
  readonly timing: readonly ShardTiming[];
}

/** Shards that together are a cell, not yet read. */
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
 * Finds the shards of a cell and makes sure that together they are the cell: every shard of one split, each once, each of
 * this cell, each finished and unchanged since. Finished shards are digested and not unpacked.
 *
 * @throws {InputError} naming every shard for which that is not so, and what to do about it
 */
export async function findShards(folder: string, record: CellRecord): Promise<FoundShards> {
  const place = rowsFolder(folder, record);
  const names = (await kindOfPath(place)) === undefined ? [] : await namesInFolder(place);
  const troubles: string[] = [];
  const found: FoundShard[] = [];
  for (const name of names.filter((name) => name.endsWith(".jsonl"))) {
    const header = await readShardHeader(join(place, name));
    if (header === undefined) troubles.push(notBegun(name, await readShardFile(join(place, name)), names));
    else if (header.cell !== record.identity) {
      troubles.push(
        `${name} is of another run (cell ${cellName(header.cell)}): move it away and run this shard again`,
      );
    } else found.push({ name, header });
  }

  const count = agreedCount(found, troubles);
  const shards = found.filter(({ header }) => header.shard.count === count);
  troubles.push(...doubled(shards), ...missing(shards, count, names));
  const timing: ShardTiming[] = [];
  for (const shard of shards) {
    const done = await readShardDone(join(place, `${shardName(shard.header.shard)}.done.json`));
    const trouble = await unfinished(place, shard, done);
    if (trouble !== undefined) troubles.push(trouble);
    if (done !== undefined) timing.push(done.timing);
  }
  if (troubles.length > 0) throw refusal(place, record, troubles);
  timing.sort((a, b) => a.shard.index - b.shard.index);
  return { record, place, shards, timing };
}

/**
 * Reads shards that were found, each row where it belongs and each once.
 * @throws {InputError} when the rows are not those that the run was planned with
 */
export async function collectShards(found: FoundShards): Promise<CollectedCell> {
  const { record, place, shards, timing } = found;
  const builder = new ColumnsBuilder(shards.reduce((sum, { header }) => sum + header.rows, 0));
  const refused = (trouble: string) => refusal(place, record, [trouble]);
  for (const { name, header } of shards) {
    const { index, count } = header.shard;
    await readShardFile(join(place, name), (batch) => {
      const stray = batch.rows.find((row) => shardOfRow(row, count) !== index);
      if (stray !== undefined) throw refused(`${name} holds row ${stray}, which belongs to another shard`);
      try {
        builder.add(batch);
      } catch (error) {
        throw error instanceof InputError
          ? refused(`${error.message}: ${name} or another shard was changed by hand`)
          : error;
      }
    });
  }
  const predictions = builder.done().inRowOrder();
  const { rows } = predictions;
  const twice = rows.find((row, i) => row === rows[i - 1]);
  if (twice !== undefined) throw refused(`row ${twice} is there twice`);
  if (rows.length !== record.rows.selected || rowsDigest(rows) !== record.rows.digest) {
    throw refused(
      `the shards hold ${counted(rows.length, "row")}, not the ${record.rows.selected} that the run was planned with`,
    );
  }
  return { predictions, timing };
}

/** The number of shards, when all files agree on one; files of a smaller group are foreign. */
function agreedCount(found: readonly FoundShard[], troubles: string[]): number {
  const sizes = new Map<number, number>();
  for (const { header } of found) sizes.set(header.shard.count, (sizes.get(header.shard.count) ?? 0) + 1);
  const [most = [1, 0]] = [...sizes].sort((a, b) => b[1] - a[1] || b[0] - a[0]);
  for (const { name, header } of found) {
    if (header.shard.count === most[0]) continue;
    troubles.push(
      `${name} is of a split into ${header.shard.count}, while others are of one into ${most[0]}: keep one split`,
    );
  }
  return most[0];
}

function doubled(kept: readonly FoundShard[]): string[] {
  const first = new Map<number, string>();
  return kept.flatMap(({ name, header }) => {
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

function missing(kept: readonly FoundShard[], count: number, names: readonly string[]): string[] {
  const there = new Set(kept.map(({ header }) => header.shard.index));
  const absent = Array.from({ length: count }, (_, i) => i + 1).filter((index) => !there.has(index));
  if (kept.length === 0) return names.some((name) => name.endsWith(".jsonl")) ? [] : ["no shard was run yet"];
  return absent
    .filter((index) => !names.includes(`${shardName({ index, count })}.jsonl`))
    .map((index) => `${shardName({ index, count })} is missing: run it with --shard ${index}/${count}`);
}

/** A file of which not even the first line, which says whose it is, can be used. */
function notBegun(name: string, { damage }: ShardContents, names: readonly string[]): string {
  if (damage === undefined) return `${name} is not finished: nothing of it is whole yet`;
  const done = name.replace(/\.jsonl$/, ".done.json");
  const files = names.includes(done) ? `it and ${done}` : "it";
  return `${damaged(name, damage)}; delete ${files}, and run this shard again`;
}

/** `001-of-001.jsonl is damaged at line 2: …` */
const damaged = (name: string, { place, message }: FormatError) =>
  `${name} is damaged at line ${place.line}: ${message}`;

/** Why a shard is not a finished one; undefined when it is. */
async function unfinished(
  place: string,
  { name, header }: FoundShard,
  done: ShardDone | undefined,
): Promise<string | undefined> {
  const file = join(place, name);
  const agrees = done?.cell === header.cell && done.rows === header.rows;
  if (agrees && done.sha256 === (await digestFile(file))) return undefined;
  const { rows, torn, damage } = await readShardFile(file);
  const { index, count } = header.shard;
  if (damage !== undefined) {
    const from = "the rows before it stay";
    return done === undefined
      ? `${damaged(name, damage)}; the run's command with --shard ${index}/${count} goes on from there: ${from}`
      : `${damaged(name, damage)}, after it was finished; delete ${shardName(header.shard)}.done.json, and the run's command with --shard ${index}/${count} goes on from there: ${from}`;
  }
  return done === undefined || rows < header.rows || torn > 0
    ? `${name} is not finished: ${rows} of ${header.rows} rows; go on with --shard ${index}/${count}`
    : `${name} was changed after it was finished: delete it and its .done.json, and run it again`;
}

function refusal(place: string, { cell, identity }: CellRecord, troubles: readonly string[]): InputError {
  const list =
    troubles.length === 1 ? troubles[0] : `\n${troubles.map((trouble) => `- ${trouble}`).join("\n")}`;
  return new InputError(
    `the shards of ${cellTitle(cell)} (cell ${cellName(identity)}) do not make a whole: ${list}`,
    {
      place: { file: place },
    },
  );
}
