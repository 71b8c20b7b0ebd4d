import { sha256Hex } from "../../base/digest.ts";
import { stableStringify } from "../../base/json.ts";
import { counted } from "../../base/message-text.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { seedOf } from "../../base/random.ts";
import { benjaminiHochberg } from "../../metrics/false-discovery.ts";
import { cellName, evaluatedData, rowsDigest } from "../runs/cell.ts";
import type { CustomForms } from "../runs/forms.ts";
import type { StoredResult } from "../runs/result.ts";
import { mainEstimate } from "../tasks/intervals.ts";
import { finiteEstimate, finiteOrNull } from "../tasks/measurement.ts";
import type { PredictionColumns } from "../tasks/prediction-columns.ts";
import type { MainStatistic, StageProgress } from "../tasks/task.ts";
import { type CellPredictions, readCellPredictions, statisticOfRows } from "./compared-cell.ts";
import { comparedPairs, type JointModels, jointModels } from "./compared-pairs.ts";
import type {
  ComparedGroup,
  ComparedMetric,
  ComparedModel,
  ComparedPair,
  ModelsCompared,
} from "./comparison.ts";
import { differingFields } from "./differing-fields.ts";
import { rankingsOf } from "./rankings.ts";

/** Options of `compareResults`. */
export interface CompareOptions {
  /** Custom tasks and settings of the results. */
  readonly forms?: CustomForms;
  /**
   * Compares models that were evaluated on different rows of the same data on the rows that all of them share. Default: they
   * are in different groups.
   */
  readonly sharedRows?: boolean;
  /** Reports clusterings that are made again. */
  readonly onStage?: (stage: StageProgress) => void;
  /** Aborting rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Compares the models of merged results, of one run or of several, by the main metric of each task. Reads the scores of rows from
 * `rows/` of each cell's folder; writes nothing.
 *
 *     const { groups } = await compareResults(await readResults("runs/a"));
 *
 * @throws {InputError} when rows were changed after the run, or belong to another version of the task
 * @throws the signal's reason
 */
export async function compareResults(
  results: readonly StoredResult[],
  options: CompareOptions = {},
): Promise<ModelsCompared> {
  const drafts: GroupDraft[] = [];
  for (const [key, group] of groupsOf(results, options)) {
    drafts.push(await compareGroup(key, group, options));
  }
  const q = benjaminiHochberg(drafts.flatMap(({ group }) => group.pairs.map(({ p }) => p ?? Number.NaN)));
  let pair = 0;
  const groups = drafts.map(
    ({ group }): ComparedGroup => ({
      ...group,
      pairs: group.pairs.map((one) => ({ ...one, q: finiteOrNull(q[pair++]) })),
    }),
  );
  return {
    format: "dart-eval comparison",
    formatVersion: 1,
    groups,
    rankings: rankingsOf(
      groups,
      drafts.map(({ joint }) => joint),
      options.forms,
    ),
  };
}

/** Results by a digest of their group, in order of first occurrence. */
function groupsOf(results: readonly StoredResult[], { forms, sharedRows = false }: CompareOptions) {
  const groups = new Map<string, StoredResult[]>();
  for (const stored of results) {
    const { cell, rows } = stored.result;
    const key = sha256Hex(
      stableStringify([
        cell.task,
        cell.taskVersion,
        cell.dataset ?? null,
        cell.setting,
        cell.protocol,
        cell.seed,
        evaluatedData(cell, forms),
        sharedRows ? null : rows.digest,
      ]),
    );
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [stored]);
    // The same cell, in several runs.
    else if (group.every(({ result }) => result.identity !== stored.result.identity)) group.push(stored);
  }
  return groups;
}

interface GroupDraft {
  readonly group: ComparedGroup;
  readonly joint: JointModels | undefined;
}

