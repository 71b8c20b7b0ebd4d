import { join } from "node:path";
import { InputError, InternalError } from "../../base/errors.ts";
import { isObject } from "../../base/json.ts";
import { shownValue } from "../../base/message-text.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { forEachLine } from "../../base/text-lines.ts";
import { taskNamed } from "../tasks/catalogue.ts";
import type { Measurement } from "../tasks/measurement.ts";
import type { PredictionColumns } from "../tasks/prediction-columns.ts";
import { blocksOf, rowsDigest } from "../tasks/row-list.ts";
import { pickRows } from "../tasks/table-rows.ts";
import type { MeasureWork, OpenTask, Task, TaskInputs } from "../tasks/task.ts";
import { cellIdentity } from "./cell.ts";
import { sampled } from "./draft-cells.ts";
import { cellResult, measureCell, metricsRecord, writtenScores } from "./merge.ts";
import { positionMismatches } from "./position-scores.ts";
import { type CellResult, type OpenedSeal, withPresentNames } from "./stored-results.ts";

/** A result with its stored scores, from any place. */
export interface CellToVerify extends OpenedSeal {
  /** Folder or file, for messages. */
  readonly place: string;
  /**
   * Reads the stored predictions in row order; absent without them.
   * @throws {InputError} when they were changed, or are not the rows of the result
   */
  readonly predictions?: () => Promise<PredictionColumns>;
  /** Folder with scores.tsv and metrics.json, if the cell has these files. */
  readonly folder?: string;
}

/** Options of `verifyCell`. */
export interface VerifyOptions extends MeasureWork {
  /** Custom tasks. */
  readonly tasks?: readonly Task[];
  /** Inputs of the task: labels and other facts of each row are compared with them. */
  readonly inputs?: TaskInputs | undefined;
}

/** Outcome of the verification of one cell. */
export interface VerifiedCell {
  readonly place: string;
  readonly result: CellResult;
  /** One sentence per mismatch; empty for a result that agrees with its scores. */
  readonly mismatches: readonly string[];
  /**
   * Titles, descriptions and notes that differ from those of this version: versions word them differently.
   */
  readonly rewordedTexts: readonly string[];
}

/** Differences listed per cell; the next ones are counted. */
const MAX_LISTED = 20;

/**
 * Verifies a result against its stored scores: the digest of the result, its identity, number and digest of
 * rows, scores.tsv line by line, every metric and interval, recomputed, and the sums of positions.json. With
 * inputs also their digests, the selection of rows, and the facts of each row. Numbers, keys and names are
 * compared; other wording of titles, descriptions and notes is listed and not a mismatch.
 *
 * @throws {InputError} when the scores are missing, the task is not known, or an input cannot be read
 */
export async function verifyCell(
  submitted: CellToVerify,
  { tasks = [], inputs, ...work }: VerifyOptions = {},
): Promise<VerifiedCell> {
  const { place, result } = submitted;
  const { cell } = result;
  const task = taskNamed(cell.task, tasks);
  if (submitted.predictions === undefined) {
    throw new InputError("the scores of this result are missing", {
      place: { file: place },
      hint: "keep the folder rows of the cell, or store scores in the leaderboard: dart-eval leaderboard --with-scores",
    });
  }
  if (task.version !== cell.taskVersion) {
    throw new InputError(
      `the result is of version ${cell.taskVersion} of the task ${task.name}; this is version ${task.version}`,
      { place: { file: place }, hint: "verify with the version of dart-eval that made it" },
    );
  }
  const mismatches = sealMismatches(submitted);
  const rewordedTexts: string[] = [];
  const predictions = await submitted.predictions().catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    mismatches.push(error.message);
    return undefined;
  });
  if (predictions !== undefined) {
    mismatches.push(...rowMismatches(result, predictions));
    // Scores of another cell are not compared.
    if (cellIdentity(cell) === result.identity) {
      const { wrong, reworded } = await measurementMismatches(submitted, task, predictions, work);
      mismatches.push(...wrong);
      rewordedTexts.push(...reworded);
    }
    if (inputs !== undefined) mismatches.push(...(await dataMismatches(task, inputs, result, predictions)));
  }
  return { place, result, mismatches: shortened(mismatches), rewordedTexts };
}

/** Compares the digest of the result and the identity of its cell with those recorded. */
function sealMismatches({ result, sha256, changed }: CellToVerify): string[] {
  const mismatches: string[] = [];
  if (changed !== undefined) {
    mismatches.push(`the contents of the result have the SHA-256 ${changed}; recorded is ${sha256}`);
  }
  const identity = cellIdentity(result.cell);
  if (identity !== result.identity) {
    mismatches.push(`the identity is ${result.identity}; that of the cell is ${identity}`);
  }
  return mismatches;
}

