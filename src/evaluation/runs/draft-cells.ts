import { InputError } from "../../base/errors.ts";
import { counted, quotedText } from "../../base/message-text.ts";
import { CHROMOSOME_SPLIT, splitPartOf } from "../../dna/genome/chromosome-split.ts";
import type { Model, Protocol } from "../../models/model.ts";
import type { Setting, WeightsFile } from "../settings/setting.ts";
import { inferenceRecipe } from "../settings/training-recipe.ts";
import { supervisionOf } from "../settings/training-rows.ts";
import type { ExcludedModels } from "../tasks/benchmark.ts";
import { recipeFor } from "../tasks/overrides.ts";
import type { Recipe } from "../tasks/recipe.ts";
import { pickRows } from "../tasks/table-rows.ts";
import type { OpenTask, RowNumbers, SelectedRows, Selection, Task, TaskSetting } from "../tasks/task.ts";
import {
  type Cell,
  type CellRecord,
  cellIdentity,
  IDENTITY_VERSION,
  rowsDigest,
  trainingData,
} from "./cell.ts";
import { weightsOfCell } from "./cell-weights.ts";
import type { RunRequest } from "./request.ts";
import { type Shard, shardOfRow } from "./shard.ts";

/** A cell whose rows are known and whose price is not. */
export interface CellDraft {
  readonly record: CellRecord;
  readonly task: OpenTask;
  readonly selected: SelectedRows;
  readonly model: Model;
  readonly setting: Setting;
  readonly weights: WeightsFile | undefined;
  readonly rows: RowNumbers;
}

/** A model that cannot answer a task in a setting. */
export interface UnsupportedCell {
  readonly task: Task;
  readonly model: Model;
  readonly setting: Setting;
  readonly reason: string;
  /** It could, and the request leaves it out. */
  readonly excepted?: true;
}

/** The sentence that says so. */
export const unsupportedMessage = ({ task, model, setting, reason, excepted }: UnsupportedCell) =>
  `the model ${JSON.stringify(model.name)} ${excepted ? "is not evaluated in" : "cannot do"} ${task.name} × ${setting.name}: ${reason}`;

const DEFAULT_PROTOCOL: Protocol = "corrected";

/** What is asked of all models together: one task in one setting. */
interface RequestedCells {
  readonly task: Task;
  /** Undefined where the task could not be opened: then only what does not depend on its rows is decided. */
  readonly open: OpenTask | undefined;
  readonly setting: Setting;
  /** The most rows of each stratum; undefined: all. */
  readonly sample: Readonly<Record<string, number>> | undefined;
  readonly origins: CellRecord["origins"];
  readonly except: ExcludedModels | undefined;
  readonly shard: Shard;
}

/**
 * Cells of one task in one setting, one per model that can answer; the others are told apart.
 *
 * @throws {InputError} when the task is not asked in the setting, its rows are none, or weights to evaluate are not there
 */
