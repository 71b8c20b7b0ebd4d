import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { waitForLock } from "../../base/file-lock.ts";
import { namesHint } from "../../base/message-text.ts";
import { type CellRecord, cellTitle } from "../runs/cell.ts";
import { collectShards, findShards } from "../runs/collect-shards.ts";
import type { OnProgress } from "../runs/progress.ts";
import { cellFolder, missingRunError, readRunRecord } from "../runs/run-folder.ts";
import { readResults } from "../runs/stored-results.ts";
import { taskNamed } from "../tasks/catalogue.ts";
import { stratificationName } from "../tasks/stratification.ts";
import type { MeasureWork, Task } from "../tasks/task.ts";
import { groupValues } from "./bins.ts";
import {
  type RequestedStratification,
  requestedStratification,
  type StrataFiles,
  StrataSources,
} from "./catalogue.ts";
import { type Grouped, measureStrata, stratumNames } from "./measure-strata.ts";
import { type OpenStratification, type RowsToStratify, rowsKey } from "./rows.ts";
import { type CellStrata, writeStrata } from "./strata-file.ts";

/** Options of `stratifyRun`. */
export interface StratifyOptions {
  /**
   * Names of stratifications, `file.bed`, `file.bed:4`, `table.tsv:COLUMN`. Default: those of each task whose
   * files are given.
   */
  readonly by?: readonly string[];
  readonly files?: StrataFiles;
  /** Number of quantile bins of numbers; default 4. */
  readonly bins?: number;
  /** Ascending edges of bins by the name of the stratification. */
  readonly edges?: Readonly<Record<string, readonly number[]>>;
  /** Custom tasks of the run. */
  readonly tasks?: readonly Task[];
  readonly signal?: AbortSignal;
  /** Receives the progress of long-running stages. */
  readonly onProgress?: OnProgress;
}

/** Strata of the cells of a run, in plan order. */
export interface StratifiedRun {
  readonly cells: readonly { readonly record: CellRecord; readonly strata: CellStrata }[];
  /** Notes for the user: files that are not given, tasks that a stratification does not apply to. */
  readonly notes: readonly string[];
}

/**
 * Splits the main metric of every cell of a run by properties of its rows, from stored scores: nothing is
 * scored again. Writes `strata.json` and `strata.tsv` into each cell's folder; earlier ones are replaced.
 *
 * The metric of a stratum is the task's own on the rows of the stratum, with its interval over blocks. A
 * stratum of all rows has the cell's estimate.
 *
 * @throws {InputError} when the run is not merged, a name is not known, a file is missing or does not fit the
 *   run, or a requested stratification applies to no cell
 */
export async function stratifyRun(
  folder: string,
  { by, files = {}, bins, edges = {}, tasks = [], signal, onProgress }: StratifyOptions = {},
): Promise<StratifiedRun> {
  const run = await readRunRecord(folder);
  if (run === undefined) throw missingRunError(folder);
  await using _ = await waitForLock(join(folder, "merge.lock"), signal === undefined ? {} : { signal });
  const tasksOfRun = [...new Set(run.cells.map(({ cell }) => cell.task))].map((name) =>
    taskNamed(name, tasks),
  );
  const chosen = by?.map((text) => requestedStratification(text, tasksOfRun, files));
  const missing = chosen?.find(({ missing }) => missing.length > 0);
  if (missing !== undefined) {
    throw new InputError(
      `${missing.name} needs ${missing.missing.map((name) => `--${name} FILE`).join(" and ")}`,
    );
  }
  checkNames(edges, by ?? tasksOfRun.flatMap((task) => (task.stratifications ?? []).map(stratificationName)));
  await using sources = new StrataSources(files);
  const opening = new OpenedOnce(sources);
  const notes = new Set<string>();
  const applied = new Set<string>();
  const grouped = new Map<string, readonly Grouped[]>();
  const cells: StratifiedRun["cells"][number][] = [];
  for (const { result } of await readResults(folder)) {
    const { metrics, ...record } = result;
    const task = taskNamed(record.cell.task, tasks);
    if (task.settings[record.cell.setting]?.measuredWhole) {
      notes.add(`${cellTitle(record.cell)} is left out: its metric clusters all rows together.`);
      continue;
    }
    await checkGenome(record, files, sources);
    const { predictions } = await collectShards(await findShards(folder, record));
    const rows: RowsToStratify = { task, record, predictions };
    const key = rowsKey(rows);
    const work: MeasureWork = {
      signal,
      onStage: (stage) => onProgress?.({ kind: "stage", cell: cellTitle(record.cell), ...stage }),
    };
    const known =
      grouped.get(key) ?? (await groupRows(rows, { chosen, files, opening, notes, bins, edges, work }));
    grouped.set(key, known);
    for (const { form } of known) applied.add(form.name);
    if (known.length === 0) continue;
    const strata = await measureStrata(rows, metrics[0], known, signal);
    if (strata === undefined) {
      notes.add(`${cellTitle(record.cell)} is left out: its main metric is not defined over blocks of rows.`);
      continue;
    }
    const columns = known.map((one) => ({ name: one.form.name, nameOf: stratumNames(one) }));
    await writeStrata(cellFolder(folder, record), strata, { rows: predictions.rows, columns });
    cells.push({ record, strata });
  }
  const unused = chosen?.find(({ name }) => !applied.has(nameOfOpen(name)));
  if (unused !== undefined) throw appliesToNone(unused, notes);
  return { cells, notes: [...notes] };
}