/** Compares the result and the cell's files with the stored scores and what is computed from them. */
async function measurementMismatches(
  { result, folder }: CellToVerify,
  task: Task,
  predictions: PredictionColumns,
  work: MeasureWork,
): Promise<Compared> {
  const measurement = await measured(task, result, predictions, work);
  if (typeof measurement === "string") return { wrong: [measurement], reworded: [] };
  const { wrong, reworded } = compared("result", result, cellResult(result, measurement, result));
  if (folder === undefined) return { wrong, reworded };
  return {
    wrong: [
      ...(await scoresMismatches(join(folder, "scores.tsv"), task, result, predictions)),
      ...wrong,
      ...(await metricsMismatches(folder, metricsRecord(result.cell, measurement))),
      ...(await positionMismatches({ folder, result }, predictions)),
    ],
    reworded,
  };
}

/** Metrics of the stored scores; a sentence if they are not scores of the result's setting. */
async function measured(
  task: Task,
  result: CellResult,
  predictions: PredictionColumns,
  work: MeasureWork,
): Promise<Measurement | string> {
  try {
    return await measureCell(task, result, predictions, work);
  } catch (error) {
    if (!(error instanceof InternalError)) throw error;
    return `the stored scores are not those of the setting ${result.cell.setting}: ${error.message}`;
  }
}

function shortened(mismatches: readonly string[]): readonly string[] {
  if (mismatches.length <= MAX_LISTED) return mismatches;
  const more = mismatches.length - MAX_LISTED;
  return [...mismatches.slice(0, MAX_LISTED), `${more} more differences`];
}

function rowMismatches({ rows }: CellResult, { rowList: found }: PredictionColumns): string[] {
  const digest = rowsDigest(found);
  const mismatches: string[] = [];
  if (found.length !== rows.selected) {
    mismatches.push(`${found.length} rows are stored; the result has ${rows.selected}`);
  }
  if (digest !== rows.digest) {
    mismatches.push(`the stored row numbers have the SHA-256 ${digest}; the result has ${rows.digest}`);
  }
  return mismatches;
}

/** Compares scores.tsv with the stored predictions, text by text. */
async function scoresMismatches(
  file: string,
  task: Task,
  result: CellResult,
  predictions: PredictionColumns,
): Promise<string[]> {
  const { columns, line } = task.settings[result.cell.setting]?.scores ?? task.scores;
  const expected = writtenScores(result, predictions);
  const found: string[] = [];
  let lines = 0;
  let differing = 0;
  await forEachLine(file, (text, number) => {
    lines = number;
    const next = number === 1 ? undefined : expected.next().value;
    const cells = number === 1 ? columns : next === undefined ? [] : line(next).map(String);
    if (text === cells.join("\t")) return;
    if (differing++ > 0) return;
    const fields = text.split("\t");
    const at = columns.findIndex((_, c) => fields[c] !== cells[c]);
    const where =
      next === undefined ? `scores.tsv:${number}` : `scores.tsv:${number}: ${columns[at]} of row ${next.row}`;
    found.push(`${where} is ${fields[at] ?? text}; the stored scores give ${cells[at] ?? "no such line"}`);
  });
  if (differing > 1) found.push(`scores.tsv differs from the stored scores in ${differing} lines`);
  if (lines !== predictions.length + 1) {
    found.push(`scores.tsv has ${Math.max(0, lines - 1)} rows; ${predictions.length} are stored`);
  }
  return found;
}

async function metricsMismatches(folder: string, expected: object): Promise<string[]> {
  const file = join(folder, "metrics.json");
  const text = await textIfPresent(file);
  if (text === undefined) return ["metrics.json is missing"];
  try {
    const found = JSON.parse(text, withPresentNames);
    return compared("metrics.json", found, JSON.parse(JSON.stringify(expected))).wrong;
  } catch (error) {
    if (error instanceof SyntaxError) return ["metrics.json is not valid JSON"];
    throw error;
  }
}

/** Rows per call of `OpenTask.examples`. */
const BLOCK_ROWS = 4096;

