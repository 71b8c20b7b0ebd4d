import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { heldMemory } from "../../base/held-memory.ts";
import type { Model, Protocol } from "../../models/model.ts";
import { settingNamed } from "../settings/catalogue.ts";
import type { Setting } from "../settings/setting.ts";
import { trainedFolder } from "../settings/training-record.ts";
import { taskNamed } from "../tasks/catalogue.ts";
import { pickRows } from "../tasks/pick-rows.ts";
import { type Recipe, recipeFor } from "../tasks/recipe.ts";
import type { OpenTask, SelectedRows, Selection, Task, TaskRow, TaskSetting } from "../tasks/task.ts";
import { type AnswersOf, answersElsewhere } from "./answers-elsewhere.ts";
import {
  type Cell,
  type CellRecord,
  cellIdentity,
  cellName,
  cellTitle,
  IDENTITY_VERSION,
  rowsDigest,
  runIdentity,
} from "./cell.ts";
import { checkRequest } from "./check-request.ts";
import {
  atRest,
  type CostEstimate,
  estimateCost,
  fittingBatchSize,
  fittingTraining,
  sampleOf,
} from "./cost.ts";
import type { AskedTask, RunRequest, Shard } from "./request.ts";
import { checkRunFolder } from "./run-folder.ts";
import { shardOfRow } from "./shard-of-rows.ts";
import { inspectShard, refuseOtherShardCount, type ShardState } from "./store.ts";

/** One cell, ready to run. */
export interface PlannedCell {
  readonly record: CellRecord;
  /** First eight hexadecimal digits of the identity: the cell's folder. */
  readonly name: string;
  readonly task: OpenTask;
  readonly model: Model;
  readonly setting: Setting;
  /** This shard's rows, in table order. */
  readonly rows: readonly TaskRow[];
  /** Rows of this shard that the folder already holds. */
  readonly rowsDone: number;
  /** Sequences per call. */
  readonly batchSize: number;
  readonly estimate: CostEstimate;
  /** The cell of an earlier plan whose answers are this one's too. */
  readonly answersOf?: AnswersOf;
}

/** Everything decided before anything expensive. Made by `planRun`, done by `runShard`. */
export interface Plan {
  /** SHA-256 over the cells' identities: two runs may share a folder exactly when theirs are equal. */
  readonly identity: string;
  readonly folder: string | undefined;
  /** The store of embeddings; undefined: kept for the run alone. */
  readonly embeddings: string | undefined;
  /** The folder of what is trained; undefined: kept for the run alone. */
  readonly trained: string | undefined;
  readonly shard: Shard;
  readonly cells: readonly PlannedCell[];
  /** Sentences a user should read before the run: models without an identity, reduced batch sizes. */
  readonly notes: readonly string[];
  /** The tasks as they were opened: a later plan for the same asked tasks takes them from here. */
  readonly opened: ReadonlyMap<AskedTask, OpenTask>;
  /** Of the tasks' own random numbers. */
  readonly seed: number;
  /** Closes what the plan opened (genomes given as paths); models stay the caller's. */
  close(): Promise<void>;
}

/** A cell whose rows are known and whose price is not. */
interface Draft {
  readonly record: CellRecord;
  readonly task: OpenTask;
  readonly selected: SelectedRows;
  readonly model: Model;
  readonly setting: Setting;
  readonly rows: readonly TaskRow[];
}

/**
 * Decides what a run will do, and refuses what cannot be done, before anything expensive. Writes nothing.
 *
 * @throws {InputError} for missing files, an empty selection (with the rows per chromosome), a folder that holds
 *   another run, a model that lacks the question asked, memory that cannot hold one row; several refusals come together
 */
