import { createHash } from "node:crypto";
import { readPackageFile, version } from "../base/package.ts";
import type { PageData } from "./chart-data.ts";
import { embeddedJson, Html, html } from "./html.ts";
import { chartsOf, panelSection } from "./panel-section.ts";
import { panelId, panelPart } from "./panels.ts";
import { provenanceSection } from "./provenance.ts";
import type { Report, ReportPanel } from "./report.ts";

/** The bundle of `client/`: what `vite build` makes of it. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/**
 * The whole report as one HTML file that opens from disk: tables that need no script, charts drawn from numbers in the
 * page, nothing loaded from anywhere. Every text of a result is escaped; the page's own rules forbid any other script.
 */
export function renderPage(report: Report, { script, style }: PageAssets): string {
  const charts = report.panels.map(chartsOf);
  const data: PageData = {
    accuracies: charts.flatMap(({ accuracies }) => accuracies),
    differences: charts.flatMap(({ differences }) => differences),
    ranked: charts.flatMap(({ ranked }) => ranked),
  };
  const code = withoutEndTags(script);
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(code)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="dart-eval ${version}">
<title>${report.title}</title>
<style>${new Html(style.replaceAll("</", "<\\/"))}</style>
</head>
<body>
<header>
<h1>${report.title}</h1>
${lead(report)}
</header>
${contents(report)}<main>
${report.panels.map(panelSection)}
${provenanceSection(report)}
</main>
<footer>
<p>Made by dart-eval ${version}. The page is complete in itself: it loads nothing and sends nothing.</p>
</footer>
<script type="application/json" id="page-data">${embeddedJson(data)}</script>
<script>${new Html(code)}</script>
</body>
</html>
`);
}

/** What the page holds, in one sentence. */
function lead({ panels }: Report): Html {
  const entries = panels.flatMap((panel) => panel.entries);
  const models = new Set(entries.map(({ result }) => result.cell.model.name)).size;
  const many = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
  return html`<p class="lead">${many(models, "model")} on ${many(new Set(panels.map(({ task }) => task)).size, "task")} of
the DART-Eval benchmark, with what each number rests on.</p>`;
}

/** Only this very script may run, by its digest; styles may stand in the page, since charts bring their own. */
function contentPolicy(script: string): string {
  const digest = createHash("sha256").update(script).digest("base64");
  return [
    "default-src 'none'",
    `script-src 'sha256-${digest}'`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** A script may not hold what ends it, nor what begins a comment in HTML; in its strings `\/` and `\!` say the same. */
function withoutEndTags(script: string): string {
  return script.replace(/<\/(script)/gi, "<\\/$1").replaceAll("<!--", "<\\!--");
}

/** The panels of one task, in the order of the page. */
interface Chapter {
  readonly title: string;
  readonly panels: readonly ReportPanel[];
}

/** A list of links to every panel, task by task; undefined where there is only one, which needs no list. */
function contents({ panels }: Pick<Report, "panels">): Html | undefined {
  if (panels.length < 2) return undefined;
  return html`<nav class="contents" aria-labelledby="contents">
<h2 id="contents">Contents</h2>
<ol>
${chaptersOf(panels).map(
  ({ title, panels: some }) =>
    html`<li><span>${title}</span><ul>${some.map(
      (panel) => html`<li><a href="#${panelId(panel)}">${panelPart(panel)}</a></li>`,
    )}</ul></li>\n`,
)}<li><a href="#provenance">Where the numbers come from</a></li>
</ol>
</nav>
`;
}

function chaptersOf(panels: readonly ReportPanel[]): Chapter[] {
  const chapters = new Map<string, ReportPanel[]>();
  for (const panel of panels) chapters.set(panel.task, [...(chapters.get(panel.task) ?? []), panel]);
  return [...chapters.values()].map((some) => ({ title: some[0].asked.title, panels: some }));
}

/** The page's script and style as the package ships them. */
export async function readPageAssets(): Promise<PageAssets> {
  const [script, style] = await Promise.all([
    readPackageFile("dist/report/client.js"),
    readPackageFile("dist/report/client.css"),
  ]);
  return { script, style };
}
