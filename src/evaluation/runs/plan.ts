import { tmpdir } from "node:os";
import { ErrorCollector, InputError } from "../../base/errors.ts";
import { checkWritableFolder } from "../../base/folder.ts";
import { temporaryBytes } from "../../base/number-log.ts";
import { withoutUndefined } from "../../base/record.ts";
import type { Model } from "../../models/model.ts";
import { checkFreeSpace, type SpaceNeed } from "../embeddings/packed-embedding.ts";
import { abInitio } from "../settings/ab-initio.ts";
import { SETTINGS, settingNamed } from "../settings/catalogue.ts";
import type { Setting } from "../settings/setting.ts";
import { trainedFolder } from "../settings/training-record.ts";
import { type AnyTask, taskNamed } from "../tasks/catalogue.ts";
import { checkContext } from "../tasks/context.ts";
import { inputOrigins } from "../tasks/inputs.ts";
import type { OpenTask, Task, TaskSetting } from "../tasks/task.ts";
import { type CellRecord, cellName, cellTitle, runIdentity } from "./cell.ts";
import { controlsFor, settingsWithControls } from "./controls.ts";
import { type CellDraft, draftCells, type UnsupportedCell, unsupportedMessage } from "./draft-cells.ts";
import { checkExtension } from "./extend-run.ts";
import { planCell } from "./plan-cell.ts";
import { checkEmbeddings, planEmbeddings, sharedEmbeddings } from "./plan-embeddings.ts";
import {
  checkRequest,
  type Plan,
  type PlannedCell,
  type PlannedTemporary,
  type RequestedTask,
  type RunRequest,
} from "./request.ts";
import { checkRunFolder } from "./run-folder.ts";
import type { Shard } from "./shard.ts";
import { TimedTrials } from "./training-cost.ts";

/**
 * Plans a run: opens the tasks, selects rows, estimates memory and time. Reports all errors before anything
 * expensive starts, and writes nothing.
 *
 * @throws {InputError} for missing files, an empty selection (with the rows per chromosome), a folder with
 *   another run, a model that does not support a setting, too little memory for one row, too little disk;
 *   several errors are reported together
 */
