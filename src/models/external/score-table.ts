import { basename } from "node:path";
import { cachedDigest } from "../../base/cached-digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { forEachTableRow, parseDecimal, parseFiniteNumber, readTable } from "../../base/table.ts";
import { textLines } from "../../base/text-lines.ts";
import { MODEL_FAMILIES } from "../language/catalogue.ts";
import type { ExpectedRows, Model, QueryOptions } from "../model.ts";
import { fileSpec } from "./file-spec.ts";

/** Rows named in a message. */
const NAMED = 10;

/**
 * Scores that were computed elsewhere, as a model that looks its answers up. A table, tab-separated with a header, plain or
 * compressed, of one of two kinds:
 *
 * - `idx`, the number of a task's row, 0-based in its whole table, and one column per sequence of the row, named as in the
 *   task's own `scores.tsv`: `idx seq_score ctrl_score`. It may be the `scores.tsv` of a run, or of DART-Eval's scripts.
 * - `sequence` and `log_likelihood`: any sequences' scores.
 *
 * Log-likelihoods are in nats, if their differences are to mean what other models' do. With `answers=activity` the scores are
 * predicted activities, ln(1 + counts), which the setting `predicted` evaluates; `family` names the model that made them, as
 * `chrombpnet` for the columns of the benchmark's variant tables.
 *
 * @param spec  `FILE.tsv`, or `scores:answers=activity,family=NAME,FILE.tsv`
 * @throws {InputError} when the table has neither kind's columns, or an option is not known; a table of sequences is checked
 *   now, one of rows when the run is planned
 */
export async function openScoreTable(spec: string): Promise<Model> {
  const { path, options } = fileSpec(spec, "scores", {
    answers: ["likelihood", "activity"],
    family: MODEL_FAMILIES,
  });
  const { answers = "likelihood", ...family } = options;
  const columns = await columnsOf(path);
  const activity = answers === "activity";
  const model = {
    name: basename(path).replace(/\.tsv(\.gz)?$/, ""),
    identity: `${activity ? "activity " : ""}scores ${await cachedDigest(path)}`,
    ...family,
    // Looking up costs nothing; calls are only made few.
    batchSize: 4096,
  };
  if (columns.includes("idx")) {
    const { expectRows, scoresOf } = rowScores(path);
    return activity
      ? { ...model, readsLetters: false, expectRows, predictActivity: scoresOf }
      : { ...model, readsLetters: false, expectRows, logLikelihood: scoresOf };
  }
  if (columns.includes("sequence") && activity) {
    throw new InputError("a table by sequences holds log-likelihoods, not activities", {
      place: { file: path },
      hint: "give activities by rows: idx and one column for each sequence of a row",
    });
  }
  if (columns.includes("sequence")) {
    const scores = await readSequenceScores(path);
    return { ...model, logLikelihood: (sequences) => scores.of(sequences) };
  }
  throw new FormatError(
    { file: path, line: 1 },
    `the header names ${columns.slice(0, 20).join(", ").slice(0, 300)}`,
    "a table of scores has the columns idx and, for task 1, seq_score and ctrl_score; or sequence and log_likelihood",
  );
}

async function columnsOf(path: string): Promise<readonly string[]> {
  for await (const { text } of textLines(path)) return text.split("\t");
  throw new FormatError({ file: path }, "the table is empty");
}

/** Scores of a task's whole table. */
interface Scores {
  readonly columns: readonly string[];
  /** Numbers of a row. */
  readonly width: number;
  /** [rows in the table, width]; NaN where the file has no line for a row. */
  readonly data: Float64Array;
}

function rowScores(path: string) {
  const byTask = new Map<string, Scores>();
  return {
    async expectRows(expected: ExpectedRows) {
      const { task, columns, inTable } = expected;
      const known = byTask.get(task);
      const same = known?.columns.join() === columns.join() && known.data.length === known.width * inTable;
      const scores = same ? known : await readRowScores(path, expected);
      if (same) refuse(path, [missingRows(scores, expected)]);
      byTask.set(task, scores);
    },
    scoresOf(sequences: readonly string[], { origins }: QueryOptions) {
      return Float64Array.from(sequences, (_, i) => {
        const origin = origins?.[i];
        const scores = origin && byTask.get(origin.task);
        const score = scores?.data[origin!.row * scores.width + origin!.member];
        if (score !== undefined && !Number.isNaN(score)) return score;
        throw new InputError("a table of scores by rows answers for the rows of a planned run alone", {
          place: { file: path },
          hint: "to score any sequence, give a table with the columns sequence and log_likelihood",
        });
      });
    },
  };
}

