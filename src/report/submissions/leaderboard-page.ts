import { createHash } from "node:crypto";
import { cellName, evaluatedData } from "../../evaluation/runs/cell.ts";
import { type CustomForms, findTask } from "../../evaluation/runs/forms.ts";
import { Html, html, htmlTable } from "../html.ts";
import { leaderboardTable } from "../leaderboard.ts";
import { count } from "../numbers.ts";
import { panelsOf, panelTitle } from "../panels.ts";
import { markdownTable, type Table } from "../table.ts";
import { ENTRIES, type LeaderboardEntry } from "./entry.ts";

/** Tables of a leaderboard: one per task, data and setting, best first. */
function tablesOf(entries: readonly LeaderboardEntry[], forms?: CustomForms): readonly Table[] {
  const results = entries.map(({ result }) => ({ folder: "", result, timing: [] }));
  return panelsOf(results, forms).map((panel) =>
    leaderboardTable(panel, panelTitle(findTask(panel.task, forms)?.title ?? panel.task, panel)),
  );
}

/** Files, digests and versions behind each entry. */
function provenanceTable(entries: readonly LeaderboardEntry[], forms?: CustomForms): Table {
  const headings = ["entry", "model", "checkpoint", "data", "rows", "result", "scores", "program"];
  return {
    caption: "Provenance",
    columns: headings.map((heading) => ({ heading, align: heading === "rows" ? "right" : "left" })),
    rows: entries.map(({ name, result, sha256, scores, programs }) => {
      const data = Object.entries(evaluatedData(result.cell, forms));
      const { identity, name: model } = result.cell.model;
      return [
        name,
        identity === null ? model : `${model} ${identity.slice(0, 24)}`,
        result.checkpoint ?? "not a published one",
        data
          .map(([input, digest]) => `${input} ${result.origins?.[input]?.source ?? digest.slice(0, 8)}`)
          .join(", "),
        count(result.rows.selected),
        sha256.slice(0, 16),
        scores === undefined ? "not stored" : scores.slice(0, 16),
        programs.join(", "),
      ];
    }),
    notes: [
      `Each entry is ${ENTRIES}/NAME.json, with every metric, interval and digest. The columns result and scores are the first digits of their SHA-256.`,
      "dart-eval verify FOLDER recomputes the metrics of entries whose scores are stored.",
    ],
  };
}

/** README.md of a leaderboard. */
export function leaderboardReadme(
  entries: readonly LeaderboardEntry[],
  title: string,
  forms?: CustomForms,
): string {
  const tables = [...tablesOf(entries, forms), provenanceTable(entries, forms)].map(markdownTable);
  return `${[`# ${title.replace(/\s+/g, " ").replace(/[\\`*_[\]<>#&]/g, "\\$&")}`, ...tables].join("\n\n")}\n`;
}

/** index.html of a leaderboard: tables without scripts. Its content security policy allows nothing else. */
export function leaderboardPage(
  entries: readonly LeaderboardEntry[],
  title: string,
  forms?: CustomForms,
): string {
  const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`;
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${tablesOf(entries, forms).map((table) => htmlTable(table))}
${htmlTable(provenanceTable(entries, forms))}
<h2>Entries</h2>
<ul>
${entries.map(({ name, result }) => html`<li><a href="${ENTRIES}/${encodeURIComponent(name)}.json">${name}</a> (cell ${cellName(result.identity)})</li>\n`)}</ul>
</main>
</body>
</html>
`);
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 80rem; padding: 1rem; }
.scroll { overflow-x: auto; margin: 2rem 0 0.5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { font-weight: 600; text-align: left; padding-bottom: 0.5rem; }
th, td { padding: 0.25rem 0.75rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); text-align: left; white-space: nowrap; }
td.number, th.number { text-align: right; }
.detail, .notes { opacity: 0.75; font-size: 0.875rem; }
`;