export async function planRun<const Tasks extends readonly AnyTask[]>(
  request: RunRequest<Tasks>,
): Promise<Plan>;
export async function planRun(request: RunRequest): Promise<Plan> {
  checkRequest(request);
  const began = performance.now();
  const { folder, seed = 0, shard = { index: 1, count: 1 } } = request;
  const own: OpenTask[] = [];
  const close = async () => {
    for (const task of own) await task.close();
  };
  try {
    const errors = new ErrorCollector();
    const { drafts, notes, opened } = await draftRun(request, { errors, own, shard });
    errors.throwTogether("the request");

    const records = drafts.map(({ record }) => record);
    refuseUnusedWeights(request, drafts);
    refuseDuplicateCells(records);
    await checkFolders(request, records);
    const trained = request.trained ?? (folder === undefined ? undefined : trainedFolder(folder));
    const pricing = { shard, trained, trials: new TimedTrials(), notes };
    const priced: PlannedCell[] = [];
    for (const draft of drafts) {
      const cell = await errors.collect(() => planCell(draft, request, pricing));
      if (cell !== undefined) priced.push(cell);
    }
    errors.throwTogether("the request");
    const cells = await planEmbeddings(priced, { ...request, trained });
    const temporary = await planTemporary(priced, shard);
    return {
      identity: runIdentity(records.map((record) => record.identity)),
      folder,
      ...withoutUndefined({ extend: request.extend, command: request.command }),
      trained,
      shard,
      cells,
      temporary,
      openingSeconds: (performance.now() - began) / 1000 - pricing.trials.seconds,
      notes: [...notes],
      opened,
      seed,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Drafts of a run, task by task. */
interface RunDrafts {
  readonly errors: ErrorCollector;
  /** Tasks that this plan opens, and `close` closes. */
  readonly own: OpenTask[];
  readonly shard: Shard;
  readonly drafts: CellDraft[];
  readonly declined: UnsupportedCell[];
  readonly notes: Set<string>;
  readonly opened: Map<RequestedTask, OpenTask>;
}

/** Opens the tasks and drafts their cells; what cannot be evaluated becomes an error or a note. */
async function draftRun(
  request: RunRequest,
  state: Pick<RunDrafts, "errors" | "own" | "shard">,
): Promise<RunDrafts> {
  const run: RunDrafts = { ...state, drafts: [], declined: [], notes: new Set(), opened: new Map() };
  const { errors, own, drafts, declined, notes } = run;
  for (const requested of request.tasks) await draftTask(requested, request, run);
  for (const draft of drafts) await errors.collect(() => expectRows(draft));
  for (const note of sharedNetworks(drafts)) notes.add(note);
  for (const note of own.flatMap((task) => task.notes ?? [])) notes.add(note);
  for (const one of declined) {
    const message = unsupportedMessage(one);
    const isLeftOut = request.leaveOut || one.excepted || isSupportedOtherwise(one, drafts);
    if (isLeftOut) notes.add(`${message}: left out`);
    if (!isLeftOut || drafts.length === 0) errors.add(new InputError(message));
  }
  return run;
}

/** Opens a requested task, unless an earlier plan has, and drafts its cells in every setting. */
async function draftTask(requested: RequestedTask, request: RunRequest, run: RunDrafts): Promise<void> {
  const { errors, own, notes, opened } = run;
  const { inputs } = requested;
  const task = typeof requested.task === "string" ? taskNamed(requested.task) : requested.task;
  const { seed = 0, context } = request;
  if (context !== undefined) {
    if (task.widens === undefined && request.leaveOut) {
      notes.add(`the windows of ${task.name} cannot be widened: left out`);
      return;
    }
    if (!(await errors.passes(() => checkContext(task, context)))) return;
  }
  const before = openedBefore(requested, request);
  const open = before ?? (await errors.collect(() => task.open(inputs, withoutUndefined({ seed, context }))));
  if (open !== undefined) {
    opened.set(requested, open);
    if (open !== before) own.push(open);
  }
  const origins = open === undefined ? undefined : await errors.collect(() => inputOrigins(task, inputs));
  const settings = settingsOf(task, requested.settings ?? request.settings);
  const withControls =
    request.controls === undefined || request.controls.length === 0
      ? settings
      : settingsWithControls(task, settings, abInitio);
  for (const setting of withControls) {
    const isControl = !settings.includes(setting);
    await errors.collect(() =>
      draftSetting({ requested, task, open, setting, origins, isControl }, request, run),
    );
  }
}

/** One requested task in one setting. */
interface RequestedSetting {
  readonly requested: RequestedTask;
  readonly task: Task;
  /** Undefined if the task could not be opened. */
  readonly open: OpenTask | undefined;
  readonly setting: Setting;
  readonly origins: CellRecord["origins"];
  /** True if the setting was not requested and is added for its controls. */
  readonly isControl: boolean;
}

/** @throws {InputError} as `draftCells`, and for weights that the setting does not take */
async function draftSetting(
  { requested, task, open, setting, origins, isControl }: RequestedSetting,
  request: RunRequest,
  { shard, drafts, declined, notes }: RunDrafts,
): Promise<void> {
  const { task: _, inputs, bySetting = {}, ...everywhere } = requested;
  const overrides = bySetting[setting.name];
  const { sample, except, ...rest } = { ...everywhere, ...overrides };
  if (overrides?.weights !== undefined && !setting.takesWeights) {
    throw new InputError(`the setting ${setting.name} takes no trained weights`, {
      hint: takingWeights(),
    });
  }
  const form = task.settings[setting.name];
  const models = isControl ? [] : await modelsFor(form, open, rest.models ?? request.models);
  const controls = controlsFor(form, request.controls ?? [], models).map(({ model }) => model);
  const found = await draftCells(
    { task, open, setting, sample, except, origins, shard },
    { ...request, ...rest, models: [...models, ...controls] },
  );
  drafts.push(...found.drafts);
  if (openedBefore(requested, request) === undefined) for (const note of found.notes) notes.add(note);
  declined.push(...found.declined.filter(({ model }) => !controls.includes(model)));
}

/** Settings that take trained weights: "probed, fine-tuned and ab-initio do". */
const takingWeights = () =>
  `${new Intl.ListFormat("en-GB").format(SETTINGS.flatMap(({ name, takesWeights }) => (takesWeights ? [name] : [])))} do`;

/** @throws {InputError} when the run has weights and no cell takes them */
function refuseUnusedWeights({ weights }: RunRequest, drafts: readonly CellDraft[]): void {
  if (weights === undefined || drafts.some((draft) => draft.weights !== undefined)) return;
  throw new InputError("trained weights are given, but no requested setting takes them", {
    hint: takingWeights(),
  });
}

/**
 * Checks all folders that the run writes to, before hours of training.
 * @throws {InputError} when one is not writable, or the run's folder has another run
 */
async function checkFolders(request: RunRequest, records: readonly CellRecord[]): Promise<void> {
  const { folder, extend, trained } = request;
  if (folder !== undefined) await (extend ? checkExtension : checkRunFolder)(folder, records);
  await checkEmbeddings(request);
  for (const place of [folder, sharedEmbeddings(request), trained]) {
    if (place !== undefined) await checkWritableFolder(place);
  }
}

/**
 * Temporary files of a run: the tables, and the rows of the largest cell if the run merges them.
 * @throws {InputError} when they do not fit on the disk
 */
async function planTemporary(cells: readonly PlannedCell[], shard: Shard): Promise<PlannedTemporary> {
  const folder = tmpdir();
  const merged = shard.count > 1 ? 0 : Math.max(0, ...cells.map(({ estimate }) => estimate.temporary));
  if (merged > 0) await checkFreeSpace(folder, merged, TEMPORARY_FILES);
  return { folder, bytes: temporaryBytes() + merged };
}

const TEMPORARY_FILES: SpaceNeed = {
  what: "temporary files need",
  hint: "free some space, or set TMPDIR to a folder on a larger disk",
};

/** The requested task if an earlier plan with the same seed has opened it, so that tables are read once. */
function openedBefore(
  requested: RequestedTask,
  { seed = 0, earlier = [] }: RunRequest,
): OpenTask | undefined {
  const found = earlier.find((plan) => plan.seed === seed && plan.opened.has(requested));
  return found?.opened.get(requested);
}

/** The requested settings; by default the task's first. @throws {InputError} when the task has none */
function settingsOf(task: Task, settings?: RunRequest["settings"]): readonly Setting[] {
  const [first] = Object.keys(task.settings);
  if (first === undefined) throw new InputError(`the task ${task.name} has no settings`);
  return (settings ?? [first]).map((setting) =>
    typeof setting === "string" ? settingNamed(setting) : setting,
  );
}

/**
 * True if the model supports another setting of the task and another model supports this setting: neither is
 * then a mistake.
 */
function isSupportedOtherwise(
  { task, model, setting }: UnsupportedCell,
  drafts: readonly CellDraft[],
): boolean {
  const ofTask = drafts.filter((draft) => draft.task.task === task);
  return ofTask.some((draft) => draft.model === model) && ofTask.some((draft) => draft.setting === setting);
}

const predictsActivity = (form: TaskSetting | undefined) => form?.recipe.score === "activity";

/**
 * Models of a setting. Where activity is predicted, a model with one network per cell line is replaced by the
 * network of the task's line.
 */
async function modelsFor(
  form: TaskSetting | undefined,
  open: OpenTask | undefined,
  models: readonly Model[],
): Promise<readonly Model[]> {
  const line = open?.cellLine;
  if (line === undefined || !predictsActivity(form)) return models;
  return Promise.all(models.map((model) => model.forCellLine?.(line) ?? model));
}

/** Warnings that one network predicts the activity of several cell lines. */
function sharedNetworks(drafts: readonly CellDraft[]): readonly string[] {
  const linesOf = new Map<Model, Set<string>>();
  for (const { model, task, setting } of drafts) {
    if (task.cellLine === undefined || !predictsActivity(task.task.settings[setting.name])) continue;
    linesOf.set(model, (linesOf.get(model) ?? new Set()).add(task.cellLine));
  }
  return [...linesOf].flatMap(([{ name }, lines]) =>
    lines.size < 2
      ? []
      : [
          `${JSON.stringify(name)} predicts the activity of ${[...lines].join(", ")} with one network; the benchmark has a ChromBPNet per cell line: --model chrombpnet:FOLDER/{cell-line}.h5`,
        ],
  );
}

/** Lets a model with stored scores report missing rows. */
async function expectRows({ model, task: { task }, selected }: CellDraft): Promise<void> {
  const { columns } = task.scores;
  await model.expectRows?.({
    task: task.name,
    // Columns between row number and scores repeat facts of the row.
    columns: [columns[0], ...columns.slice(-task.members.length)],
    rows: selected.rows,
    inTable: selected.inTable,
  });
}

function refuseDuplicateCells(records: readonly CellRecord[]) {
  const seen = new Map<string, CellRecord>();
  for (const record of records) {
    const twin = seen.get(cellName(record.identity));
    if (twin !== undefined) {
      throw new InputError(`${cellTitle(record.cell)} occurs twice in this run`, {
        hint: "name each task and setting once, and give different models different names",
      });
    }
    seen.set(cellName(record.identity), record);
  }
}
