import { join } from "node:path";
import { counted } from "../../base/counted.ts";
import { digestFile } from "../../base/digest.ts";
import { type FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath, namesInFolder } from "../../base/folder.ts";
import type { Prediction } from "../tasks/prediction.ts";
import { type CellRecord, cellName, cellTitle, rowsDigest } from "./cell.ts";
import { inRowOrder, type ShardTiming } from "./result.ts";
import { rowsFolder } from "./run-folder.ts";
import { readShardFile, type ShardContents, type ShardHeader } from "./shard-file.ts";
import { shardName, shardOfRow } from "./shard-of-rows.ts";
import { readShardDone, type ShardDone } from "./store.ts";

/** All answers to a cell, in row order, and how its shards went. */
export interface CollectedCell {
  readonly predictions: readonly Prediction[];
  readonly timing: readonly ShardTiming[];
}

interface FoundShard {
  readonly name: string;
  readonly header: ShardHeader;
  readonly contents: ShardContents;
}

/**
 * Reads the shards of a cell and makes sure that together they are the cell: every shard of one split, each once, each of
 * this cell, each finished, each row where it belongs.
 *
 * @throws {InputError} naming every shard for which that is not so, and what to do about it
 */
export async function collectShards(folder: string, record: CellRecord): Promise<CollectedCell> {
  const place = rowsFolder(folder, record);
  const names = (await kindOfPath(place)) === undefined ? [] : await namesInFolder(place);
  const troubles: string[] = [];
  const found: FoundShard[] = [];
  for (const name of names.filter((name) => name.endsWith(".jsonl"))) {
    const contents = await readShardFile(join(place, name));
    const { header } = contents;
    if (header === undefined) troubles.push(notBegun(name, contents, names));
    else if (header.cell !== record.identity) {
      troubles.push(
        `${name} is of another run (cell ${cellName(header.cell)}): move it away and run this shard again`,
      );
    } else found.push({ name, header, contents });
  }

  const count = agreedCount(found, troubles);
  const kept = found.filter(({ header }) => header.shard.count === count);
  troubles.push(...doubled(kept), ...missing(kept, count, names));
  const timing: ShardTiming[] = [];
  for (const shard of kept) {
    const done = await readShardDone(join(place, `${shardName(shard.header.shard)}.done.json`));
    const trouble = incomplete(shard, done) ?? (await changed(join(place, shard.name), shard, done));
    if (trouble !== undefined) troubles.push(trouble);
    else troubles.push(...misplaced(shard));
    if (done !== undefined) timing.push(done.timing);
  }
  if (troubles.length > 0) throw refusal(place, record, troubles);

  const predictions = inRowOrder(kept.flatMap(({ contents }) => contents.predictions));
  const rows = predictions.map(({ row }) => row);
  if (rows.length !== record.rows.selected || rowsDigest(rows) !== record.rows.digest) {
    throw refusal(place, record, [
      `the shards hold ${counted(rows.length, "row")}, not the ${record.rows.selected} that the run was planned with`,
    ]);
  }
  const stranger = predictions.find((prediction) => formOf(prediction) !== formOf(predictions[0]!));
  if (stranger !== undefined) {
    throw refusal(place, record, [
      `row ${stranger.row} holds another kind or number of values than row ${predictions[0]!.row}: its shard was changed by hand`,
    ]);
  }
  timing.sort((a, b) => a.shard.index - b.shard.index);
  return { predictions, timing };
}

/** What kind of answer a prediction is and how many values it has: the same for all rows of a cell. */
function formOf(prediction: Prediction): string {
  switch (prediction.kind) {
    case "likelihood": {
      const { values, tokens = values } = prediction;
      return tokens.length === values.length
        ? `likelihood ${values.length}`
        : `${values.length} ${tokens.length}`;
    }
    case "logits":
      return `logits ${prediction.logits.map((one) => one.length)}`;
    case "vector":
      return `vector ${prediction.vectors.map((one) => one.length)}`;
    default:
      return `${prediction.kind} ${prediction.values.length}`;
  }
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

function incomplete({ name, header, contents }: FoundShard, done: ShardDone | undefined): string | undefined {
  const have = contents.predictions.length;
  if (done !== undefined && have === header.rows && contents.torn === 0) return undefined;
  const { index, count } = header.shard;
  const { damage } = contents;
  if (damage !== undefined) {
    const from = "the rows before it stay";
    return done === undefined
      ? `${damaged(name, damage)}; the run's command with --shard ${index}/${count} goes on from there: ${from}`
      : `${damaged(name, damage)}, after it was finished; delete ${shardName(header.shard)}.done.json, and the run's command with --shard ${index}/${count} goes on from there: ${from}`;
  }
  return `${name} is not finished: ${have} of ${header.rows} rows; go on with --shard ${index}/${count}`;
}

async function changed(file: string, { name, header }: FoundShard, done: ShardDone | undefined) {
  const same =
    done?.cell === header.cell && done.rows === header.rows && done.sha256 === (await digestFile(file));
  return same
    ? undefined
    : `${name} was changed after it was finished: delete it and its .done.json, and run it again`;
}

function misplaced({ name, header, contents }: FoundShard): string[] {
  const { index, count } = header.shard;
  const stray = contents.predictions.find(({ row }) => shardOfRow(row, count) !== index);
  return stray === undefined ? [] : [`${name} holds row ${stray.row}, which belongs to another shard`];
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
