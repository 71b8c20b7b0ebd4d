import { createHash } from "node:crypto";
import { counted } from "../base/message-text.ts";
import { readPackageFile, version } from "../base/package.ts";
import { allTasks, type CustomForms } from "../evaluation/runs/forms.ts";
import { type Chapter, chapterId, chaptersOf, isSwitched, partOf } from "./chapters.ts";
import { colourRules } from "./colours.ts";
import type { PageData } from "./figure-data.ts";
import { panelFigures } from "./figures.ts";
import { embeddedJson, Html, html } from "./html.ts";
import { logoSymbols } from "./logos.ts";
import { overviewSection } from "./overview.ts";
import { panelId } from "./panels.ts";
import { provenanceSection } from "./provenance.ts";
import { modelsOf, type Report } from "./report.ts";
import { packRows, rowsSection } from "./row-sets.ts";
import { taskSection } from "./task-section.ts";

/** Bundle of `client/`, built by vite. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/**
 * Report as one self-contained HTML file: an overview, a view per task, provenance. Without scripts all views
 * follow one another. Text of results is escaped, and the content security policy forbids other scripts.
 */
export function renderPage(report: Report, { script, style }: PageAssets): string {
  const chapters = chaptersOf(report);
  const panels = chapters.flatMap((chapter) => chapter.panels);
  const figures = new Map(panels.map((panel) => [panel, panelFigures(panel, panels)]));
  const rows = packRows(panels);
  const data: PageData = {
    models: modelsOf(report),
    figures: [...figures.values()].flat().map(({ caption: _, ...figure }) => figure),
    rowSets: [...rows.values()].map(({ set }) => set),
  };
  const code = withoutEndTags(script);
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(code)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="dart-eval ${version}">
<title>${report.title}</title>
<style>${new Html(colourRules)}${new Html(style.replaceAll("</", "<\\/"))}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the results</a>
${sidebar(chapters, rows.size > 0)}<main id="main" tabindex="-1">
${overviewSection(report, chapters, lead(report))}
${chapters.map((chapter) => taskSection(chapter, { figures, rows }))}
${rowsSection(rows)}
${provenanceSection(report)}
<footer>Written by dart-eval ${version}. This page loads nothing and sends nothing.</footer>
</main>
${panels.some(({ motifs, positions }) => motifs !== undefined || positions.size > 0) ? logoSymbols : undefined}<script type="application/json" id="page-data">${embeddedJson(data)}</script>
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
  return html`<p class="lead">${counted(models.size, "model")} on ${parts.join(" and ")}. Brackets: 95 % confidence intervals.</p>`;
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

/** Contents of the page with its controls: protocol, theme and model filter. */
function sidebar(chapters: readonly Chapter[], hasRows: boolean): Html {
  const bothProtocols = chapters.some(({ panels }) => panels.some(isSwitched));
  return html`<div class="sidebar">
<nav aria-label="Contents">
<ul class="contents">
<li><a href="#overview">Overview</a></li>
${chapters.map(
  (chapter) =>
    html`<li><a href="#${chapterId(chapter.task)}">${chapter.heading.title}</a><ul>${chapter.panels.map(
      (panel) => html`<li><a href="#${panelId(panel)}-details">${partOf(chapter, panel)}</a></li>`,
    )}</ul></li>
`,
)}${hasRows ? html`<li><a href="#rows">Rows</a></li>` : undefined}<li><a href="#provenance">Provenance</a></li>
</ul>
</nav>
<form class="controls" aria-label="Display">
${bothProtocols ? choice("Protocol", "protocol", ["corrected", "paper"]) : undefined}
${choice("Theme", "theme", ["auto", "light", "dark"])}
</form>
</div>
`;
}

/** Radio buttons, of which the style sheet reads the choice. The first is chosen. */
function choice(title: string, name: string, options: readonly string[]): Html {
  return html`<fieldset class="choice"><legend>${title}</legend>${options.map(
    (option, i) =>
      html`<label><input type="radio" name="${name}" value="${option}"${i === 0 ? html` checked` : undefined}><span>${option}</span></label>`,
  )}</fieldset>`;
}

/** Reads the page's script and style from the package. */
export async function readPageAssets(): Promise<PageAssets> {
  const [script, style] = await Promise.all([
    readPackageFile("dist/report/client.js"),
    readPackageFile("dist/report/client.css"),
  ]);
  return { script, style };
}
