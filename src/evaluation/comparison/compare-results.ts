import { sha256Hex } from "../../base/digest.ts";
import { stableStringify } from "../../base/json.ts";
import { withoutUndefined } from "../../base/record.ts";
import { cellName, contextText, evaluatedData } from "../runs/cell.ts";
import { type CellPredictions, readCellPredictions } from "../runs/collect-shards.ts";
import { type CustomForms, findTask } from "../runs/forms.ts";
import { mainStatisticOf } from "../runs/merge.ts";
import type { StoredResult } from "../runs/stored-results.ts";
import type { PredictionColumns } from "../tasks/prediction-columns.ts";
import type { MainStatistic, StageProgress } from "../tasks/task.ts";
import { type Candidate, compareGroup, comparisonOf, type GroupDraft } from "./compare-group.ts";
import type { ModelsCompared, SeparateModels } from "./comparison.ts";

/** Options of `compareResults`, with the custom tasks and settings of the results. */
export interface CompareOptions extends CustomForms {
  /**
   * Compares models that were evaluated on different rows of the same data on the rows that all of them
   * share. Default: they are in different groups.
   */
  readonly sharedRows?: boolean;
  /** Reads the predictions of a result, once. Default: `readCellPredictions`, from `rows/` of its folder. */
  readonly predictionsOf?: (stored: StoredResult) => Promise<CellPredictions>;
  /** Reports clusterings that are made again. */
  readonly onStage?: (stage: StageProgress) => void;
  /** Aborting rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Compares the models of merged results, of one run or of several, by the main metric of each task. Reads the
 * scores of rows from `rows/` of each cell's folder; writes nothing. A cell that several runs have counts
 * once.
 *
 *     const { groups } = await compareResults(await readResults("runs/a"));
 *
 * @throws {InputError} when rows were changed after the run
 * @throws the signal's reason
 */
export async function compareResults(
  results: readonly StoredResult[],
  options: CompareOptions = {},
): Promise<ModelsCompared> {
  const { sharedRows = false, signal } = options;
  const groups = groupsOf(results, sharedRows, options);
  const drafts: GroupDraft[] = [];
  for (const group of groups) {
    const candidates: Candidate[] = [];
    for (const stored of group) {
      signal?.throwIfAborted();
      candidates.push(await candidateOf(stored, options));
    }
    const { cell, metrics } = group[0].result;
    const [{ name, title, better, chance }] = metrics;
    const form = {
      key: formDigest(group[0], options),
      task: cell.task,
      ...withoutUndefined({ dataset: cell.dataset, context: cell.context }),
      setting: cell.setting,
      protocol: cell.protocol,
      data: evaluatedData(cell, options),
      metric: { name, title, better, ...(chance === undefined ? {} : { chance }) },
    };
    drafts.push(await compareGroup(form, candidates));
  }
  return comparisonOf(drafts, separateModels(groups, sharedRows, options), options);
}

/** Results in groups of those that can be compared, in order of first occurrence. */
function groupsOf(results: readonly StoredResult[], sharedRows: boolean, forms?: CustomForms) {
  const groups = new Map<string, [StoredResult, ...StoredResult[]]>();
  for (const stored of results) {
    const { rows } = stored.result;
    const key = `${formDigest(stored, forms)} ${sharedRows || rows.digest}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [stored]);
    else if (group.every(({ result }) => result.identity !== stored.result.identity)) group.push(stored);
  }
  return [...groups.values()];
}

/** Digest of what the results of a group have in common, except their rows. */
function formDigest({ result: { cell } }: StoredResult, forms?: CustomForms): string {
  const { task, taskVersion, dataset = null, setting, protocol, seed } = cell;
  const common = [task, taskVersion, dataset, setting, protocol, seed, evaluatedData(cell, forms)];
  return sha256Hex(stableStringify(cell.context === undefined ? common : [...common, cell.context]));
}

async function candidateOf(stored: StoredResult, options: CompareOptions): Promise<Candidate> {
  const { result, folder } = stored;
  const { model } = result.cell;
  const [main] = result.metrics;
  const { value, why, intervals } = main;
  const read = await (options.predictionsOf ?? readCellPredictions)(stored);
  return {
    name: model.name,
    longName: `${model.name} (${cellName(result.identity)})`,
    ...(result.family === undefined ? {} : { family: result.family }),
    identity: result.identity,
    folder,
    selected: result.rows.selected,
    result: {
      value,
      ...(why === undefined ? {} : { why }),
      estimate: intervals.find(({ basis }) => basis !== undefined) ?? intervals[0] ?? null,
    },
    fields: fieldsOf(stored),
    rows: "why" in read ? read.why : read.predictions.rows,
    statisticOf: async (rows) =>
      "why" in read ? read.why : statisticOf(stored, read.predictions, rows, options),
  };
}

async function statisticOf(
  { folder, result }: StoredResult,
  predictions: PredictionColumns,
  rows: ArrayLike<number>,
  { onStage, signal, ...forms }: CompareOptions,
): Promise<MainStatistic | string> {
  const task = findTask(result.cell.task, forms);
  if (task === undefined) return `${result.cell.task} is a task of another program`;
  if (task.version !== result.cell.taskVersion) {
    return `its rows were scored by version ${result.cell.taskVersion} of the task ${task.name}; this is version ${task.version}`;
  }
  const whole = rows.length === predictions.length;
  const wanted = new Set(Array.from(rows));
  const some = whole
    ? predictions
    : predictions.pick(
        Uint32Array.from(predictions.rows.keys()).filter((i) => wanted.has(predictions.rows[i])),
      );
  // Stored clusterings are those of all rows.
  const work = { onStage, signal, readOnly: true, ...(whole ? { folder } : {}) } as const;
  const found = await mainStatisticOf(task, result, some, work);
  return found ?? `the task ${task.name} has no \`mainStatistic\` in the setting ${result.cell.setting}`;
}

/** Everything that a result depends on besides the data, as text by dotted name. */
function fieldsOf({ result, timing }: StoredResult): Map<string, string> {
  const { cell, rows } = result;
  const trainingData = Object.entries(cell.data).filter(([name]) => name.includes(" "));
  return new Map([
    ["checkpoint", result.checkpoint ?? "not a published one"],
    ["checkpoint.digest", cell.model.identity ?? "not stated by the model"],
    ["precision", cell.precision ?? "f32"],
    ["split", cell.split],
    ["rows", String(rows.selected)],
    ["rows.digest", rows.digest],
    ...Object.entries(cell.recipe).map(([name, value]) => [`recipe.${name}`, String(value)] as const),
    ...(cell.weights === undefined ? [] : [["weights", cell.weights] as const]),
    ...trainingData.map(([name, digest]) => [`data.${name}`, digest] as const),
    ["program", [...new Set(timing.map(({ toolkit }) => toolkit))].join(", ")],
  ]);
}

/** Groups of the same task and setting, whose models are not compared with each other, with the reasons. */
function separateModels(
  groups: readonly (readonly [StoredResult, ...StoredResult[]])[],
  sharedRows: boolean,
  forms?: CustomForms,
): readonly SeparateModels[] {
  return groups.flatMap((first, i) =>
    groups.slice(i + 1).flatMap((second, j): SeparateModels[] => {
      const [{ cell: a }, { cell: b }] = [first[0].result, second[0].result];
      if (a.task !== b.task || a.setting !== b.setting) return [];
      const reasons = reasonsOf(first[0], second[0], sharedRows, forms);
      return [{ task: a.task, setting: a.setting, groups: [i, i + 1 + j], reasons }];
    }),
  );
}

function reasonsOf(
  { result: a }: StoredResult,
  { result: b }: StoredResult,
  sharedRows: boolean,
  forms?: CustomForms,
): readonly string[] {
  const short = (digest: string | undefined) => digest?.slice(0, 8) ?? "none";
  const [dataOfA, dataOfB] = [evaluatedData(a.cell, forms), evaluatedData(b.cell, forms)];
  const inputs = [...new Set([...Object.keys(dataOfA), ...Object.keys(dataOfB)])];
  const differ = <T>(what: string, of: (one: StoredResult["result"]) => T) =>
    of(a) === of(b) ? [] : [`${what} ${String(of(a))} and ${String(of(b))}`];
  return [
    ...differ("protocols", ({ cell }) => cell.protocol),
    ...differ("data sets", ({ cell }) => cell.dataset ?? "none"),
    ...differ("contexts", ({ cell }) => contextText(cell.context) ?? "the task's window"),
    ...inputs
      .filter((name) => dataOfA[name] !== dataOfB[name])
      .map((name) => `different ${name} (SHA-256 ${short(dataOfA[name])} and ${short(dataOfB[name])})`),
    ...differ("seeds of the task", ({ cell }) => cell.seed),
    ...differ("versions of the task", ({ cell }) => cell.taskVersion),
    ...(sharedRows || a.rows.digest === b.rows.digest
      ? []
      : [`different rows of the table (${a.rows.selected} and ${b.rows.selected})`]),
  ];
}
