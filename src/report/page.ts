import { createHash } from "node:crypto";
import { counted } from "../base/message-text.ts";
import { readPackageFile, version } from "../base/package.ts";
import { allTasks, type CustomForms } from "../evaluation/runs/forms.ts";
import type { PageData } from "./chart-data.ts";
import { embeddedJson, Html, html } from "./html.ts";
import { chartsOf, panelSection } from "./panel-section.ts";
import { panelId, panelPart } from "./panels.ts";
import { provenanceSection } from "./provenance.ts";
import type { Report, ReportPanel } from "./report.ts";

/** Bundle of `client/`, built by vite. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/**
 * Report as one self-contained HTML file, with tables that need no script and charts drawn from embedded
 * data. Text of results is escaped, and the content security policy forbids other scripts.
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
<p>Made by dart-eval ${version}. This page is self-contained: it loads nothing and sends nothing.</p>
</footer>
<script type="application/json" id="page-data">${embeddedJson(data)}</script>
<script>${new Html(code)}</script>
</body>
</html>
`);
}

/** Numbers of models and tasks, in one sentence. */
function lead({ panels }: Report): Html {
  const models = new Set(
    panels.flatMap(({ entries }) => entries.map(({ result }) => result.cell.model.name)),
  );
  const tasks = new Map(panels.map(({ task, forms }) => [task, isOfBenchmark(task, forms)]));
  const ofBenchmark = [...tasks.values()].filter((known) => known).length;
  const custom = tasks.size - ofBenchmark;
  const parts = [
    ...(ofBenchmark === 0 ? [] : [`${counted(ofBenchmark, "task")} of the DART-Eval benchmark`]),
    ...(custom === 0 ? [] : [counted(custom, "custom task")]),
  ];
  return html`<p class="lead">${counted(models.size, "model")} on ${parts.join(" and ")}.</p>`;
}

const isOfBenchmark = (task: string, forms: CustomForms | undefined): boolean =>
  !(forms?.tasks ?? []).some(({ name }) => name === task) && allTasks().some(({ name }) => name === task);

/** Allows only this script, by its digest, and inline styles, which charts use. */
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

/** Escapes end tags and HTML comments in a script, where they can only occur in strings. */
function withoutEndTags(script: string): string {
  return script.replace(/<\/(script)/gi, "<\\/$1").replaceAll("<!--", "<\\!--");
}

/** Panels of one task, in page order. */
interface Chapter {
  readonly title: string;
  readonly panels: readonly ReportPanel[];
}

/** Links to every panel by task; undefined for a single panel. */
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
)}<li><a href="#provenance">Provenance</a></li>
</ol>
</nav>
`;
}

function chaptersOf(panels: readonly ReportPanel[]): Chapter[] {
  const chapters = new Map<string, ReportPanel[]>();
  for (const panel of panels) chapters.set(panel.task, [...(chapters.get(panel.task) ?? []), panel]);
  return [...chapters.values()].map((some) => ({ title: some[0].heading.title, panels: some }));
}

/** Reads the page's script and style from the package. */
export async function readPageAssets(): Promise<PageAssets> {
  const [script, style] = await Promise.all([
    readPackageFile("dist/report/client.js"),
    readPackageFile("dist/report/client.css"),
  ]);
  return { script, style };
}
