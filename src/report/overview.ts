import { findSetting } from "../evaluation/runs/forms.ts";
import {
  type Chapter,
  chapterId,
  firstProtocol,
  isSwitched,
  settingsOf,
  switchedProtocol,
} from "./chapters.ts";
import { BEST, isBest } from "./comparisons.ts";
import { abbreviationsIn, figureText, metricLabel } from "./estimates.ts";
import type { FileFigure, HeatChart } from "./figure-data.ts";
import { chanceOf, forestMark, intervalSource, markText, publishedMain } from "./forest.ts";
import { attribute, type Html, html } from "./html.ts";
import { count, fixed, UNDEFINED } from "./numbers.ts";
import { type Entry, panelId } from "./panels.ts";
import type { Report, ReportPanel } from "./report.ts";
import { taskVerdict } from "./verdicts.ts";

/** Column of the heat map: a task, or one of its data sets. */
interface MapColumn {
  readonly chapter: Chapter;
  readonly dataset: string | undefined;
}

/** Results of one model in one column and setting. */
interface MapCell {
  readonly panel: ReportPanel;
  /** One, or one per protocol. */
  readonly entries: readonly Entry[];
}

/** First view of the page: a verdict on each task, and a heat map of models × tasks by setting. */
export function overviewSection(report: Report, chapters: readonly Chapter[], lead: Html): Html {
  return html`<section class="view" id="overview" aria-labelledby="overview-title">
<h1 id="overview-title">${report.title}</h1>
${lead}
<dl class="verdicts">${chapters.map((chapter) => {
    const { part, sentence } = taskVerdict(chapter);
    return html`<div><dt><a href="#${chapterId(chapter.task)}">${chapter.heading.title}</a> <span class="detail">${part}</span></dt><dd>${sentence}</dd></div>
`;
  })}</dl>
${heatMap(chapters)}
</section>
`;
}

const mapColumns = (chapters: readonly Chapter[]): readonly MapColumn[] =>
  chapters.flatMap((chapter) =>
    [...new Set(chapter.panels.map(({ dataset }) => dataset))].map((dataset) => ({ chapter, dataset })),
  );

/** The heat map as a figure: a chart per setting, models × tasks. */
export function overviewFigure(chapters: readonly Chapter[]): FileFigure {
  const columns = mapColumns(chapters);
  const panels = chapters.flatMap((chapter) => chapter.panels);
  const names = columns.map(({ chapter: { heading }, dataset }) =>
    dataset === undefined ? heading.title : `${heading.title}, ${dataset}`,
  );
  return {
    id: "overview",
    title: "Main metric of each model, by task and setting",
    caption: `Darker: interval further from chance. Bold: ${BEST}. *: interval not reliable.`,
    x: { label: "" },
    y: { label: "" },
    charts: settingsOf(panels).map((setting): HeatChart => {
      const rows = mapRows(
        columns,
        panels.filter((panel) => panel.setting === setting),
      );
      return {
        kind: "heat",
        title: setting,
        columns: names.filter((_, c) => rows.some(({ cells }) => cells[c] !== undefined)),
        rows: rows.map(({ label }) => label),
        cells: rows.flatMap(({ label, cells }) =>
          cells.flatMap((cell, c) => {
            if (cell === undefined) return [];
            const entry = shown(cell);
            return {
              row: label,
              column: names[c],
              text: figureText(entry.main),
              share: Math.min(1, Math.max(0, certainShareOf(entry) ?? 0)),
              ...(isBest(cell.panel.comparison, entry) ? { best: true as const } : {}),
            };
          }),
        ),
      };
    }),
  };
}

function heatMap(chapters: readonly Chapter[]): Html {
  const columns = mapColumns(chapters);
  const panels = chapters.flatMap((chapter) => chapter.panels);
  const settings = settingsOf(panels);
  const withDatasets = columns.some(({ dataset }) => dataset !== undefined);
  const withPublished = panels.some((panel) =>
    panel.entries.some((entry) => publishedMain(panel.published, entry) !== undefined),
  );
  return html`<ul class="key">
<li><svg class="swatch" aria-hidden="true">${[0, 1, 2, 3].map((step) => html`<rect x="${6.5 * step}" width="6.5" height="14" style="--heat:${33 * step}%"/>`)}</svg>darker: interval further from chance</li>
<li><svg class="swatch" aria-hidden="true"><line class="interval" x1="1" x2="25" y1="50%" y2="50%"/><circle class="value" cx="13" cy="50%" r="4"/></svg>value and 95 % interval</li>
<li><svg class="swatch" aria-hidden="true"><line class="chance" x1="13" x2="13" y1="0" y2="100%"/></svg>chance</li>
${withPublished ? html`<li><svg class="swatch" aria-hidden="true"><path class="published" d="M8 7 13 2 18 7 13 12Z"/></svg>published value</li>` : undefined}
<li><span><b>bold</b>: ${BEST}</span></li>
<li><span><b>order</b>: sum of these distances over the tasks</span></li>
${abbreviationsIn(panels.flatMap(({ entries }) => entries.map(({ main }) => main.title))).map((text) => html`<li>${text}</li>`)}
</ul>
<div class="scroll" role="region" aria-label="Main metric of each model and task" tabindex="0">
<table class="map">
<caption class="visually-hidden">Main metric of each model, by task and setting</caption>
<thead>
<tr><th scope="col"><span class="visually-hidden">Model</span></th>${chapters.map(
    ({ task, heading, panels: some }) => {
      const width = new Set(some.map(({ dataset }) => dataset)).size;
      return html`<th scope="${width > 1 ? "colgroup" : "col"}" colspan="${width}"><a href="#${chapterId(task)}">${heading.title}</a></th>`;
    },
  )}</tr>
${
  withDatasets
    ? html`<tr class="datasets"><td></td>${columns.map(({ dataset }) =>
        dataset === undefined ? html`<td></td>` : html`<th scope="col">${dataset}</th>`,
      )}</tr>`
    : undefined
}</thead>
${settings.map((setting) => settingRows(setting, columns, panels))}</table>
</div>`;
}

