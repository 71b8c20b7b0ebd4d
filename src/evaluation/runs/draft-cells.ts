import { InputError } from "../../base/errors.ts";
import { counted, quotedText, shortenPaths } from "../../base/message-text.ts";
import { withoutUndefined } from "../../base/record.ts";
import { CHROMOSOME_SPLIT, type Split, splitPartOf } from "../../dna/genome/chromosome-split.ts";
import type { Model, Protocol } from "../../models/model.ts";
import { deviceKind, trainingDevice } from "../../net/runtime/device.ts";
import type { Setting, WeightsFile } from "../settings/setting.ts";
import { inferenceRecipe } from "../settings/training-recipe.ts";
import { supervisionOf } from "../settings/training-rows.ts";
import type { ExcludedModels } from "../tasks/benchmark.ts";
import { type Recipe, recipeFor } from "../tasks/recipe.ts";
import { filteredRows, RowListBuilder, rowsDigest } from "../tasks/row-list.ts";
import { pickRows } from "../tasks/table-rows.ts";
import type { OpenTask, Task, TaskSetting } from "../tasks/task.ts";
import type { RowList, SelectedRows, Selection } from "../tasks/task-rows.ts";
import { type Cell, type CellRecord, cellIdentity, IDENTITY_VERSION, trainingData } from "./cell.ts";
import { weightsOfCell } from "./cell-weights.ts";
import { precisionReason } from "./precision-check.ts";
import type { RunRequest } from "./request.ts";
import { type Shard, shardOfRow } from "./shard.ts";
import { checkUntilWidth } from "./until-width.ts";

/** A cell with its rows, without its cost. */
export interface CellDraft {
  readonly record: CellRecord;
  readonly task: OpenTask;
  readonly selected: SelectedRows;
  readonly model: Model;
  readonly setting: Setting;
  readonly weights: WeightsFile | undefined;
  readonly rows: RowList;
}

/** A model that cannot be evaluated on a task in a setting. */
export interface UnsupportedCell {
  readonly task: Task;
  readonly model: Model;
  readonly setting: Setting;
  readonly reason: string;
  /** Present if the request excludes the model. */
  readonly excepted?: true;
}

/** The reason as one sentence. */
export const unsupportedMessage = ({ task, model, setting, reason, excepted }: UnsupportedCell) =>
  `the model ${JSON.stringify(model.name)} ${excepted ? "is not evaluated on" : "cannot be evaluated on"} ${task.name} × ${setting.name}: ${reason}`;

/** Cells of all models: one task in one setting. */
interface RequestedCells {
  readonly task: Task;
  /** Undefined if the task could not be opened; errors that depend on its rows are then not reported. */
  readonly open: OpenTask | undefined;
  readonly setting: Setting;
  /** Maximum number of rows per stratum; undefined: all. */
  readonly sample: Readonly<Record<string, number>> | undefined;
  readonly origins: CellRecord["origins"];
  readonly except: ExcludedModels | undefined;
  readonly shard: Shard;
}

/** Requested cells of an open task that has their setting. */
interface OpenCells extends RequestedCells {
  readonly open: OpenTask;
  readonly form: TaskSetting;
}

/**
 * Drafts the cells of one task in one setting, one per model; models that do not support it are returned as
 * `declined`.
 *
 * @throws {InputError} when the task does not have the setting, the selection is empty, or weights are
 *   missing
 */
export async function draftCells(
  requested: RequestedCells,
  request: RunRequest,
): Promise<{
  readonly drafts: readonly CellDraft[];
  readonly declined: readonly UnsupportedCell[];
  /** Notes on the rows for the user. */
  readonly notes: readonly string[];
}> {
  const { task, open, setting, shard } = requested;
  const form = task.settings[setting.name];
  if (form === undefined) {
    throw new InputError(`the task ${task.name} does not have the setting ${setting.name}`, {
      hint: `settings: ${Object.keys(task.settings).join(", ")}`,
    });
  }
  if (request.untilWidth !== undefined) checkUntilWidth(task, setting.name);
  const { models, declined } = supportedModels(requested, request);
  if (open === undefined) return { drafts: [], declined, notes: [] };
  const cells: OpenCells = { ...requested, open, form };
  const selected = selectedRows(cells, request);
  const rows =
    shard.count === 1
      ? selected.rows
      : filteredRows(selected.rows, (row) => shardOfRow(row, shard.count) === shard.index);
  const notes = new Set<string>();
  const drafts: CellDraft[] = [];
  for (const model of models) {
    const { recipe, weights, note } = await recipeAndWeights(cells, model, request);
    if (note !== undefined) notes.add(note);
    const record = cellRecord(cells, { model, recipe, weights, selected }, request);
    drafts.push({ record, task: open, selected, model, setting, weights, rows });
  }
  const outside = splitOf(form, request) === "all" ? undefined : rowsOfNoSplit(task, selected);
  if (outside !== undefined) notes.add(outside);
  return { drafts, declined, notes: [...notes] };
}

