import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import { takeLock } from "../../base/file-lock.ts";
import { checkWritableFolder, kindOfPath, namesInFolder } from "../../base/folder.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { removeTemporaryFiles, writeFileAtomic } from "../../base/write-file.ts";
import { cellTitle } from "../../evaluation/runs/cell.ts";
import type { CustomForms } from "../../evaluation/runs/forms.ts";
import { readableJson, readRecord } from "../../evaluation/runs/run-folder.ts";
import {
  ENTRIES,
  entryName,
  entryText,
  type LeaderboardEntry,
  readEntry,
  writeEntryScores,
} from "./entry.ts";
import { leaderboardPage, leaderboardReadme } from "./leaderboard-page.ts";
import { type SubmittedCell, submittedCells } from "./submitted-cells.ts";

/** Options of `writeLeaderboard`, with the custom tasks, settings and model families of the results. */
export interface LeaderboardOptions extends CustomForms {
  /** Title of the page; default: that of the existing leaderboard. */
  readonly title?: string;
  /** Store the scores of the rows, so that anyone can verify the entries. */
  readonly withScores?: boolean;
  /** Replace entries of the same cells with other results. */
  readonly replace?: boolean;
}

/** Outcome of `writeLeaderboard`. */
export interface LeaderboardOutcome {
  readonly entries: number;
  /** Names of new and replaced entries. */
  readonly added: readonly string[];
}

const SETTINGS_FILE = "leaderboard.json";

const settingsSchema = z.object({
  format: z.literal("dart-eval leaderboard"),
  formatVersion: z.literal(1),
  title: z.string(),
});

/**
 * Adds results to a leaderboard, a folder of static files: a JSON file per cell in `entries`, index.html and
 * README.md. The files depend on the results alone, so that a repeated call changes nothing and the folder
 * can be committed and diffed.
 *
 *     await writeLeaderboard("leaderboard", ["runs/hyenadna", "runs/markov"], { withScores: true });
 *
 * @param paths  merged runs, cells or leaderboards; none: rewrites the pages from the entries
 * @throws {InputError} when a result was changed, an entry has another result of the cell, or the folder is
 *         not a leaderboard
 */
export async function writeLeaderboard(
  folder: string,
  paths: readonly string[],
  { title, withScores = false, replace = false, ...forms }: LeaderboardOptions = {},
): Promise<LeaderboardOutcome> {
  const submitted = (await Promise.all(paths.map(submittedCells))).flat();
  if (paths.length === 0 && (await kindOfPath(join(folder, SETTINGS_FILE))) === undefined) {
    throw new InputError("no leaderboard in this folder", {
      place: { file: folder },
      hint: "to begin one, give merged runs: dart-eval leaderboard FOLDER RUN",
    });
  }
  await checkWritableFolder(folder);
  await using _ = await takeLock(join(folder, "leaderboard.lock"));
  const stored = await storedTitle(folder);
  const shown = title ?? stored ?? "DNA language models on regulatory DNA";
  const write = async (name: string, text: string) => {
    const path = join(folder, name);
    await removeTemporaryFiles(path);
    await writeFileAtomic(path, text);
  };
  // Written first, so that the folder is a leaderboard even if the call is interrupted.
  await write(
    SETTINGS_FILE,
    readableJson({ format: "dart-eval leaderboard", formatVersion: 1, title: shown }),
  );
  const added: string[] = [];
  for (const cell of submitted) {
    const name = await addEntry(folder, cell, { withScores, replace });
    if (name !== undefined) added.push(name);
  }
  const entries = await readEntries(folder);
  await write("index.html", leaderboardPage(entries, shown, forms));
  await write("README.md", leaderboardReadme(entries, shown, forms));
  return { entries: entries.length, added };
}

/** Title of a leaderboard; undefined for an empty folder. @throws {InputError} when it has other files */
async function storedTitle(folder: string): Promise<string | undefined> {
  const settings = await readRecord(join(folder, SETTINGS_FILE), settingsSchema);
  if (settings !== undefined) return settings.title;
  const names = (await namesInFolder(folder)).filter((name) => !/^\.|^leaderboard\.lock/.test(name));
  if (names.length === 0) return undefined;
  throw new InputError(
    `the folder has other files and no leaderboard (it has ${names.slice(0, 3).join(", ")})`,
    {
      place: { file: folder },
      hint: "choose a new or an empty folder",
    },
  );
}

/** @returns the entry's name if it is new or was changed */
async function addEntry(
  folder: string,
  { result, sha256, changed, programs, place, predictions }: SubmittedCell,
  { withScores, replace }: Required<Pick<LeaderboardOptions, "withScores" | "replace">>,
): Promise<string | undefined> {
  if (changed !== undefined) {
    throw new InputError("this result was changed after it was written", {
      place: { file: place },
      hint: "merge the run again: dart-eval merge RUN",
    });
  }
  const name = entryName(result);
  const file = join(folder, ENTRIES, `${name}.json`);
  const before = (await kindOfPath(file)) === undefined ? undefined : await readEntry(file, name);
  if (before !== undefined && before.sha256 !== sha256 && !replace) {
    throw new InputError(`the leaderboard has another result of ${cellTitle(result.cell)}`, {
      place: { file },
      hint: "replace it with --replace",
    });
  }
  const kept = before?.sha256 === sha256 ? before : undefined;
  let scores = kept?.scores;
  if (withScores) {
    if (predictions === undefined) {
      throw new InputError("the scores of this result are missing", { place: { file: place } });
    }
    scores = await writeEntryScores(folder, { name, result, programs }, await predictions());
  }
  const text = entryText({ result, programs: kept?.programs ?? programs, scores });
  if (text === (await textIfPresent(file))) return undefined;
  await writeFileAtomic(file, text);
  return name;
}

/**
 * Entries of a leaderboard by name.
 * @throws {InputError} when one was edited
 */
async function readEntries(folder: string): Promise<readonly LeaderboardEntry[]> {
  const place = join(folder, ENTRIES);
  const names = (await kindOfPath(place)) === "folder" ? await namesInFolder(place) : [];
  const entries: LeaderboardEntry[] = [];
  for (const name of names.filter((name) => name.endsWith(".json"))) {
    const file = join(place, name);
    const entry = await readEntry(file, name.slice(0, -".json".length));
    if (entry.changed !== undefined) {
      throw new InputError("this entry was changed after it was written", {
        place: { file },
        hint: "restore it, or remove it and add the result again",
      });
    }
    entries.push(entry);
  }
  return entries;
}
