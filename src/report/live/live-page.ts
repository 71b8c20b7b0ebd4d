import { createHash } from "node:crypto";
import { counted } from "../../base/message-text.ts";
import { cellTitle } from "../../evaluation/runs/cell.ts";
import type { CellStatus, RunStatus } from "../../evaluation/runs/run-status.ts";
import { Html, html } from "../html.ts";
import { cellLines } from "../status-text.ts";

/** Seconds after which a page of a running run loads itself again. */
const REFRESH = 3;

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; }
main { padding: 1rem; }
h1 { font-size: 1.25rem; margin: 0 0 0.5rem; }
section { margin: 0 0 1rem; }
h2 { font-size: 1rem; margin: 0; }
progress { width: 20rem; max-width: 100%; }
pre { font: 13px/1.4 ui-monospace, monospace; margin: 0.25rem 0 0; white-space: pre-wrap; }
.frames { display: flex; flex-direction: column; height: 100vh; }
iframe { border: 0; border-bottom: 1px solid GrayText; width: 100%; }
iframe.status { height: 12rem; }
iframe.report { flex: 1; }
`;

const styleSource = `'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`;

/** Policy of the pages of this file: their style, and frames of this server. */
export const LIVE_POLICY = `default-src 'none'; style-src ${styleSource}; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'`;

function page(title: string, refresh: boolean, body: Html): string {
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${refresh ? html`<meta http-equiv="refresh" content="${REFRESH}">` : undefined}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
${body}
</html>
`);
}

/** True if shards are left to run or cells to merge. */
const isUnfinished = (runs: readonly RunStatus[]): boolean =>
  runs.some(({ cells }) => cells.some(({ merged }) => !merged));

/** True if all shards of a cell are done. */
const isDone = ({ shards }: CellStatus): boolean =>
  shards.length > 0 && shards.every(({ phase }) => phase === "done");

/**
 * Page with the state of some runs; loads itself again until everything is merged.
 * @param hasNewResults  a link to the new report is shown
 */
export function statusPage(runs: readonly RunStatus[], hasNewResults: boolean): string {
  const cells = runs.flatMap((run) => run.cells);
  const merged = cells.filter((cell) => cell.merged).length;
  const complete = cells.filter((cell) => !cell.merged && isDone(cell)).length;
  return page(
    "Progress",
    isUnfinished(runs),
    html`<body><main>
<h1>${merged} of ${counted(cells.length, "cell")} merged${complete > 0 ? `, ${complete} more complete` : ""}</h1>
${hasNewResults ? html`<p><a href="/" target="_top">New results: load the report</a></p>\n` : undefined}${cells.map(cellSection)}</main></body>`,
  );
}

function cellSection(cell: CellStatus): Html {
  const { record, name, rowsDone } = cell;
  const title = `${cellTitle(record.cell)}, ${record.cell.protocol} protocol`;
  return html`<section>
<h2 id="cell-${name}">${title}</h2>
<progress max="${record.rows.selected}" value="${rowsDone}" aria-labelledby="cell-${name}"></progress>
<pre>${cellLines(cell).join("\n")}</pre>
</section>
`;
}

/** Page with the state of the runs above their report. @param seen  version of the shown results */
export function framesPage(title: string, seen: string): string {
  return page(
    title,
    false,
    html`<body><div class="frames">
<iframe class="status" title="Progress" src="/status?seen=${encodeURIComponent(seen)}"></iframe>
<iframe class="report" title="Report" src="/report"></iframe>
</div></body>`,
  );
}