const protocolOf = ({ protocol = "corrected" }: RunRequest): Protocol => protocol;

const splitOf = ({ defaultSplit }: TaskSetting, { split = defaultSplit }: RunRequest): Split => split;

/** The requested models that support the setting, and the others with reasons. */
function supportedModels({ task, open, setting, except }: RequestedCells, request: RunRequest) {
  const models: Model[] = [];
  const declined: UnsupportedCell[] = [];
  // With the requested context.
  const evaluated = open?.task ?? task;
  for (const model of request.models) {
    if (except !== undefined && model.tokens === except.tokens) {
      declined.push({ task, model, setting, reason: except.because, excepted: true });
      continue;
    }
    const reason =
      setting.unsupportedReason(evaluated, model, protocolOf(request)) ??
      precisionReason(model, task, setting);
    if (reason === undefined) models.push(model);
    else declined.push({ task, model, setting, reason });
  }
  return { models, declined };
}

/** @throws {InputError} when no row is selected, or rows of another task are missing for training */
function selectedRows({ task, open, setting, form, sample }: OpenCells, request: RunRequest): SelectedRows {
  if (
    form.trainedBy !== undefined &&
    open.training === undefined &&
    weightsPath(setting, request) === undefined
  ) {
    throw noTraining(task, setting, form.trainedBy);
  }
  const selection: Selection = withoutUndefined({
    split: splitOf(form, request),
    limit: request.limit ?? null,
    part: form.part,
    purpose: "evaluate",
  });
  const selected = sampled(open, open.select(selection), sample);
  if (selected.rows.length === 0) throw emptySelection(task, selection, selected);
  return selected;
}

const weightsPath = ({ takesWeights }: Setting, { weights }: RunRequest) =>
  takesWeights ? weights : undefined;

/**
 * Recipe of a model's cell, and the weights that it evaluates instead of training, with a note on requested
 * values that then have no effect.
 */
async function recipeAndWeights({ task, open, setting, form }: OpenCells, model: Model, request: RunRequest) {
  const of = {
    task: task.name,
    setting: setting.name,
    family: model.family,
    protocol: protocolOf(request),
  };
  const recipe = recipeFor(form, of, requestedRecipe(form, task, request));
  setting.checkRecipe?.(recipe);
  form.checkRecipe?.(recipe);
  const path = weightsPath(setting, request);
  if (path === undefined) return { recipe, weights: undefined, note: undefined };
  const weights = await weightsOfCell(path, {
    task: form.trainedBy ?? task.name,
    "cell-line": (form.trainedBy === undefined ? open : open.training)?.dataset,
    model: model.name,
    setting: setting.name,
  });
  const read = inferenceRecipe(recipe, supervisionOf({ task: open }, setting.name));
  return { recipe: read, weights, note: unreadNote(recipe, read, request.recipe) };
}

/** The record of a model's cell: identity, rows, and facts that are not part of the identity. */
function cellRecord(
  { task, open, setting, form, sample, origins }: OpenCells,
  {
    model,
    recipe,
    weights,
    selected,
  }: Pick<CellDraft, "model" | "weights" | "selected"> & { recipe: Recipe },
  request: RunRequest,
): CellRecord {
  const { seed = 0, limit = null, untilWidth, device = "cpu", controls = [] } = request;
  const trainedOn = deviceKind(trainingDevice(device));
  const trains = setting.trainingMemory !== undefined && weights === undefined;
  const cell: Cell = withoutUndefined({
    identityVersion: IDENTITY_VERSION,
    task: task.name,
    taskVersion: task.version,
    dataset: open.dataset,
    context: open.context,
    model: withoutUndefined({
      name: model.name,
      identity: model.identity ?? null,
      scoreRounding: model.scoreRounding,
    }),
    setting: setting.name,
    protocol: protocolOf(request),
    seed,
    split: splitOf(form, request),
    limit,
    sample,
    untilWidth,
    recipe,
    weights: weights?.sha256,
    trainedOn: trains && trainedOn !== "cpu" ? trainedOn : undefined,
    precision: model.precision,
    data: weights === undefined ? dataOf(form, open) : open.digests,
  });
  return withoutUndefined({
    identity: cellIdentity(cell),
    cell,
    rows: {
      inTable: selected.inTable,
      selected: selected.rows.length,
      digest: rowsDigest(selected.rows),
    },
    family: model.family,
    control: controls.find((one) => one.model === model)?.control,
    weightsFile: weights === undefined ? undefined : shortenPaths(weights.file),
    checkpoint: model.checkpoint,
    origins,
  });
}