function settingRows(setting: string, columns: readonly MapColumn[], panels: readonly ReportPanel[]): Html {
  const ofSetting = panels.filter((panel) => panel.setting === setting);
  const rows = mapRows(columns, ofSetting);
  const title = findSetting(setting, ofSetting[0].forms)?.title;
  const metricIn = ({ chapter, dataset }: MapColumn) =>
    ofSetting.find((panel) => panel.task === chapter.task && panel.dataset === dataset)?.entries[0].main;
  return html`<tbody>
<tr class="setting"><th scope="rowgroup"${attribute("title", title)}>${setting}</th>${columns.map(
    (column) => {
      const metric = metricIn(column);
      return html`<td>${metric === undefined ? undefined : metricLabel(metric)}</td>`;
    },
  )}</tr>
${rows.map(
  ({ label, cells }) =>
    html`<tr data-model="${label}"><th scope="row">${label}</th>${cells.map((cell, c) => mapCell(cell, columns[c].chapter))}</tr>\n`,
)}</tbody>
`;
}

/** Models with their cell in each column, best first. @param panels  of one setting */
function mapRows(columns: readonly MapColumn[], panels: readonly ReportPanel[]) {
  const labels = [...new Set(panels.flatMap(({ entries }) => entries.map(({ label }) => label)))];
  return labels
    .map((label) => ({ label, cells: columns.map((column) => cellOf(label, column, panels)) }))
    .toSorted(
      (a, b) => certainShares(b.cells) - certainShares(a.cells) || lowerShare(b.cells) - lowerShare(a.cells),
    );
}

/** The panel with the most rows, if a model has several of a name: others are of other data or rows. */
function cellOf(label: string, column: MapColumn, panels: readonly ReportPanel[]): MapCell | undefined {
  const found = panels
    .filter((panel) => panel.task === column.chapter.task && panel.dataset === column.dataset)
    .map((panel) => ({ panel, entries: panel.entries.filter((entry) => entry.label === label) }))
    .filter(({ entries }) => entries.length > 0);
  return found.toSorted((a, b) => rowsOf(b) - rowsOf(a))[0];
}

const rowsOf = ({ entries }: MapCell) => entries[0].result.rows.selected;

/**
 * Position of a value between chance, 0, and a perfect value, 1; negative below chance, undefined without a
 * direction.
 */
function shareOf({ main }: Entry, value: number | null = main.value): number | undefined {
  if (value === null || main.better !== "higher") return undefined;
  const chance = chanceOf(main) ?? 0;
  return (value - chance) / (1 - chance);
}

/**
 * Position of the interval's bound nearest to chance, 0 if the interval contains chance, so that results of
 * few rows are pale. Without an interval, the position of the value.
 */
function certainShareOf(entry: Entry): number | undefined {
  const [interval] = entry.main.intervals;
  const share = shareOf(entry);
  if (interval === undefined || share === undefined) return share;
  const [low = 0, high = 0] = [shareOf(entry, interval.low), shareOf(entry, interval.high)];
  return Math.max(0, low) + Math.min(0, high);
}

/**
 * Sum of a model's colour strengths, by which models are ordered. Missing results add 0, and results of few
 * rows little.
 */
const certainShares = (cells: readonly (MapCell | undefined)[]): number =>
  cells.reduce((sum, cell) => sum + (cell === undefined ? 0 : (certainShareOf(shown(cell)) ?? 0)), 0);

/** Mean position of the lower bounds of a model's intervals, by which models without colours are ordered. */
function lowerShare(cells: readonly (MapCell | undefined)[]): number {
  const shares = cells.flatMap((cell) => {
    if (cell === undefined) return [];
    const entry = shown(cell);
    return shareOf(entry, entry.main.intervals[0]?.low ?? entry.main.value) ?? [];
  });
  return shares.length === 0
    ? Number.NEGATIVE_INFINITY
    : shares.reduce((sum, one) => sum + one, 0) / shares.length;
}

/** Entry of a cell's first protocol. */
const shown = ({ panel, entries }: MapCell): Entry => firstProtocol({ entries })[0] ?? panel.entries[0];

function mapCell(cell: MapCell | undefined, { scale }: Chapter): Html {
  if (cell === undefined) return html`<td class="empty">${UNDEFINED}</td>`;
  const { panel, entries } = cell;
  return html`<td>${entries.map((entry) => {
    const { main, result } = entry;
    const published = publishedMain(panel.published, entry);
    const share = certainShareOf(entry);
    const rows = panel.apart === undefined ? "" : `${count(result.rows.selected)} rows`;
    const title = [
      markText({ main, published }),
      intervalSource(main),
      `${count(result.rows.selected)} rows, ${entry.protocol} protocol`,
    ];
    const protocol = isSwitched(panel) ? switchedProtocol(entry, panel) : undefined;
    return html`<a href="#${panelId(panel)}"${attribute("data-protocol", protocol)} class="cell${isBest(panel.comparison, entry) ? " best" : ""}${share !== undefined && share < 0 ? " below" : ""}" style="--heat:${(100 * Math.min(1, Math.abs(share ?? 0))).toFixed(0)}%" title="${title.filter((part) => part !== "").join("\n")}">
<span class="figure">${main.value === null ? UNDEFINED : fixed(main.value)}</span>${forestMark({ main, published }, scale)}${rows === "" ? undefined : html`<span class="rows">${rows}</span>`}</a>`;
  })}</td>`;
}
