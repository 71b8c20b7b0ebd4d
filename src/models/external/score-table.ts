import { basename } from "node:path";
import { cachedDigest } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { NumberLog } from "../../base/number-log.ts";
import { valueAt } from "../../base/record.ts";
import { forEachTableRow, parseDecimal, parseFiniteNumber, readHeader, readTable } from "../../base/table.ts";
import { MODEL_FAMILIES } from "../language/catalogue.ts";
import type { ExpectedRows, Model, QueryOptions } from "../model.ts";
import { fileSpec } from "./file-spec.ts";

/** Maximum number of rows listed in a message. */
const MAX_LISTED = 10;

/**
 * Opens a table of precomputed scores as a model that looks them up. The table is tab-separated with a
 * header, plain or compressed, and has either
 *
 * - `idx`, the task's row number, 0-based in its whole table, and one column per sequence of a row, named as
 *   in the task's `scores.tsv`: `idx seq_score ctrl_score`. The `scores.tsv` of a run or of DART-Eval's
 *   scripts has this form.
 * - or `sequence` and `log_likelihood`: scores of any sequences.
 *
 * Log-likelihoods are in nats, for differences that are comparable with other models. With `answers=activity`
 * the scores are predicted activities, ln(1 + counts), for the setting `predicted`; `family` names their
 * model, such as `chrombpnet` for the columns of the benchmark's variant tables.
 *
 * @param spec  `FILE.tsv`, or `scores:answers=activity,family=NAME,FILE.tsv`
 * @throws {InputError} when the columns are of neither form, or an option is unknown. A table of sequences is
 *   checked when it is opened, one of rows when the run is planned
 */
export async function openScoreTable(spec: string): Promise<Model> {
  const { path, options } = fileSpec(spec, "scores", {
    answers: ["likelihood", "activity"],
    family: MODEL_FAMILIES,
  });
  const { answers = "likelihood", ...family } = options;
  const columns = await readHeader(path);
  const activity = answers === "activity";
  const model = {
    name: basename(path).replace(/\.tsv(\.gz)?$/, ""),
    identity: `${activity ? "activity " : ""}scores ${await cachedDigest(path)}`,
    ...family,
    // Large, since a lookup is cheaper than a call.
    batchSize: 4096,
  };
  if (columns.includes("idx")) {
    const { expectRows, scoresOf } = rowScores(path);
    return activity
      ? { ...model, readsSequences: false, expectRows, predictActivity: scoresOf }
      : { ...model, readsSequences: false, expectRows, logLikelihood: scoresOf };
  }
  if (columns.includes("sequence") && activity) {
    throw new InputError("a table of sequences has log-likelihoods, not activities", {
      place: { file: path },
      hint: "give activities by row: idx and one column per sequence of a row",
    });
  }
  if (columns.includes("sequence")) {
    const scores = await readSequenceScores(path);
    return { ...model, logLikelihood: (sequences) => scores.of(sequences) };
  }
  throw new FormatError(
    { file: path, line: 1 },
    `the header is ${columns.slice(0, 20).join(", ").slice(0, 300)}`,
    "expected the columns idx and, for Task 1, seq_score and ctrl_score; or sequence and log_likelihood",
  );
}

/** Scores of a task's whole table. */
interface Scores {
  readonly columns: readonly string[];
  readonly byRow: ScoresByRow;
}

/**
 * Scores and line numbers of the rows of a table. Beyond a few megabytes they are on disk if the rows of the
 * file ascend, else in memory.
 */
class ScoresByRow {
  readonly #logs = { scores: new NumberLog(), lines: new NumberLog() };
  #arrays: { readonly scores: Float64Array; readonly lines: Uint32Array } | undefined;

  /**
   * @param inTable  rows in the table
   * @param width    scores per row
   */
  constructor(
    readonly inTable: number,
    readonly width: number,
  ) {}

  /** @returns the line that has the row already, or 0 */
  add(row: number, scores: readonly number[], line: number): number {
    const { lines } = this.#logs;
    if (this.#arrays === undefined && row >= lines.length) {
      this.#fillUpTo(row);
      lines.push(line);
      for (const score of scores) this.#logs.scores.push(score);
      return 0;
    }
    this.#arrays ??= this.#inMemory();
    const before = this.#arrays.lines[row];
    this.#arrays.lines[row] = line;
    this.#arrays.scores.set(scores, row * this.width);
    return before;
  }

  /** NaN for a row without a line. */
  scoreOf(row: number, member: number): number {
    const i = row * this.width + member;
    if (this.#arrays !== undefined) return this.#arrays.scores[i];
    return row < this.#logs.lines.length ? this.#logs.scores.at(i) : Number.NaN;
  }

  has(row: number): boolean {
    if (this.#arrays !== undefined) return this.#arrays.lines[row] > 0;
    return row < this.#logs.lines.length && this.#logs.lines.at(row) > 0;
  }

  #fillUpTo(row: number) {
    const { scores, lines } = this.#logs;
    scores.appendRepeated(Number.NaN, (row - lines.length) * this.width);
    lines.appendRepeated(0, row - lines.length);
  }

  #inMemory() {
    this.#fillUpTo(this.inTable);
    const { scores, lines } = this.#logs;
    return {
      scores: Float64Array.from(scores.read(0, scores.length, "float64")),
      lines: Uint32Array.from(lines.read()),
    };
  }
}

