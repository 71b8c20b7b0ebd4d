import { join } from "node:path";
import { z } from "zod";
import { sha256Hex } from "../../base/digest.ts";
import { InputError, InternalError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { withoutUndefined } from "../../base/record.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { supports, type TokenLogProbabilities } from "../../models/model.ts";
import type { PredictionColumns } from "../tasks/prediction-columns.ts";
import { bestAndWorst } from "../tasks/row-view.ts";
import type { Example } from "../tasks/task-rows.ts";
import { type CellRecord, cellTitle } from "./cell.ts";
import { collectShards, findShards } from "./collect-shards.ts";
import type { OnProgress } from "./progress.ts";
import type { Plan, PlannedCell } from "./request.ts";
import { cellFolder, parseRecord } from "./run-folder.ts";
import type { ScoredSequence } from "./scored-sequence.ts";

/** Contents of `positions.json` in a cell's folder: log-probabilities of the tokens of a few rows. */
export interface PositionScores {
  readonly format: "dart-eval position scores";
  readonly formatVersion: 1;
  /** Identity of the cell. */
  readonly identity: string;
  /** The best rows, best first, then the worst, worst first. */
  readonly rows: readonly ScoredRow[];
}

/** The sequences of one row, in the order of the task's members. */
export interface ScoredRow {
  readonly row: number;
  readonly sequences: readonly ScoredSequence[];
}

const sequenceSchema: z.ZodType<ScoredSequence> = z
  .object({
    member: z.string(),
    length: z.int().nonnegative(),
    from: z.int().nonnegative(),
    bases: z.string().regex(/^[ACGTN]*$/),
    spans: z.array(z.int().positive()).exactOptional(),
    scores: z.array(z.number()),
  })
  .refine(
    ({ length, from, bases, spans, scores }) =>
      from + bases.length <= length &&
      (spans ?? scores).length === scores.length &&
      (spans?.reduce((sum, span) => sum + span, 0) ?? scores.length) === bases.length,
    "the tokens do not cover the bases",
  );

const contentSchema = z.object({
  format: z.literal("dart-eval position scores"),
  formatVersion: z.literal(1),
  identity: z.string(),
  rows: z.array(z.object({ row: z.int().nonnegative(), sequences: z.array(sequenceSchema) })),
});

const fileSchema: z.ZodType<PositionScores & { readonly sha256: string }> = contentSchema.extend({
  sha256: z.string(),
});

const POSITIONS_FILE = "positions.json";

/** Sequences longer than this are scored around the bases in which the members of a row differ. */
const MAX_WHOLE_LENGTH = 512;
/** Bases scored before and after the first such base. */
const FLANK = 50;

/** Options of `writePositionScores`. */
export interface PositionScoresOptions {
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Checks that the bases of some cell can be scored, before the run.
 * @throws {InputError} when no cell's setting sums the log-likelihoods of tokens, or no model has them
 */
export function checkPositionScores(plans: readonly Plan[]): void {
  const cells = plans.flatMap((plan) => plan.cells);
  if (cells.some(({ setting, model }) => setting.sumsTokens && supports(model, "tokenLogProbabilities")))
    return;
  throw new InputError("no requested cell has scores of bases, which --position-scores stores", {
    hint: "request the setting zero-shot, for a language model or kmer-markov",
  });
}

/**
 * Scores the tokens of the best and worst rows of each cell whose setting sums them, and writes
 * `positions.json` into the cell's folder, unless it has these rows. The scores of the cell do not change.
 *
 * Sequences of more than 512 bases are seen whole by the model, and scored 50 bases on either side of the
 * first base in which they differ. A cell takes as long as 2 · `count` rows of it, and about 10 bytes per
 * base: at most 2 MB.
 *
 * @param plan   a run of one shard, which is finished
 * @param count  number of best rows and of worst rows
 * @returns      notes for the user: cells that are left out
 */
export async function writePositionScores(
  { folder, cells }: Plan,
  count: number,
  { onProgress, signal }: PositionScoresOptions = {},
): Promise<readonly string[]> {
  if (folder === undefined)
    throw new InternalError("a run without a folder has no place for scores of bases");
  const notes: string[] = [];
  for (const planned of cells) {
    const { record, setting, task, model, reuses, name } = planned;
    // Cells that reuse predictions have those of the other protocol.
    if (setting.sumsTokens !== true || reuses !== undefined) continue;
    const left = (why: string) => notes.push(`${cellTitle(record.cell)} has no scores of bases: ${why}.`);
    if (!supports(model, "tokenLogProbabilities")) {
      left("the model has no `tokenLogProbabilities`");
      continue;
    }
    const chosen = await chosenRows(planned, folder, count);
    if (chosen === undefined) {
      left("its task does not rank rows");
      continue;
    }
    if (await isWritten(folder, record, chosen)) continue;
    const rows: ScoredRow[] = [];
    const began = performance.now();
    for (const example of await task.examples(chosen)) {
      signal?.throwIfAborted();
      const { protocol } = record.cell;
      const origins = example.sequences.map((_, member) => ({
        task: task.task.name,
        row: example.row,
        member,
      }));
      const within = scoredRange(example);
      const found = await model.tokenLogProbabilities(example.sequences, {
        protocol,
        origins,
        ...withoutUndefined({ within, signal }),
      });
      rows.push({
        row: example.row,
        sequences: found.map((tokens, member) =>
          scoredSequence(task.task.members[member], example.sequences[member], tokens, within),
        ),
      });
      const rowsPerSecond = (1000 * rows.length) / (performance.now() - began);
      onProgress?.({
        kind: "stage",
        cell: name,
        stage: `scores of bases, ${cellTitle(record.cell)}`,
        done: rows.length,
        total: chosen.length,
        rowsPerSecond,
        secondsLeft: (chosen.length - rows.length) / rowsPerSecond,
      });
    }
    await write(folder, record, rows);
  }
  return notes;
}

/** Numbers of the best and worst rows of a finished cell; undefined if its task does not rank them. */
async function chosenRows({ record, task }: PlannedCell, folder: string, count: number) {
  const { predictions } = await collectShards(await findShards(folder, record));
  const { protocol, seed, recipe, model } = record.cell;
  const scoreRounding = model.scoreRounding ?? 0;
  const context = { protocol, seed, recipe, scoreRounding, rowsInTable: record.rows.inTable };
  const view = await task.task.viewRows?.(predictions, context);
  return view && bestAndWorst(view, count);
}

/** True if the cell's folder has valid scores of exactly these rows. */
async function isWritten(folder: string, record: CellRecord, chosen: Uint32Array): Promise<boolean> {
  try {
    const stored = await readStored({ folder: cellFolder(folder, record), result: record });
    return (
      stored !== undefined &&
      !stored.changed &&
      stored.scores.rows.length === chosen.length &&
      stored.scores.rows.every(({ row }, i) => row === chosen[i])
    );
  } catch (error) {
    // Scores that cannot be read are written again.
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** Bases [from, to) to score; undefined: all. */
function scoredRange({ sequences }: Example): readonly [from: number, to: number] | undefined {
  const [first = "", second = first] = sequences;
  if (sequences.every(({ length }) => length <= MAX_WHOLE_LENGTH)) return undefined;
  const differs = [...first].findIndex((base, i) => base !== second[i]);
  const centre = differs >= 0 ? differs : first.length >> 1;
  return [Math.max(centre - FLANK, 0), centre + FLANK + 1];
}

function scoredSequence(
  member: string,
  sequence: string,
  { values, starts, ends }: TokenLogProbabilities,
  [from, to]: readonly [number, number] = [0, sequence.length],
): ScoredSequence {
  const listed = [...values.keys()].filter((i) => ends[i] > from && starts[i] < to);
  const last = listed.at(-1);
  const spans = listed.map((i) => (i === last ? ends[i] : starts[i + 1]) - starts[i]);
  const [first = 0] = listed;
  const start = last === undefined ? 0 : starts[first];
  return {
    member,
    length: sequence.length,
    from: start,
    bases: last === undefined ? "" : sequence.slice(start, ends[last]),
    ...(spans.every((span) => span === 1) ? {} : { spans }),
    scores: listed.map((i) => Number(values[i].toFixed(4))),
  };
}

async function write(folder: string, record: CellRecord, rows: readonly ScoredRow[]): Promise<void> {
  const { identity } = record;
  const scores: PositionScores = { format: "dart-eval position scores", formatVersion: 1, identity, rows };
  const sha256 = sha256Hex(stableStringify(scores));
  // One line per row.
  const lines = rows.map((row) => JSON.stringify(row)).join(",\n");
  const head = JSON.stringify({ ...scores, rows: undefined, sha256 }).slice(0, -1);
  await writeFileAtomic(join(cellFolder(folder, record), POSITIONS_FILE), `${head},"rows":[\n${lines}\n]}\n`);
}

/** A cell's folder and identity. */
interface CellPlace {
  readonly folder: string;
  readonly result: Pick<CellRecord, "identity">;
}

/**
 * Reads the scores of bases of a result; undefined if none are stored, or those of another result.
 *
 * @throws {InputError} when the file was changed after it was written
 * @throws {FormatError} when it is not valid
 */
export async function readPositionScores(place: CellPlace): Promise<PositionScores | undefined> {
  const found = await readStored(place);
  if (found?.changed !== true) return found?.scores;
  throw new InputError("these scores were changed after they were written", {
    place: { file: join(place.folder, POSITIONS_FILE) },
    hint: "delete the file, or repeat the command of the run with --position-scores",
  });
}

async function readStored({ folder, result }: CellPlace) {
  const file = join(folder, POSITIONS_FILE);
  const text = await textIfPresent(file);
  if (text === undefined) return undefined;
  const { sha256, ...scores } = parseRecord(file, text, fileSchema);
  if (scores.identity !== result.identity) return undefined;
  return { scores, changed: sha256Hex(stableStringify(scores)) !== sha256 };
}

/** Rounding of a stored score. */
const ROUNDING = 5e-5;

/**
 * Differences between stored scores of bases and the cell's log-likelihoods, which are their sums, one
 * sentence each; empty without such scores.
 */
export async function positionMismatches(
  place: CellPlace,
  predictions: PredictionColumns,
): Promise<readonly string[]> {
  const found = await readStored(place);
  if (found === undefined) return [];
  const mismatches = found.changed ? [`${POSITIONS_FILE} was changed after it was written`] : [];
  const wanted = new Set(found.scores.rows.map(({ row }) => row));
  const places = new Map<number, number>();
  let next = 0;
  for (const row of predictions.rowList) {
    if (wanted.has(row)) places.set(row, next);
    next++;
  }
  for (const { row, sequences } of found.scores.rows) {
    const at = places.get(row);
    if (at === undefined) {
      mismatches.push(`${POSITIONS_FILE} has row ${row}, which is not stored`);
      continue;
    }
    const prediction = predictions.at(at);
    // Alleles of equal length are compared with the differing bases masked, not by sums.
    if (prediction.kind !== "likelihood" || prediction.facts.compared === "hidden") continue;
    if (sequences.some(({ length }) => length > MAX_WHOLE_LENGTH)) continue;
    sequences.forEach(({ member, scores }, i) => {
      const total = scores.reduce((sum, score) => sum + score, 0);
      const expected = prediction.values[i];
      if (Math.abs(total - expected) <= tolerance(scores)) return;
      mismatches.push(
        `${POSITIONS_FILE}: the scores of the ${member} of row ${row} sum to ${total}; its log-likelihood is ${expected}`,
      );
    });
  }
  return mismatches;
}

/** Rounding of the stored scores, and of a sum in float32. */
const tolerance = (scores: readonly number[]) =>
  scores.reduce((sum, score) => sum + ROUNDING + 2 ** -20 * Math.abs(score), 0);