/**
 * Reads the rows of a task's table, and checks every line: each row once, its scores numbers, each row one of the task's.
 *
 * @throws {FormatError} with everything that is wrong, rows and lines named; also rows asked for that are missing
 */
async function readRowScores(path: string, expected: ExpectedRows): Promise<Scores> {
  const { task, columns, inTable } = expected;
  const width = columns.length - 1;
  const scores = { columns, width, data: new Float64Array(width * inTable).fill(Number.NaN) };
  const firstLine = new Uint32Array(inTable);
  const foreign: string[] = [];
  const twice: string[] = [];
  const noNumber: string[] = [];
  await forEachTableRow(path, columns, ({ fields, line }) => {
    const idx = fields[0];
    const row = /^\d{1,15}$/.test(idx) ? Number(idx) : Number.NaN;
    if (!(row < inTable)) {
      foreign.push(`${JSON.stringify(idx.slice(0, 20))} (line ${line})`);
      return;
    }
    if (firstLine[row] > 0) twice.push(`${row} (lines ${firstLine[row]} and ${line})`);
    firstLine[row] = line;
    for (let k = 0; k < width; k++) {
      const value = parseDecimal(fields[k + 1]);
      if (!Number.isFinite(value)) {
        noNumber.push(
          `${columns[k + 1]} ${JSON.stringify(fields[k + 1].slice(0, 20))} of ${row} (line ${line})`,
        );
        break;
      }
      scores.data[row * width + k] = value;
    }
  });
  refuse(path, [
    describeRows(`rows that ${task} does not have (it has 0 to ${inTable - 1})`, foreign),
    describeRows("rows given twice", twice),
    describeRows("scores that are no numbers", noNumber),
    missingRows(scores, expected, (row) => firstLine[row] === 0),
  ]);
  return scores;
}

const missingRows = (
  { width, data }: Scores,
  { rows }: ExpectedRows,
  isMissing = (row: number) => Number.isNaN(data[row * width]),
) => describeRows("rows missing", Array.from(rows.filter(isMissing), String), ` of ${rows.length} asked for`);

/** @throws {FormatError} when there is something to tell */
function refuse(path: string, troubles: readonly (string | undefined)[]): void {
  const told = troubles.filter((text) => text !== undefined);
  if (told.length === 0) return;
  throw new FormatError(
    { file: path },
    told.join("\n"),
    "idx counts the rows of the task's whole table from 0, whatever chromosomes they are on",
  );
}

/** `rows missing, 3 of 90 asked for: 1, 5, 8`, or nothing where there is nothing to tell. */
function describeRows(what: string, items: readonly string[], of = ""): string | undefined {
  if (items.length === 0) return undefined;
  const more = items.length > NAMED ? `, and ${items.length - NAMED} more` : "";
  return `${what}, ${items.length}${of}: ${items.slice(0, NAMED).join(", ")}${more}`;
}

export interface SequenceScores {
  /** @throws {InputError} naming how many sequences have no score, and the first */
  of(sequences: readonly string[]): Float64Array;
}

/**
 * A table of `sequence` and `log_likelihood`; lower-case letters count as upper case.
 *
 * @throws {FormatError} naming the line where a sequence has a letter that is not A, C, G or T, a score is no finite number,
 *   or a sequence comes again with another score
 */
async function readSequenceScores(path: string): Promise<SequenceScores> {
  const scores = new Map<string, number>();
  for await (const { fields, line } of readTable(path, ["sequence", "log_likelihood"])) {
    const place = { file: path, line };
    const sequence = fields[0].toUpperCase();
    const score = parseFiniteNumber(fields[1], "log_likelihood", place);
    const other = /[^ACGT]/.exec(sequence);
    if (other !== null) {
      throw new FormatError(
        place,
        `letter ${JSON.stringify(other[0])} at position ${other.index} of the sequence is not A, C, G or T`,
        "models are shown A in place of every other letter",
      );
    }
    const before = scores.get(sequence);
    if (before !== undefined && before !== score) {
      throw new FormatError(
        place,
        `the sequence was given before, with the score ${before} and not ${score}`,
      );
    }
    scores.set(sequence, score);
  }
  return {
    of(sequences) {
      const missing = sequences.filter((sequence) => !scores.has(sequence));
      const [first] = missing;
      if (first === undefined) return Float64Array.from(sequences, (sequence) => scores.get(sequence)!);
      const shown = first.length > 60 ? `${first.slice(0, 60)}…` : first;
      throw new InputError(
        `${missing.length} of ${sequences.length} sequences asked for have no score, the first ${shown}`,
        {
          place: { file: path },
          hint: "controls are shuffled anew for every seed: score what `dart-eval` shows to models",
        },
      );
    },
  };
}