/** Compares digests, selected rows and the facts of each row with the task's inputs. */
async function dataMismatches(
  task: Task,
  inputs: TaskInputs,
  { cell, rows }: CellResult,
  predictions: PredictionColumns,
): Promise<string[]> {
  const open = await task.open(inputs, {
    seed: cell.seed,
    ...(cell.context === undefined ? {} : { context: cell.context }),
  });
  try {
    const mismatches: string[] = [];
    for (const [name, digest] of Object.entries(open.digests)) {
      const recorded = cell.data[name];
      if (recorded === digest) continue;
      mismatches.push(`${name} has the SHA-256 ${digest}; the result has ${recorded ?? "no such input"}`);
    }
    const part = task.settings[cell.setting]?.part;
    const selection = {
      split: cell.split,
      limit: cell.limit,
      purpose: "evaluate",
      ...(part && { part }),
    } as const;
    const selected = sampled(open, open.select(selection), cell.sample);
    const expected = rows.planned === undefined ? selected.rows : pickRows(selected.rows, rows.selected);
    if (rowsDigest(expected) !== rows.digest || selected.inTable !== rows.inTable) {
      mismatches.push(
        `the data give ${selected.rows.length} rows of ${selected.inTable}; the result has ${rows.selected} of ${rows.inTable}, or other ones`,
      );
      return mismatches;
    }
    return [...mismatches, ...(await factMismatches(open, predictions))];
  } finally {
    await open.close();
  }
}

async function factMismatches(open: OpenTask, predictions: PredictionColumns): Promise<string[]> {
  const mismatches: string[] = [];
  let start = 0;
  for (const block of blocksOf(predictions.rowList, BLOCK_ROWS)) {
    for (const [i, { row, facts }] of (await open.examples(block, { bases: false })).entries()) {
      const stored = predictions.at(start + i);
      if (stored.row !== row) throw new InternalError(`row ${row} in place of ${stored.row}`);
      for (const [name, value] of Object.entries(facts)) {
        if (stored.facts[name] === value) continue;
        mismatches.push(`${name} of row ${row} is ${stored.facts[name] ?? "absent"}; the data have ${value}`);
      }
    }
    start += block.length;
  }
  return mismatches;
}

/** Relative difference below which numbers are equal: other CPUs and versions of Node round differently. */
const ROUNDING = 1e-9;

/** Keys of texts for readers, whose wording may change between versions. */
const TEXTS: ReadonlySet<string> = new Set(["title", "column", "group", "why", "unreliable", "description"]);

/** Key of the list of texts for readers. */
const NOTES = "notes";

interface Compared {
  /** One sentence per difference. */
  readonly wrong: string[];
  /** Paths of texts with another wording. */
  readonly reworded: string[];
}

/**
 * Compares a recorded with a recomputed value. Elements of lists are matched by their name, label or method.
 * Of texts for readers only the presence is compared, of notes nothing.
 */
function compared(path: string, recorded: unknown, computed: unknown): Compared {
  const wrong: string[] = [];
  const reworded: string[] = [];
  const compare = (path: string, recorded: unknown, computed: unknown, key = ""): void => {
    if (isWording(key, recorded) && isWording(key, computed)) {
      if (JSON.stringify(recorded) !== JSON.stringify(computed)) reworded.push(path);
      return;
    }
    const [there, here] = [membersOf(recorded), membersOf(computed)];
    if (there === undefined || here === undefined || Array.isArray(recorded) !== Array.isArray(computed)) {
      if (equal(recorded, computed)) return;
      wrong.push(`${path} is ${shownValue(recorded)}; recomputed: ${shownValue(computed)}`);
      return;
    }
    for (const name of new Set([...there.keys(), ...here.keys()])) {
      compare(`${path}: ${name}`, there.get(name), here.get(name), name);
    }
  };
  compare(path, recorded, computed);
  return { wrong, reworded };
}

/** True for a text or notes for readers. */
const isWording = (key: string, value: unknown) =>
  key === NOTES ? Array.isArray(value) : TEXTS.has(key) && typeof value === "string";

/** Elements of a list or properties of an object by name; undefined for other values. */
function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (Array.isArray(value)) return byName(value);
  return isObject(value) ? new Map(Object.entries(value)) : undefined;
}

function equal(a: unknown, b: unknown): boolean {
  if (typeof a !== "number" || typeof b !== "number") return a === b;
  return a === b || Math.abs(a - b) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b));
}

/** Elements by name, or by number where they have none or share it. */
function byName(list: readonly unknown[]): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [i, element] of list.entries()) {
    const { name, label, method, of } = isObject(element) ? element : {};
    const names = [name ?? label ?? method, of].filter((text) => typeof text === "string");
    const key = names.join(" of ");
    found.set(key === "" || found.has(key) ? `${key}[${i}]` : key, element);
  }
  return found;
}