async function compareGroup(
  key: string,
  group: readonly StoredResult[],
  options: CompareOptions,
): Promise<GroupDraft> {
  const read: CellPredictions[] = [];
  for (const stored of group) {
    options.signal?.throwIfAborted();
    read.push(await readCellPredictions(stored));
  }
  const { result } = group[0];
  const { cell } = result;
  const [main] = result.metrics;
  const rows = rowsInAll(read);
  const drafts: ModelDraft[] = [];
  for (const cellRead of read) drafts.push(await draftModel(cellRead, rows, group, options));
  const metric: ComparedMetric = {
    name: main.name,
    title: main.title,
    better: main.better,
    ...(main.chance === undefined ? {} : { chance: main.chance }),
  };
  drafts.sort((a, b) => worthOf(b, metric) - worthOf(a, metric) || (a.model.label < b.model.label ? -1 : 1));
  const compared = drafts.filter((draft) => draft.statistic !== undefined);
  const joint = jointModels(
    compared.map(({ model, statistic }) => ({ label: model.label, name: model.name, statistic: statistic! })),
    metric.better,
    new Pcg64(seedOf([key])),
  );
  const shared = group.some(({ result }) => result.rows.selected !== rows.length);
  const pairs: readonly ComparedPair[] = joint === undefined ? [] : comparedPairs(joint, rows.length);
  return {
    joint,
    group: {
      task: cell.task,
      ...(cell.dataset === undefined ? {} : { dataset: cell.dataset }),
      setting: cell.setting,
      protocol: cell.protocol,
      data: evaluatedData(cell, options.forms),
      metric,
      rows: {
        compared: rows.length,
        digest: rowsDigest(rows),
        ...(shared ? { shared } : {}),
        blocks: joint?.jackknife.blocks.sizes.length ?? 0,
      },
      models: drafts.map(({ model }) => {
        const place = joint?.labels.indexOf(model.label) ?? -1;
        return {
          ...model,
          best: place < 0 ? null : joint!.best[place],
          tier: place < 0 ? null : joint!.tiers[place],
        };
      }),
      pairs,
      differing: differingFields(drafts.map(({ model, stored }) => ({ label: model.label, stored }))),
      notes: shared
        ? [
            `Models were evaluated on different rows; they are compared on the ${counted(rows.length, "row")} that all of them share.`,
          ]
        : [],
    },
  };
}

/** Row numbers that all cells have, ascending. */
function rowsInAll(read: readonly CellPredictions[]): Uint32Array {
  const [first, ...others] = read.flatMap((one) => ("predictions" in one ? [one.predictions.rows] : []));
  if (first === undefined) return new Uint32Array(0);
  const sets = others.map((rows) => new Set(Array.from(rows)));
  return Uint32Array.from(first).filter((row) => sets.every((rows) => rows.has(row)));
}

interface ModelDraft {
  readonly stored: StoredResult;
  readonly model: Omit<ComparedModel, "best" | "tier">;
  readonly statistic: MainStatistic | undefined;
}

async function draftModel(
  read: CellPredictions,
  rows: Uint32Array,
  group: readonly StoredResult[],
  { forms, onStage, signal }: CompareOptions,
): Promise<ModelDraft> {
  const { stored } = read;
  const { result, folder } = stored;
  const { model, protocol } = result.cell;
  const [main] = result.metrics;
  const namesakes = group.filter(
    ({ result: { cell } }) => cell.model.name === model.name && cell.protocol === protocol,
  );
  const common = {
    label: namesakes.length === 1 ? model.name : `${model.name} (${cellName(result.identity)})`,
    name: model.name,
    ...(result.family === undefined ? {} : { family: result.family }),
    identity: result.identity,
    folder,
    rows: result.rows.selected,
  };
  const own = main.intervals.find(({ basis }) => basis !== undefined) ?? main.intervals[0] ?? null;
  const without = (why: string): ModelDraft => ({
    stored,
    model: { ...common, value: main.value, estimate: own, why },
    statistic: undefined,
  });
  if ("why" in read) return without(read.why);
  if (main.better === "neither") return without("the task does not rank models by its main metric");
  if (rows.length === 0) return without("it has no row in common with the other models");
  const found = await statisticOfRows(stored, read.predictions as PredictionColumns, rows, {
    forms,
    onStage,
    signal,
  });
  if (typeof found === "string") return without(found);
  const whole = rows.length === read.predictions.length;
  const estimate = mainEstimate(found);
  const value = whole ? main.value : finiteOrNull(estimate.value);
  if (value === null) return without(main.why ?? "the metric is undefined on these rows");
  return {
    stored,
    model: { ...common, value, estimate: finiteEstimate(estimate) },
    statistic: found,
  };
}

function worthOf({ model: { value } }: ModelDraft, { better }: ComparedMetric): number {
  if (value === null) return -Number.MAX_VALUE;
  return better === "lower" ? -value : value;
}
