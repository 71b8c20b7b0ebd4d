import { join } from "node:path";
import { sha256Hex } from "../../base/digest.ts";
import { sizeBelow } from "../../base/folder.ts";
import { type LoopbackServer, type ServedPage, serveOnLoopback } from "../../base/loopback-server.ts";
import type { CustomForms } from "../../evaluation/runs/forms.ts";
import type { StoredResult } from "../../evaluation/runs/result.ts";
import { cellFolder, runFolders } from "../../evaluation/runs/run-folder.ts";
import { type RunStatus, runStatus } from "../../evaluation/runs/run-status.ts";
import { reportText, runResults } from "../write-report.ts";
import { framesPage, LIVE_POLICY, statusPage } from "./live-page.ts";

/** Options of `serveRuns`, with the custom tasks, settings and model families of the runs. */
export interface ServeOptions extends CustomForms {
  /** Default: any free port. */
  readonly port?: number;
  /** Title of the report. */
  readonly title?: string;
  /** HTML document of merged results; default: the report. */
  readonly page?: (results: readonly StoredResult[]) => Promise<string>;
}

/**
 * Serves the report of runs to browsers on this machine while they go on: the state of all shards, which
 * reloads itself, and the report of the runs that are merged. Changes nothing in the folders.
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
  let cached: { readonly version: string; readonly text: Promise<string> } | undefined;
  const reportOf = (runs: readonly RunStatus[], version: string) => {
    if (cached?.version !== version) {
      const merged = runs.filter(isMerged).map(({ folder }) => folder);
      cached = { version, text: runResults(merged).then(write) };
    }
    return cached.text;
  };
  await statusOf();
  return serveOnLoopback(async (path, query) => {
    const runs = await statusOf();
    const version = await versionOf(runs);
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

const isMerged = ({ cells }: RunStatus) => cells.every(({ merged }) => merged);

/** Version of the merged results, which changes when one is written; undefined without any. */
async function versionOf(runs: readonly RunStatus[]): Promise<string | undefined> {
  const times: string[] = [];
  for (const { folder, cells } of runs.filter(isMerged)) {
    for (const { record } of cells) {
      const { newest, bytes } = await sizeBelow(join(cellFolder(folder, record), "result.json"));
      times.push(`${record.identity} ${newest.getTime()} ${bytes}`);
    }
  }
  return times.length === 0 ? undefined : sha256Hex(times.join("\n")).slice(0, 16);
}