export async function planRun(request: RunRequest): Promise<Plan> {
  checkRequest(request);
  const refusals: InputError[] = [];
  const opened = new Map<AskedTask, OpenTask>();
  const own: OpenTask[] = [];
  const close = async () => {
    for (const task of own) await task.close();
  };
  const shard = request.shard ?? { index: 1, count: 1 };
  try {
    const drafts: Draft[] = [];
    const declined: Declined[] = [];
    for (const asked of request.tasks) {
      const { task: named, inputs, bySetting = {}, ...everywhere } = asked;
      const task = typeof named === "string" ? taskNamed(named) : named;
      const before = openedBefore(asked, request);
      const open = before ?? (await collect(refusals, () => task.open(inputs, { seed: request.seed ?? 0 })));
      if (open !== undefined) opened.set(asked, open);
      if (open !== undefined && open !== before) own.push(open);
      for (const setting of settingsOf(everywhere.settings ?? request.settings)) {
        const { sample, ...rest } = { ...everywhere, ...bySetting[setting.name] };
        await collect(refusals, async () => {
          drafts.push(...draftsOf(task, open, setting, { ...request, ...rest }, sample, shard, declined));
        });
      }
    }
    for (const draft of drafts) await collect(refusals, () => expectRows(draft));
    const notes = new Set(own.flatMap((task) => task.notes ?? []));
    for (const one of declined) {
      const { task, model, setting } = one;
      const elsewhere = (same: (draft: Draft) => boolean) =>
        drafts.some((draft) => draft.task.task === task && same(draft));
      const leftOut =
        request.leaveOut ||
        (elsewhere((draft) => draft.model === model) && elsewhere((draft) => draft.setting === setting));
      if (leftOut) {
        notes.add(`${cannot(one)}: it is left out there`);
      } else refusals.push(new InputError(cannot(one)));
    }
    if (drafts.length === 0) refusals.push(...declined.map((one) => new InputError(cannot(one))));
    throwTogether(refusals);

    const records = drafts.map(({ record }) => record);
    refuseTwins(records);
    if (request.folder !== undefined) await checkRunFolder(request.folder, records);
    const cells: PlannedCell[] = [];
    for (const draft of drafts) {
      const cell = await collect(refusals, () => priced(draft, request, shard, notes));
      if (cell !== undefined) cells.push(cell);
    }
    throwTogether(refusals);
    const identity = runIdentity(records.map((record) => record.identity));
    const { folder } = request;
    const embeddings = request.embeddings ?? (folder === undefined ? undefined : join(folder, "embeddings"));
    const trained = request.trained ?? (folder === undefined ? undefined : trainedFolder(folder));
    return {
      identity,
      folder,
      embeddings,
      trained,
      shard,
      cells,
      notes: [...notes],
      opened,
      seed: request.seed ?? 0,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The same asked task, opened for an earlier plan with the same seed: its tables are read once and kept once. */
function openedBefore(asked: AskedTask, { seed = 0, earlier = [] }: RunRequest): OpenTask | undefined {
  const found = earlier.find((plan) => plan.seed === seed && plan.opened.has(asked));
  return found?.opened.get(asked);
}

/** A model that cannot answer a task in a setting. */
interface Declined {
  readonly task: Task;
  readonly model: Model;
  readonly setting: Setting;
  readonly reason: string;
}

const cannot = ({ task, model, setting, reason }: Declined) =>
  `the model ${JSON.stringify(model.name)} cannot do ${task.name} × ${setting.name}: ${reason}`;

/** Cells of one task in one setting, one per model that can answer; the others go to those that declined. */
function draftsOf(
  task: Task,
  open: OpenTask | undefined,
  setting: Setting,
  request: RunRequest,
  sample: Readonly<Record<string, number>> | undefined,
  shard: Shard,
  declined: Declined[],
): readonly Draft[] {
  const form = task.settings[setting.name];
  if (form === undefined) {
    throw new InputError(`the task ${task.name} is not asked in the setting ${setting.name}`, {
      hint: `its settings: ${Object.keys(task.settings).join(", ")}`,
    });
  }
  const protocol = request.protocol ?? DEFAULT_PROTOCOL;
  const models = request.models.filter((model) => {
    const reason = setting.refuses(task, model, protocol);
    if (reason === undefined) return true;
    declined.push({ task, model, setting, reason });
    return false;
  });
  if (open === undefined) return [];
  if (form.trainedBy !== undefined && open.training === undefined) {
    throw noTraining(task, setting, form.trainedBy);
  }
  const asked = { split: request.split ?? form.defaultSplit, limit: request.limit ?? null };
  const part = form.part === undefined ? {} : { part: form.part };
  const selection: Selection = { ...asked, ...part, purpose: "answer" };
  const selected = sampled(task, open.select(selection), sample);
  if (selected.rows.length === 0) throw emptySelection(task, selection, selected);
  const numbers = selected.rows.map(({ index }) => index);
  const rows = selected.rows.filter(({ index }) => shardOfRow(index, shard.count) === shard.index);
  const cellRows = { inTable: selected.inTable, selected: numbers.length, digest: rowsDigest(numbers) };
  return models.map((model) => {
    const recipe = recipeFor(
      form,
      { task: task.name, setting: setting.name, family: model.family, protocol },
      askedOf(form, task, request),
    );
    setting.checkRecipe?.(recipe);
    form.checkRecipe?.(recipe);
    const cell: Cell = {
      identityVersion: IDENTITY_VERSION,
      task: task.name,
      taskVersion: task.version,
      ...(open.dataset === undefined ? {} : { dataset: open.dataset }),
      model: { name: model.name, identity: model.identity ?? null },
      setting: setting.name,
      protocol,
      seed: request.seed ?? 0,
      ...asked,
      ...(sample === undefined ? {} : { sample }),
      recipe,
      data: dataOf(form, open),
    };
    const record = {
      identity: cellIdentity(cell),
      cell,
      rows: cellRows,
      ...(model.family === undefined ? {} : { family: model.family }),
    };
    return { record, task: open, selected, model, setting, rows };
  });
}

const settingsOf = (settings: RunRequest["settings"] = ["zero-shot"]): readonly Setting[] =>
  settings.map((setting) => (typeof setting === "string" ? settingNamed(setting) : setting));

/** So many rows of each stratum at most, picked as `limit` picks. @throws {InputError} when the task has no such stratum */
function sampled(
  task: Task,
  selected: SelectedRows,
  sample: Readonly<Record<string, number>> | undefined,
): SelectedRows {
  if (sample === undefined) return selected;
  const strata = new Map<string, TaskRow[]>();
  for (const row of selected.rows) {
    const stratum = task.stratum?.(row);
    if (stratum === undefined) continue;
    const rows = strata.get(stratum);
    if (rows === undefined) strata.set(stratum, [row]);
    else rows.push(row);
  }
  const kept = new Set<TaskRow>();
  for (const [stratum, most] of Object.entries(sample)) {
    const rows = strata.get(stratum);
    if (rows === undefined) {
      throw new InputError(`${task.name} has no rows of the kind ${JSON.stringify(stratum)}`, {
        hint: strata.size === 0 ? "its rows are not told apart" : `it has ${[...strata.keys()].join(", ")}`,
      });
    }
    for (const row of pickRows(rows, most)) kept.add(row);
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

const DEFAULT_PROTOCOL: Protocol = "corrected";

/** A model that has answers to some rows only says which are missing. */
async function expectRows({ model, task: { task }, selected }: Draft): Promise<void> {
  await model.expectRows?.({
    task: task.name,
    columns: task.scores.columns,
    rows: selected.rows.map(({ index }) => index),
    inTable: selected.inTable,
  });
}

/**
 * Bytes that this process may have in all. What it holds already is part of what models say they take: one that was planned
 * for before, and timed, has its weights in memory.
 */
async function memoryOfThisProcess(): Promise<number> {
  return process.availableMemory() + (await heldMemory());
}

/** Adds to a draft what it costs, having looked at what is done and whether it fits. */
async function priced(
  { record, task, selected, model, setting, rows }: Draft,
  request: RunRequest,
  shard: Shard,
  notes: Set<string>,
): Promise<PlannedCell> {
  let state: ShardState = { rowsDone: 0, batchSize: undefined };
  if (request.folder !== undefined) {
    const of = { folder: request.folder, record, shard, rows: rows.length };
    await refuseOtherShardCount(of);
    state = await inspectShard(of);
  }
  if (model.identity === undefined) {
    notes.add(
      `the model ${JSON.stringify(model.name)} gives no identity, so its name alone tells it from others: after a change of its weights, use a new folder`,
    );
  }
  const protocol = record.cell.protocol;
  const answersOf = answersElsewhere({ record, setting, task }, request.earlier);
  const sample = await sampleOf(task, rows, model);
  const others = request.models
    .filter((other) => other !== model)
    .reduce((bytes, other) => bytes + atRest(other), 0);
  const question = {
    asked: request.batchSize,
    begun: state.batchSize,
    tokens: sample.longest,
    available: (request.memory ?? (await memoryOfThisProcess())) - selected.memory - others,
    others,
  };
  const training = await setting.trainingMemory?.({ task, model, recipe: record.cell.recipe });
  const fit =
    training === undefined ? fittingBatchSize(model, question) : fittingTraining(model, question, training);
  if (fit.note !== undefined) notes.add(fit.note);
  const draft = { model, setting, task, protocol, record, batchSize: fit.batchSize, signal: request.signal };
  const rowsLeft = answersOf === undefined ? rows.length - state.rowsDone : 0;
  const estimate = await estimateCost(draft, sample, {
    rowsLeft,
    timing: answersOf === undefined && (request.timing ?? true),
    memory: fit.memory === undefined ? null : fit.memory + selected.memory,
  });
  return {
    record,
    name: cellName(record.identity),
    task,
    model,
    setting,
    rows,
    rowsDone: state.rowsDone,
    batchSize: fit.batchSize,
    estimate,
    ...(answersOf === undefined ? {} : { answersOf }),
  };
}

/** What the answers depend on: on the data of the task that trains, too, where the setting answers with what another trained. */
function dataOf({ trainedBy }: TaskSetting, { digests, training }: OpenTask): Cell["data"] {
  if (trainedBy === undefined || training === undefined) return digests;
  const trained = Object.entries(training.digests).map(([name, digest]) => [`${trainedBy} ${name}`, digest]);
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

function refuseTwins(records: readonly CellRecord[]) {
  const seen = new Map<string, CellRecord>();
  for (const record of records) {
    const twin = seen.get(cellName(record.identity));
    if (twin !== undefined) {
      throw new InputError(`${cellTitle(record.cell)} is asked twice in this run`, {
        hint: "give models that differ another name or identity, and name each task and setting once",
      });
    }
    seen.set(cellName(record.identity), record);
  }
}

/** Runs a step; a user's mistake in it is kept, so that all can be told at once. */
async function collect<T>(refusals: InputError[], step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    refusals.push(error);
    return undefined;
  }
}

function throwTogether(refusals: readonly InputError[]) {
  const [first] = refusals;
  if (first === undefined) return;
  if (refusals.length === 1) throw first;
  const list = [...new Set(refusals.map((refusal) => refusal.describe()))];
  if (list.length === 1) throw first;
  throw new InputError(`${list.length} things are in the way of this run:\n${list.map(indented).join("\n")}`);
}

const indented = (text: string) => `- ${text.replaceAll("\n", "\n  ")}`;