export async function draftCells(
  { task, open, setting, sample, except, origins, shard }: RequestedCells,
  request: RunRequest,
): Promise<{
  readonly drafts: readonly CellDraft[];
  readonly declined: readonly UnsupportedCell[];
  /** What a user should know of the rows. */
  readonly notes: readonly string[];
}> {
  const form = task.settings[setting.name];
  if (form === undefined) {
    throw new InputError(`the task ${task.name} is not asked in the setting ${setting.name}`, {
      hint: `its settings: ${Object.keys(task.settings).join(", ")}`,
    });
  }
  const protocol = request.protocol ?? DEFAULT_PROTOCOL;
  const declined: UnsupportedCell[] = [];
  const models = request.models.filter((model) => {
    if (except !== undefined && model.tokens === except.tokens) {
      declined.push({ task, model, setting, reason: except.because, excepted: true });
      return false;
    }
    const reason = setting.refuses(task, model, protocol);
    if (reason === undefined) return true;
    declined.push({ task, model, setting, reason });
    return false;
  });
  if (open === undefined) return { drafts: [], declined, notes: [] };
  const weightsPath = setting.takesWeights ? request.weights : undefined;
  if (form.trainedBy !== undefined && open.training === undefined && weightsPath === undefined) {
    throw noTraining(task, setting, form.trainedBy);
  }
  const asked = { split: request.split ?? form.defaultSplit, limit: request.limit ?? null };
  const part = form.part === undefined ? {} : { part: form.part };
  const selection: Selection = { ...asked, ...part, purpose: "answer" };
  const selected = sampled(open, open.select(selection), sample);
  if (selected.rows.length === 0) throw emptySelection(task, selection, selected);
  const rows =
    shard.count === 1
      ? selected.rows
      : selected.rows.filter((row) => shardOfRow(row, shard.count) === shard.index);
  const cellRows = {
    inTable: selected.inTable,
    selected: selected.rows.length,
    digest: rowsDigest(selected.rows),
  };
  const drafts: CellDraft[] = [];
  const notes: string[] = [];
  for (const model of models) {
    const own = recipeFor(
      form,
      { task: task.name, setting: setting.name, family: model.family, protocol },
      askedOf(form, task, request),
    );
    setting.checkRecipe?.(own);
    form.checkRecipe?.(own);
    const weights =
      weightsPath === undefined
        ? undefined
        : await weightsOfCell(weightsPath, {
            task: form.trainedBy ?? task.name,
            "cell-line": (form.trainedBy === undefined ? open : open.training)?.dataset,
            model: model.name,
            setting: setting.name,
          });
    const recipe =
      weights === undefined ? own : inferenceRecipe(own, supervisionOf({ task: open }, setting.name));
    const unread = unreadNote(own, recipe, request.recipe);
    if (unread !== undefined) notes.push(unread);
    const cell: Cell = {
      identityVersion: IDENTITY_VERSION,
      task: task.name,
      taskVersion: task.version,
      ...(open.dataset === undefined ? {} : { dataset: open.dataset }),
      model: {
        name: model.name,
        identity: model.identity ?? null,
        ...(model.scoreRounding === undefined ? {} : { scoreRounding: model.scoreRounding }),
      },
      setting: setting.name,
      protocol,
      seed: request.seed ?? 0,
      ...asked,
      ...(sample === undefined ? {} : { sample }),
      recipe,
      ...(weights === undefined ? {} : { weights: weights.sha256 }),
      data: weights === undefined ? dataOf(form, open) : open.digests,
    };
    const record = {
      identity: cellIdentity(cell),
      cell,
      rows: cellRows,
      ...(model.family === undefined ? {} : { family: model.family }),
      ...(weights === undefined ? {} : { weightsFile: weights.file }),
      ...(model.checkpoint === undefined ? {} : { checkpoint: model.checkpoint }),
      ...(origins === undefined ? {} : { origins }),
    };
    drafts.push({ record, task: open, selected, model, setting, weights, rows });
  }
  const outside = asked.split === "all" ? undefined : rowsOfNoSplit(task, selected);
  if (outside !== undefined) notes.push(outside);
  return { drafts, declined, notes };
}

/** Chromosomes that the note names. */
const NAMED = 5;

/** A sentence on the rows that no split has, and that no run therefore asks but one of all rows; undefined where there are none. */
function rowsOfNoSplit(task: Task, { inTable, perChromosome }: SelectedRows): string | undefined {
  // Exported tables know the part of a row instead of its chromosome.
  const outside = [...perChromosome].filter(
    ([name]) => splitPartOf(name) === undefined && !Object.hasOwn(CHROMOSOME_SPLIT, name),
  );
  if (outside.length === 0) return undefined;
  outside.sort((a, b) => b[1] - a[1]);
  const named = outside.slice(0, NAMED).map(([name, rows]) => `${quotedText(name)} ${rows}`);
  const more = outside.length > NAMED ? `, and ${outside.length - NAMED} more` : "";
  const rows = outside.reduce((sum, [, rows]) => sum + rows, 0);
  return `${rows} of the ${counted(inTable, "row")} of ${task.name} ${rows === 1 ? "is" : "are"} on chromosomes of no split and left out: ${named.join(", ")}${more}`;
}

