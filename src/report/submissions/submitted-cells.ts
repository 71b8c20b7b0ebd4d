import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import { kindOfPath, namesInFolder } from "../../base/folder.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { cellName } from "../../evaluation/runs/cell.ts";
import { collectShards, findShardsIn } from "../../evaluation/runs/collect-shards.ts";
import {
  cellFolder,
  parseRecord,
  readRecord,
  readRunRecord,
  runFolders,
} from "../../evaluation/runs/run-folder.ts";
import { timingSchema } from "../../evaluation/runs/shard-store.ts";
import { openSeal, programsOf, sealSchema } from "../../evaluation/runs/stored-results.ts";
import type { CellToVerify } from "../../evaluation/runs/verify-cell.ts";
import { ENTRIES, entryPredictions, hasScores, readEntry } from "./entry.ts";

/** A result with its origin. */
export interface SubmittedCell extends CellToVerify {
  /** Versions of the programs that scored the rows. */
  readonly programs: readonly string[];
}

/**
 * Cells at a path: of a run folder, a cell's folder with result.json and rows, a leaderboard folder, or an
 * entry of one.
 *
 * @throws {InputError} when the path has none of these, or a cell has no result
 */
export async function submittedCells(path: string): Promise<readonly SubmittedCell[]> {
  const kind = await kindOfPath(path);
  if (kind === undefined) throw new InputError("no such file or folder", { place: { file: path } });
  if (kind === "file") return [await submittedEntry(path)];
  if ((await kindOfPath(join(path, "result.json"))) === "file") return [await submittedCell(path)];
  if ((await kindOfPath(join(path, ENTRIES))) === "folder") {
    const names = (await namesInFolder(join(path, ENTRIES))).filter((name) => name.endsWith(".json"));
    return Promise.all(names.map((name) => submittedEntry(join(path, ENTRIES, name))));
  }
  const cells: SubmittedCell[] = [];
  for (const folder of await runFolders(path)) {
    const run = await readRunRecord(folder);
    if (run === undefined) {
      throw new InputError("neither a run, nor a cell of one, nor a leaderboard", {
        place: { file: path },
        hint: "expected a folder with plan.json, result.json or entries",
      });
    }
    for (const record of run.cells) {
      const cell = await submittedCell(cellFolder(folder, record));
      if (cell.result.identity !== record.identity) {
        throw new InputError(`the result is of cell ${cellName(cell.result.identity)}`, {
          place: { file: cell.place },
          hint: `merge again: dart-eval merge ${folder}`,
        });
      }
      cells.push(cell);
    }
  }
  return cells;
}

async function submittedCell(folder: string): Promise<SubmittedCell> {
  const file = join(folder, "result.json");
  const text = await textIfPresent(file);
  if (text === undefined) {
    throw new InputError("the cell has no result yet", {
      place: { file: folder },
      hint: "when its shards are finished, merge them: dart-eval merge RUN",
    });
  }
  const rows = join(folder, "rows");
  const hasRows = (await kindOfPath(rows)) === "folder";
  const opened = openSeal(file, parseRecord(file, text, sealSchema));
  return {
    ...opened,
    place: folder,
    folder,
    programs: await programsIn(folder),
    ...(hasRows && {
      predictions: async () => (await collectShards(await findShardsIn(rows, opened.result))).predictions,
    }),
  };
}

/** Versions of the programs that scored a cell, each once; none without timing.json. */
async function programsIn(folder: string): Promise<readonly string[]> {
  return programsOf((await readRecord(join(folder, "timing.json"), z.array(timingSchema))) ?? []);
}

async function submittedEntry(file: string): Promise<SubmittedCell> {
  const entry = await readEntry(file, basename(file, ".json"));
  const folder = dirname(dirname(resolve(file)));
  const withScores = entry.scores !== undefined && (await hasScores(folder, entry));
  return { ...entry, place: file, ...(withScores && { predictions: () => entryPredictions(folder, entry) }) };
}