/** Maximum number of chromosomes in a note. */
const MAX_NAMED = 5;

/**
 * Note on rows outside of all splits, which only a run with split "all" evaluates; undefined if there are
 * none.
 */
function rowsOfNoSplit(task: Task, { inTable, perChromosome }: SelectedRows): string | undefined {
  // Exported tables have the split of a row in place of its chromosome.
  const outside = [...perChromosome].filter(
    ([name]) => splitPartOf(name) === undefined && !Object.hasOwn(CHROMOSOME_SPLIT, name),
  );
  if (outside.length === 0) return undefined;
  outside.sort((a, b) => b[1] - a[1]);
  const named = outside.slice(0, MAX_NAMED).map(([name, rows]) => `${quotedText(name)} ${rows}`);
  const more = outside.length > MAX_NAMED ? `, and ${outside.length - MAX_NAMED} more` : "";
  const rows = outside.reduce((sum, [, rows]) => sum + rows, 0);
  return `${rows} of the ${counted(inTable, "row")} of ${task.name} ${rows === 1 ? "is" : "are"} on chromosomes outside of all splits and left out: ${named.join(", ")}${more}`;
}

/** Picks rows of each stratum as `limit` does. @throws {InputError} when the task has no such stratum */
export function sampled(
  { task, stratumOf }: OpenTask,
  selected: SelectedRows,
  sample: Readonly<Record<string, number>> | undefined,
): SelectedRows {
  if (sample === undefined) return selected;
  const strata = new Map<string, RowListBuilder>();
  for (const row of selected.rows) {
    const stratum = stratumOf?.(row);
    if (stratum === undefined) continue;
    const rows = strata.get(stratum) ?? new RowListBuilder();
    strata.set(stratum, rows);
    rows.push(row);
  }
  const kept = new Set<number>();
  for (const [stratum, most] of Object.entries(sample)) {
    const rows = strata.get(stratum);
    if (rows === undefined) {
      throw new InputError(`${task.name} has no rows in the stratum ${JSON.stringify(stratum)}`, {
        hint: strata.size === 0 ? "it has no strata" : `strata: ${[...strata.keys()].join(", ")}`,
      });
    }
    for (const row of pickRows(rows.done(), most)) kept.add(row);
  }
  return { ...selected, rows: filteredRows(selected.rows, (row) => kept.has(row)) };
}

/**
 * Requested recipe values for a setting: without those of the other requested settings; unknown values stay,
 * as errors.
 */
function requestedRecipe(
  { recipe }: TaskSetting,
  task: Task,
  { recipe: requested = {}, settings = [] }: RunRequest,
): Recipe {
  const forms = settings.map(
    (setting) => task.settings[typeof setting === "string" ? setting : setting.name],
  );
  const elsewhere = (name: string) => forms.some((form) => form !== undefined && name in form.recipe);
  return Object.fromEntries(Object.entries(requested).filter(([name]) => name in recipe || !elsewhere(name)));
}

/** Note on requested recipe values without an effect on given weights; undefined if there are none. */
function unreadNote(own: Recipe, recipe: Recipe, requested: Recipe = {}): string | undefined {
  const unread = Object.keys(requested).filter((name) => name in own && !(name in recipe));
  if (unread.length === 0) return undefined;
  return `${unread.join(", ")} of the recipe ${unread.length === 1 ? "has" : "have"} no effect: with given weights nothing is trained`;
}

/** Digests of the inputs, including those of another task whose rows train. */
function dataOf({ trainedBy }: TaskSetting, { digests, training }: OpenTask): Cell["data"] {
  if (trainedBy === undefined || training === undefined) return digests;
  const trained = Object.entries(training.digests).map(([name, digest]) => [
    trainingData(trainedBy, name),
    digest,
  ]);
  return { ...digests, ...Object.fromEntries(trained) };
}

function noTraining(task: Task, setting: Setting, trainedBy: string): InputError {
  return new InputError(`${task.name} × ${setting.name} trains on ${trainedBy}, whose inputs are missing`, {
    hint: `give them as well; dart-eval tasks lists the inputs of ${trainedBy}`,
  });
}

function emptySelection(
  task: Task,
  { split }: Selection,
  { inTable, perChromosome }: SelectedRows,
): InputError {
  const counts = [...perChromosome].map(([chromosome, rows]) => `${chromosome} ${rows}`).join(", ");
  if (inTable === 0) return new InputError(`the table of ${task.name} has no rows`);
  return new InputError(
    `no row of ${task.name} is on the chromosomes of the ${split} split; the ${inTable} rows of the table are on ${counts}`,
    {
      hint: 'chromosome names must match exactly ("5" is not "chr5"); or choose another split',
    },
  );
}
