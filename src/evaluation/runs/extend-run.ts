import { InputError } from "../../base/errors.ts";
import { waitForLock } from "../../base/file-lock.ts";
import { version } from "../../base/package.ts";
import { removeTemporaryFiles, writeFileAtomic } from "../../base/write-file.ts";
import { type Cell, type CellRecord, cellTitle, runIdentity } from "./cell.ts";
import { missingRunError, planPath, type RunRecord, readableJson, readRunRecord } from "./run-folder.ts";

/**
 * Checks that cells of other models may be added to the run in a folder: each is of a task of the run, on the
 * same data and rows, with the same protocol and seed. Cells that the run already has are accepted.
 *
 * @throws {InputError} when the folder has no run, naming every difference
 */
export async function checkExtension(folder: string, cells: readonly CellRecord[]): Promise<void> {
  const run = await readRunRecord(folder);
  if (run === undefined) throw missingRunError(folder);
  const known = new Set(run.cells.map(({ identity }) => identity));
  const differences = cells.flatMap((record) => {
    if (known.has(record.identity)) return [];
    const found = differencesOf(record, run);
    return found.length === 0 ? [] : [`${cellTitle(record.cell)}: ${found.join("; ")}`];
  });
  if (differences.length === 0) return;
  const list =
    differences.length === 1 ? differences[0] : `\n${differences.map((one) => `- ${one}`).join("\n")}`;
  throw new InputError(`the models cannot be added to this run: ${list}`, {
    place: { file: folder },
    hint: "give the files and options of the run, or begin another run; report compares several",
  });
}

/**
 * Adds cells to plan.json of a run and records the earlier run in its history. Existing cells are not
 * changed.
 * @throws {InputError} as `checkExtension`
 */
export async function extendRun(folder: string, cells: readonly CellRecord[]): Promise<void> {
  await using _ = await waitForLock(`${planPath(folder)}.lock`);
  await checkExtension(folder, cells);
  const run = await readRunRecord(folder);
  if (run === undefined) throw missingRunError(folder);
  const known = new Set(run.cells.map(({ identity }) => identity));
  const added = cells.filter(({ identity }) => !known.has(identity));
  if (added.length === 0) return;
  const all = [...run.cells, ...added];
  const before = { toolkit: run.toolkit, identity: run.identity, cells: run.cells.length };
  const extended: RunRecord = {
    ...run,
    toolkit: version,
    identity: runIdentity(all.map(({ identity }) => identity)),
    cells: all,
    history: [...(run.history ?? []), before],
  };
  await removeTemporaryFiles(planPath(folder));
  await writeFileAtomic(planPath(folder), readableJson(extended));
}

/** Differences of a cell from those of the run on the same task, apart from the model. */
function differencesOf({ cell, rows }: CellRecord, { cells }: RunRecord): readonly string[] {
  const ofTask = cells.filter((one) => one.cell.task === cell.task && one.cell.dataset === cell.dataset);
  const twin = ofTask.find((one) => one.cell.setting === cell.setting) ?? ofTask[0];
  if (twin === undefined) {
    const tasks = [
      ...new Set(cells.map((one) => [one.cell.task, one.cell.dataset].filter(Boolean).join(" "))),
    ];
    return [`the run has no such task and data set; it has ${tasks.join(", ")}`];
  }
  const there = twin.cell;
  const inputs = Object.keys(cell.data).filter((name) => name in there.data);
  const compared: Readonly<Record<string, readonly [unknown, unknown]>> = {
    "version of the task": [there.taskVersion, cell.taskVersion],
    context: [there.context ?? "the task's", cell.context ?? "the task's"],
    protocol: [there.protocol, cell.protocol],
    seed: [there.seed, cell.seed],
    ...Object.fromEntries(
      inputs.map((name) => [
        `contents of ${name}`,
        [there.data[name]?.slice(0, 8), cell.data[name]?.slice(0, 8)],
      ]),
    ),
    ...(there.setting === cell.setting ? rowsCompared(twin, { cell, rows }) : {}),
  };
  return Object.entries(compared).flatMap(([name, [before, now]]) =>
    before === now ? [] : [`${name} ${String(before)} in the run, ${String(now)} here`],
  );
}

/** Split, limit, digest of the rows and width of the interval of two cells, by name. */
function rowsCompared(
  twin: CellRecord,
  record: Pick<CellRecord, "cell" | "rows">,
): Readonly<Record<string, readonly [unknown, unknown]>> {
  const of = (one: Cell) => `${one.split}${one.limit === null ? "" : `, limit ${one.limit}`}`;
  return {
    split: [of(twin.cell), of(record.cell)],
    "width of the interval": [twin.cell.untilWidth ?? "any", record.cell.untilWidth ?? "any"],
    "digest of the rows": [twin.rows.digest.slice(0, 8), record.rows.digest.slice(0, 8)],
  };
}