function rowScores(path: string) {
  const byTask = new Map<string, Scores>();
  return {
    async expectRows(expected: ExpectedRows) {
      const { task, columns, inTable } = expected;
      const known = byTask.get(task);
      const same = known?.columns.join() === columns.join() && known.byRow.inTable === inTable;
      const scores = same ? known : await readRowScores(path, expected);
      if (same) reportErrors(path, [missingRows(scores, expected)]);
      byTask.set(task, scores);
    },
    scoresOf(sequences: readonly string[], { origins }: QueryOptions) {
      return Float64Array.from(sequences, (_, i) => {
        const origin = origins?.[i];
        const score = origin && byTask.get(origin.task)?.byRow.scoreOf(origin.row, origin.member);
        if (score !== undefined && !Number.isNaN(score)) return score;
        throw new InputError("a table of scores by row only has scores of the rows of a planned run", {
          place: { file: path },
          hint: "to score other sequences, give a table with the columns sequence and log_likelihood",
        });
      });
    },
  };
}

/**
 * Reads the scores of a task's table and checks every line: each row once, its scores finite, its number in
 * the table.
 *
 * @throws {FormatError} listing all errors with their rows and lines, and expected rows that are missing
 */
async function readRowScores(path: string, expected: ExpectedRows): Promise<Scores> {
  const { task, columns, inTable } = expected;
  const width = columns.length - 1;
  const scores = { columns, byRow: new ScoresByRow(inTable, width) };
  const values = new Array<number>(width);
  const [foreign, twice, noNumber] = [new Listing(), new Listing(), new Listing()];
  await forEachTableRow(path, columns, ({ fields, line }) => {
    const idx = fields[0];
    const row = /^\d{1,15}$/.test(idx) ? Number(idx) : Number.NaN;
    if (!(row < inTable)) {
      foreign.push(`${JSON.stringify(idx.slice(0, 20))} (line ${line})`);
      return;
    }
    for (let k = 0; k < width; k++) {
      values[k] = parseDecimal(fields[k + 1]);
      if (!Number.isFinite(values[k])) {
        noNumber.push(
          `${columns[k + 1]} ${JSON.stringify(fields[k + 1].slice(0, 20))} of ${row} (line ${line})`,
        );
        break;
      }
    }
    const before = scores.byRow.add(row, values, line);
    if (before > 0) twice.push(`${row} (lines ${before} and ${line})`);
  });
  reportErrors(path, [
    foreign.describe(`rows outside ${task} (0 to ${inTable - 1})`),
    twice.describe("duplicate rows"),
    noNumber.describe("scores that are not numbers"),
    missingRows(scores, expected),
  ]);
  return scores;
}

function missingRows({ byRow }: Scores, { rows }: ExpectedRows) {
  const missing = new Listing();
  for (const row of rows) if (!byRow.has(row)) missing.push(String(row));
  return missing.describe("rows missing", ` of ${rows.length}`);
}

/**
 * Throws the errors that are defined.
 * @throws {FormatError} if there are any
 */
function reportErrors(path: string, errors: readonly (string | undefined)[]): void {
  const found = errors.filter((text) => text !== undefined);
  if (found.length === 0) return;
  throw new FormatError(
    { file: path },
    found.join("\n"),
    "idx numbers the rows of the task's whole table from 0, over all chromosomes",
  );
}

/** A counted list for messages, which keeps the first items. */
class Listing {
  readonly #named: string[] = [];
  #count = 0;

  push(item: string): void {
    if (this.#count++ < MAX_LISTED) this.#named.push(item);
  }

  /** `rows missing, 3 of 90: 1, 5, 8`; undefined without items. */
  describe(what: string, of = ""): string | undefined {
    if (this.#count === 0) return undefined;
    const more = this.#count > MAX_LISTED ? `, and ${this.#count - MAX_LISTED} more` : "";
    return `${what}, ${this.#count}${of}: ${this.#named.join(", ")}${more}`;
  }
}

export interface SequenceScores {
  /**
   * Scores of sequences.
   * @throws {InputError} with the number of sequences without a score, and the first
   */
  of(sequences: readonly string[]): Float64Array;
}

/**
 * Reads a table of `sequence` and `log_likelihood`; lower-case bases are read as upper case.
 *
 * @throws {FormatError} naming the line with another base than A, C, G or T, a score that is not finite, or a
 *   repeated sequence with another score
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
        `${JSON.stringify(other[0])} at position ${other.index} of the sequence is not A, C, G or T`,
        "replace it by A, as runs do for language models",
      );
    }
    const before = scores.get(sequence);
    if (before !== undefined && before !== score) {
      throw new FormatError(
        place,
        `the sequence has the score ${score} here, but ${before} on an earlier line`,
      );
    }
    scores.set(sequence, score);
  }
  return {
    of(sequences) {
      const missing = sequences.filter((sequence) => !scores.has(sequence));
      const [first] = missing;
      if (first === undefined) return Float64Array.from(sequences, (sequence) => valueAt(scores, sequence));
      const shown = first.length > 60 ? `${first.slice(0, 60)}…` : first;
      throw new InputError(
        `${missing.length} of ${sequences.length} sequences have no score, the first is ${shown}`,
        {
          place: { file: path },
          hint: "controls depend on the seed: score the sequences of this run",
        },
      );
    },
  };
}
