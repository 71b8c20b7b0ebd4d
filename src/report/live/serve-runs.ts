import { join } from "node:path";
import { sha256Hex } from "../../base/digest.ts";
import { sizeBelow } from "../../base/folder.ts";
import { type LoopbackServer, type ServedPage, serveOnLoopback } from "../../base/loopback-server.ts";
import { type CustomForms, findTask } from "../../evaluation/runs/forms.ts";
import { unmergedResult } from "../../evaluation/runs/merge.ts";
import { cellFolder, runFolders } from "../../evaluation/runs/run-folder.ts";
import { type CellStatus, type RunStatus, runStatus } from "../../evaluation/runs/run-status.ts";
import { readCellResult, type StoredResult } from "../../evaluation/runs/stored-results.ts";
import { reportText } from "../write-report.ts";
import { framesPage, LIVE_POLICY, statusPage } from "./live-page.ts";

/** Options of `serveRuns`, with the custom tasks, settings and model families of the runs. */
export interface ServeOptions extends CustomForms {
  /** Default: any free port. */
  readonly port?: number;
  /** Title of the report. */
  readonly title?: string;
  /** HTML document of results; default: the report. */
  readonly page?: (results: readonly StoredResult[]) => Promise<string>;
}

/**
 * Serves the report of runs to browsers on this machine while they run: the state of all shards, which
 * reloads itself, and the report of the cells whose shards are done, also before they are merged. Cells that
 * are measured by a long clustering appear when they are merged. Changes nothing in the folders.
 *
 * Paths: `/`, `/status`, `/status.json` and `/report`.
 *
 * @param paths  run folders, or folders with one run per protocol
 * @throws {InputError} when a path is not a run, or the port is in use
 */
export async function serveRuns(
  paths: readonly string[],
  { port, title = "DNA language models on regulatory DNA", page, ...forms }: ServeOptions = {},
): Promise<LoopbackServer> {
  const folders = (await Promise.all(paths.map(runFolders))).flat();
  const counted = new Map();
  const statusOf = () => Promise.all(folders.map((folder) => runStatus(folder, counted)));
  const write = page ?? ((results) => reportText(results, "html", { title, ...forms }));
  const measured = new Map<string, Promise<StoredResult>>();
  const resultOf = ({ folder, cell: { record, merged } }: ShownCell) => {
    if (merged) return readCellResult(cellFolder(folder, record));
    const known = measured.get(record.identity) ?? unmergedResult(folder, record, forms.tasks);
    measured.set(record.identity, known);
    known.catch(() => measured.delete(record.identity));
    return known;
  };
  let cached: { readonly version: string; readonly text: Promise<string> } | undefined;
  const reportOf = (runs: readonly RunStatus[], version: string) => {
    if (cached?.version === version) return cached.text;
    const text = resultsOf(shownCells(runs, forms), resultOf).then(write);
    cached = { version, text };
    text.catch(() => {
      cached = undefined;
    });
    return text;
  };
  await statusOf();
  return serveOnLoopback(async (path, query) => {
    const runs = await statusOf();
    const version = await versionOf(shownCells(runs, forms));
    switch (path) {
      case "/":
        return live(version === undefined ? statusPage(runs, false) : framesPage(title, version));
      case "/status":
        return live(statusPage(runs, version !== undefined && version !== query.get("seen")));
      case "/status.json":
        return { type: "application/json", text: JSON.stringify(runs), policy: "default-src 'none'" };
      case "/report":
        // The page has a policy of its own, which forbids everything but its script and style.
        return version === undefined
          ? undefined
          : {
              type: "text/html; charset=utf-8",
              text: await reportOf(runs, version),
              policy: "frame-ancestors 'self'",
            };
      default:
        return undefined;
    }
  }, port);
}

const live = (text: string): ServedPage => ({ type: "text/html; charset=utf-8", text, policy: LIVE_POLICY });

/** A cell whose results the report shows. */
interface ShownCell {
  readonly folder: string;
  readonly cell: CellStatus;
}

/** Cells that are merged, or whose shards are done and are measured quickly. */
const shownCells = (runs: readonly RunStatus[], forms: CustomForms): readonly ShownCell[] =>
  runs.flatMap(({ folder, cells }) =>
    cells.flatMap((cell) => (cell.merged || isComplete(cell, forms) ? { folder, cell } : [])),
  );

function isComplete({ shards, record: { cell } }: CellStatus, forms: CustomForms): boolean {
  const task = findTask(cell.task, forms);
  if (task === undefined || task.version !== cell.taskVersion) return false;
  if (task.settings[cell.setting]?.measuredWhole) return false;
  return shards.length > 0 && shards.every(({ phase }) => phase === "done");
}

async function resultsOf(
  cells: readonly ShownCell[],
  resultOf: (cell: ShownCell) => Promise<StoredResult | undefined>,
): Promise<readonly StoredResult[]> {
  const results = new Map<string, StoredResult>();
  for (const shown of cells) {
    const { identity } = shown.cell.record;
    const found = results.get(identity) ?? (await resultOf(shown));
    if (found !== undefined) results.set(identity, found);
  }
  return [...results.values()];
}

/** Version of the shown results, which changes when a cell is done or merged; undefined without any. */
async function versionOf(cells: readonly ShownCell[]): Promise<string | undefined> {
  const times: string[] = [];
  for (const { folder, cell } of cells) {
    const { record, merged } = cell;
    const { newest, bytes } = merged
      ? await sizeBelow(join(cellFolder(folder, record), "result.json"))
      : { newest: new Date(0), bytes: cell.rowsDone };
    times.push(`${record.identity} ${newest.getTime()} ${bytes}`);
  }
  return times.length === 0 ? undefined : sha256Hex(times.join("\n")).slice(0, 16);
}