/** @throws {InputError} for edges of a stratification that is not used */
function checkNames(edges: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  const unknown = Object.keys(edges).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new InputError(`edges are given for ${JSON.stringify(unknown)}, which is not used`, {
    hint: namesHint("used", unknown, [...new Set(names)]),
  });
}

/** Name in results of a requested stratification: paths lose their folder. */
const nameOfOpen = (text: string) => text.replace(/^.*[\\/]/, "");

function appliesToNone({ name }: RequestedStratification, notes: ReadonlySet<string>): InputError {
  const why = [...notes].find((note) => note.startsWith(`${name}: `));
  return new InputError(`${name} applies to no cell of the run`, why === undefined ? {} : { hint: why });
}

interface GroupRequest {
  readonly chosen: readonly RequestedStratification[] | undefined;
  readonly files: StrataFiles;
  readonly opening: OpenedOnce;
  readonly notes: Set<string>;
  readonly bins: number | undefined;
  readonly edges: Readonly<Record<string, readonly number[]>>;
  readonly work: MeasureWork;
}

/** Groups the rows of a cell by every stratification that applies to them. */
async function groupRows(
  rows: RowsToStratify,
  { chosen, files, opening, notes, bins, edges, work }: GroupRequest,
): Promise<readonly Grouped[]> {
  const { task } = rows;
  const requested =
    chosen ??
    (task.stratifications ?? []).map((form) =>
      requestedStratification(stratificationName(form), [task], files),
    );
  const found: Grouped[] = [];
  for (const one of requested) {
    if (one.missing.length > 0) {
      notes.add(`${one.name} is left out: it needs ${one.missing.map((name) => `--${name}`).join(" and ")}.`);
      continue;
    }
    const form = await opening.open(one, task);
    const refusal = form === undefined ? "it is a property of another task's rows" : form.refuses(rows);
    if (form === undefined || refusal !== undefined) {
      notes.add(`${one.name}: left out for ${task.name}, because ${refusal}.`);
      continue;
    }
    const { values, notes: ownNotes = [] } = await form.valuesOf(rows, work);
    if (values.every((value) => value === undefined)) {
      notes.add(
        [`${one.name}: left out for ${task.name}, because no row has a value.`, ...ownNotes].join(" "),
      );
      continue;
    }
    const groups = groupValues(one.name, values, {
      ...(bins === undefined ? {} : { bins }),
      edges: edges[one.name] ?? form.edges,
      ...(form.order === undefined ? {} : { order: form.order }),
    });
    found.push({ form, groups, notes: ownNotes, shared: sharedRows(rows, form) });
  }
  return found;
}

function sharedRows({ predictions }: RowsToStratify, form: OpenStratification): Uint8Array {
  const shared = new Uint8Array(predictions.length);
  if (form.inEveryStratum === undefined) return shared;
  for (let i = 0; i < shared.length; i++) if (form.inEveryStratum(predictions.factsAt(i))) shared[i] = 1;
  return shared;
}

/** Opens each stratification once for all cells; that of a window's bases for each task. */
class OpenedOnce {
  private readonly known = new Map<string, Promise<OpenStratification | undefined>>();

  constructor(private readonly sources: StrataSources) {}

  open(one: RequestedStratification, task: Task): Promise<OpenStratification | undefined> {
    const form = task.stratifications?.find((form) => stratificationName(form) === one.name);
    const key =
      form === undefined || "use" in form ? `${one.name} ${form?.over}` : `${one.name} ${task.name}`;
    const opened = this.known.get(key) ?? one.open(task, this.sources);
    this.known.set(key, opened);
    return opened;
  }
}

/** @throws {InputError} when the run was scored with another genome */
async function checkGenome({ cell }: CellRecord, { genome: path }: StrataFiles, sources: StrataSources) {
  const expected = cell.data.genome;
  if (path === undefined || expected === undefined) return;
  const digest = await (await sources.genome()).digest();
  if (digest === expected) return;
  throw new InputError(`this is not the genome of ${cellTitle(cell)}`, {
    place: { file: path },
    hint: "give the genome that the run was scored with; case and compression may differ",
  });
}