/** So many rows of each stratum at most, picked as `limit` picks. @throws {InputError} when the task has no such stratum */
function sampled(
  { task, stratumOf }: OpenTask,
  selected: SelectedRows,
  sample: Readonly<Record<string, number>> | undefined,
): SelectedRows {
  if (sample === undefined) return selected;
  const strata = new Map<string, number[]>();
  for (const row of selected.rows) {
    const stratum = stratumOf?.(row);
    if (stratum === undefined) continue;
    const rows = strata.get(stratum);
    if (rows === undefined) strata.set(stratum, [row]);
    else rows.push(row);
  }
  const kept = new Set<number>();
  for (const [stratum, most] of Object.entries(sample)) {
    const rows = strata.get(stratum);
    if (rows === undefined) {
      throw new InputError(`${task.name} has no rows of the kind ${JSON.stringify(stratum)}`, {
        hint: strata.size === 0 ? "its rows are not told apart" : `it has ${[...strata.keys()].join(", ")}`,
      });
    }
    for (const row of pickRows(Uint32Array.from(rows), most)) kept.add(row);
  }
  return { ...selected, rows: selected.rows.filter((row) => kept.has(row)) };
}

/**
 * The values asked for that concern a setting: of several settings each takes those that its recipe has, but none may be
 * asked for that no setting has.
 */
function askedOf(
  { recipe }: TaskSetting,
  task: Task,
  { recipe: asked = {}, settings = [] }: RunRequest,
): Recipe {
  const forms = settings.map(
    (setting) => task.settings[typeof setting === "string" ? setting : setting.name],
  );
  const elsewhere = (name: string) => forms.some((form) => form !== undefined && name in form.recipe);
  return Object.fromEntries(Object.entries(asked).filter(([name]) => name in recipe || !elsewhere(name)));
}

/** A sentence on recipe values that were asked for and have no effect on given weights; undefined where there are none. */
function unreadNote(own: Recipe, recipe: Recipe, asked: Recipe = {}): string | undefined {
  const unread = Object.keys(asked).filter((name) => name in own && !(name in recipe));
  if (unread.length === 0) return undefined;
  return `weights are given, so nothing is trained, and ${unread.join(", ")} of the recipe ${unread.length === 1 ? "has" : "have"} no effect`;
}

/** What the answers depend on: on the data of the task that trains, too, where the setting answers with what another trained. */
function dataOf({ trainedBy }: TaskSetting, { digests, training }: OpenTask): Cell["data"] {
  if (trainedBy === undefined || training === undefined) return digests;
  const trained = Object.entries(training.digests).map(([name, digest]) => [
    trainingData(trainedBy, name),
    digest,
  ]);
  return { ...digests, ...Object.fromEntries(trained) };
}

function noTraining(task: Task, setting: Setting, trainedBy: string): InputError {
  return new InputError(
    `${task.name} × ${setting.name} answers with what ${trainedBy} trained, and its inputs are not given`,
    { hint: `give them as well; dart-eval tasks lists what ${trainedBy} must be given` },
  );
}

function emptySelection(
  task: Task,
  { split }: Selection,
  { inTable, perChromosome }: SelectedRows,
): InputError {
  const counts = [...perChromosome].map(([chromosome, rows]) => `${chromosome} ${rows}`).join(", ");
  if (inTable === 0) return new InputError(`the table of ${task.name} has no rows`);
  return new InputError(
    `no row of ${task.name} is on the chromosomes of the ${split} split; the table's ${inTable} rows are on ${counts}`,
    {
      hint: 'names are compared letter by letter, so "5" is not "chr5"; another split, or all rows, may be chosen',
    },
  );
}
