import { counted } from "../base/message-text.ts";
import { findSetting } from "../evaluation/runs/forms.ts";
import { boardSection } from "./board.ts";
import { type Chapter, chapterId, partOf } from "./chapters.ts";
import { differingTable } from "./comparison-tables.ts";
import { pairMatrix } from "./comparisons.ts";
import { methodName } from "./estimates.ts";
import type { PanelFigure } from "./figure-data.ts";
import { figuresSection } from "./figures.ts";
import { attribute, type Html, html, htmlTable } from "./html.ts";
import { intervalsTable } from "./intervals-table.ts";
import { panelNotes } from "./leaderboard.ts";
import { logoTable } from "./logos.ts";
import { measurementsTable, quantilesTable } from "./measurements-table.ts";
import { motifTables } from "./motifs.ts";
import { type Entry, panelId } from "./panels.ts";
import { partsTables } from "./parts-tables.ts";
import { dataText } from "./provenance.ts";
import { publishedTable } from "./published-table.ts";
import { quirksOf, quirksTable, scoreQuirksTable } from "./quirks-table.ts";
import type { ReportPanel } from "./report.ts";
import type { PackedRows } from "./row-sets.ts";
import { strataTables } from "./strata-tables.ts";
import type { Table } from "./table.ts";
import { trainingTable } from "./training.ts";
import { verdict } from "./verdicts.ts";

/** Figures and rows of the panels, which the page has elsewhere. */
interface PanelParts {
  readonly figures: ReadonlyMap<ReportPanel, readonly PanelFigure[]>;
  readonly rows: ReadonlyMap<string, PackedRows>;
}

/**
 * View of one task: a leaderboard with forest plots of all settings on one scale, then folded details of each
 * panel.
 */
export function taskSection(chapter: Chapter, parts: PanelParts): Html {
  const { task, heading, panels } = chapter;
  const id = chapterId(task);
  return html`<section class="view" id="${id}" aria-labelledby="${id}-title">
<h1 id="${id}-title">${heading.title}</h1>
<p class="lead">${heading.question}${chapter.dataset === undefined ? undefined : html` Data: ${chapter.dataset}.`}</p>
${boardSection(chapter)}
${panels.map((panel, i) => panelDetails(panel, partOf(chapter, panel), parts, i === 0))}</section>
`;
}

/** Figures and tables of one panel, folded unless they are the task's first. */
function panelDetails(
  panel: ReportPanel,
  title: string,
  { figures, rows }: PanelParts,
  isOpen: boolean,
): Html {
  const id = `${panelId(panel)}-details`;
  const setting = findSetting(panel.setting, panel.forms)?.description;
  const published = publishedTable(panel.published, panel);
  const notes = panelNotes(panel);
  const parts = partsTables(panel);
  const confusions = parts.filter(({ heat }) => heat);
  const rowSet = rows.get(panelId(panel))?.set;
  return html`<details class="panel" id="${id}"${isOpen ? html` open` : undefined}>
<summary><h2>${capital(title)}</h2></summary>
<p class="verdict">${verdict(panel)}</p>
${setting === undefined ? undefined : html`<p>${setting}</p>`}
<p class="quiet">${dataText(panel.entries, panel.forms)}${rowSet === undefined ? undefined : html` <a href="#${rowSet.id}">All rows</a>`}</p>
${notes.length === 0 ? undefined : html`<details><summary>${counted(notes.length, "note")}</summary><ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul></details>`}
${figuresSection(figures.get(panel) ?? [])}
${confusions.length === 0 ? undefined : html`<h3>Confusion</h3>\n<div class="confusions">${confusions.map((table) => htmlTable(table))}</div>`}
${panel.comparison.map((group) => {
  const matrix = pairMatrix(group);
  return matrix === undefined
    ? undefined
    : html`<details${attribute("data-protocol", panel.comparison.length > 1 ? group.protocol : undefined)}><summary><h3>Pairs of models</h3></summary>${matrix}</details>`;
})}
${folded("Differences between the runs", differingTables(panel))}
${folded("Other metrics", [measurementsTable(panel), quantilesTable(panel), ...parts.filter(({ heat }) => !heat)])}
${folded("Strata", strataTables(panel, panel.strata))}
${folded("Motifs", motifTables(panel), logoTable(panel))}
${folded("Training runs", [trainingTable(panel)])}
${folded("Published values", [published])}
${published === undefined ? panel.published.reasons.map((reason) => html`<p class="quiet">${reason}</p>`) : undefined}
${protocols(panel)}
${folded("Confidence intervals", [intervalsTable(panel)], html`<p>${intervalsParagraph(panel.entries)}</p>`)}
</details>
`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Folded tables below a heading; undefined without tables. */
function folded(title: string, tables: readonly (Table | undefined)[], lead?: Html): Html | undefined {
  const present = tables.filter((table) => table !== undefined);
  if (present.length === 0) return undefined;
  return html`<details>
<summary><h3>${title}</h3></summary>
${lead}
${present.map((table) => htmlTable(table, title))}
</details>`;
}

/** Differences between the runs, once if it is the same under both protocols. */
function differingTables({ comparison }: ReportPanel): readonly Table[] {
  const tables = new Map<string, Table>();
  for (const group of comparison) {
    const table = differingTable(group);
    if (table === undefined) continue;
    const key = JSON.stringify(table);
    const isSame = tables.size === 0 || tables.has(key);
    tables.set(key, isSame ? table : { ...table, caption: `${table.caption}, ${group.protocol} protocol` });
  }
  return [...tables.values()];
}

function protocols(panel: ReportPanel): Html | undefined {
  const lead = html`<p>The <strong>paper</strong> protocol reproduces the original's scripts, defects included; the <strong>corrected</strong>
protocol follows the description in its paper. A quirk is a difference between the two, with its number in docs/quirks.md:</p>
<dl class="facts-list terms">${quirksOf(panel).map(({ label, description }) => html`<dt>${label}</dt><dd>${description}</dd>`)}</dl>`;
  return folded("Paper and corrected protocol", [quirksTable(panel), scoreQuirksTable(panel)], lead);
}
/** Method of the printed interval under each protocol, and the recommended interval. */
function intervalsParagraph(entries: readonly Entry[]): string {
  const printed = new Map(
    entries.flatMap(({ protocol, main }) =>
      main.intervals.slice(0, 1).map(({ method }) => [protocol, methodName(method)] as const),
    ),
  );
  const sentences = [...printed].map(
    ([protocol, method]) => `Printed interval under the ${protocol} protocol: ${method}.`,
  );
  const reason = entries.some(({ main }) =>
    main.intervals.some(({ method }) => method.startsWith("background-")),
  )
    ? "Both strands of a background, and all motifs inserted into it, share its sequence"
    : "Neighbouring elements are correlated";
  return `${sentences.join(" ")} ${reason}, so the effective sample size is smaller than the number of rows. Prefer an interval over blocks or backgrounds, which accounts for this.`;
}
