import type { Metric } from "../evaluation/tasks/measurement.ts";
import type { Protocol } from "../models/model.ts";
import { type Chapter, isSwitched, partOf, switchedProtocol } from "./chapters.ts";
import { BEST, type EntryComparison, entryComparison, isBest } from "./comparisons.ts";
import { ARROWS, abbreviationsIn } from "./estimates.ts";
import {
  chanceOf,
  type ForestScale,
  forestAxis,
  forestMark,
  intervalSource,
  publishedMain,
} from "./forest.ts";
import { attribute, type Html, html } from "./html.ts";
import { pOf } from "./leaderboard.ts";
import { count, fixed, pValue, UNDEFINED } from "./numbers.ts";
import { type Entry, panelId } from "./panels.ts";
import type { ReportPanel } from "./report.ts";

/** Leaderboard of a task with forest plots of all settings on one scale, and its legend. */
export function boardSection(chapter: Chapter): Html {
  const { heading, panels, scale } = chapter;
  const columns = boardColumns(panels);
  return html`<div class="scroll" role="region" aria-label="Leaderboard: ${heading.title}" tabindex="0">
<table class="board">
<caption class="visually-hidden">${heading.title}: models by setting, best first</caption>
<thead><tr><th scope="col" class="word">model</th><th scope="col" class="plot-column" data-sort="none"><span class="visually-hidden">forest plot</span>${forestAxis(scale)}</th>${columns.map(({ heading, name }) => html`<th scope="col" class="number ${name}">${heading}</th>`)}</tr></thead>
${panels.map((panel) => boardRows(panel, chapter, columns))}</table>
</div>
${boardLegend(chapter, columns)}`;
}

/** A column of numbers of a leaderboard. */
interface BoardColumn {
  readonly heading: string;
  /** CSS class of the heading. */
  readonly name: string;
  /** Contents of the column, for the legend; undefined where the heading says it. */
  readonly legend?: string;
  cell(entry: Entry, compared: EntryComparison | undefined): Html | string;
}

/** Columns of a task's leaderboard; those that would be empty are left out. */
function boardColumns(panels: readonly ReportPanel[]): readonly BoardColumn[] {
  const entries = panels.flatMap((panel) => panel.entries);
  const isCompared = panels.some((panel) =>
    panel.entries.some((entry) => entryComparison(panel.comparison, entry) !== undefined),
  );
  const tests = new Map<string, Protocol>();
  for (const { result, protocol } of entries) {
    for (const { title } of pOf(result)) if (tests.get(title) !== "corrected") tests.set(title, protocol);
  }
  const isPartly = entries.some((entry) => usedRows(entry) !== undefined);
  return [
    {
      heading: "value, 95 % interval",
      name: "value-column",
      cell: ({ main }) =>
        main.value === null
          ? UNDEFINED
          : html`<span class="figure">${fixed(main.value)}</span> ${bounds(main)}`,
    },
    ...(isCompared
      ? [
          {
            heading: "behind the best",
            name: "behind-column",
            legend: "difference from the best on the same rows, 95 % interval",
            cell: (_: Entry, compared: EntryComparison | undefined) => behind(compared),
          },
          {
            heading: "P(best)",
            name: "best-column",
            legend: "probability that the true value is the best of the models on the same rows",
            cell: (_: Entry, compared: EntryComparison | undefined) =>
              compared?.model.best == null ? UNDEFINED : fixed(compared.model.best, 2),
          },
        ]
      : []),
    ...(tests.size > 0
      ? [
          {
            heading: "p vs chance",
            name: "p-column",
            legend: [...tests]
              .map(([title, protocol]) =>
                tests.size > 1 && protocol === "paper" ? `under the paper protocol, ${title}` : title,
              )
              .join("; "),
            cell: ({ result }: Entry) => {
              const [test] = pOf(result);
              return test?.value == null ? UNDEFINED : pValue(test.value);
            },
          },
        ]
      : []),
    {
      heading: "rows",
      name: "rows-column",
      ...(isPartly ? { legend: "rows that the metric is defined on, of the evaluated rows" } : {}),
      cell: (entry) => {
        const [used, selected] = [usedRows(entry), count(entry.result.rows.selected)];
        return used === undefined
          ? selected
          : html`${count(used)} <span class="detail">of ${selected}</span>`;
      },
    },
  ];
}

/** Rows that the main metric is defined on, such as those of peaks; undefined if they are all rows. */
function usedRows({ main: { intervals }, result: { rows } }: Entry): number | undefined {
  const n = intervals[0]?.n;
  return n !== undefined && n < rows.selected ? n : undefined;
}

/** Symbols, columns and abbreviations of a leaderboard. */
function boardLegend({ panels }: Chapter, columns: readonly BoardColumn[]): Html {
  const entries = panels.flatMap((panel) => panel.entries);
  const hasBest = panels.some(({ comparison, entries: some }) => some.some((one) => isBest(comparison, one)));
  const hasPublished = panels.some((panel) =>
    panel.entries.some((entry) => publishedMain(panel.published, entry) !== undefined),
  );
  const items: (readonly [term: string, text: string])[] = [
    ...(entries.some(({ main }) => chanceOf(main) !== undefined) ? [["dotted line", "chance"] as const] : []),
    ...(hasPublished ? [["diamond", "published value"] as const] : []),
    ...(hasBest ? [["bold", BEST] as const] : []),
    ...columns.flatMap(({ heading, legend }) => (legend === undefined ? [] : [[heading, legend] as const])),
    ...(entries.some(({ main }) => main.intervals[0]?.basis?.unreliable !== undefined)
      ? [["†", "interval not reliable: too few rows or blocks"] as const]
      : []),
  ];
  return html`<ul class="key">${items.map(([term, text]) => html`<li><span><b>${term}</b>: ${text}</span></li>`)}${abbreviationsIn(
    entries.map(({ main }) => main.title),
  ).map((text) => html`<li>${text}</li>`)}</ul>`;
}

function boardRows(panel: ReportPanel, chapter: Chapter, columns: readonly BoardColumn[]): Html {
  const { main } = panel.entries[0];
  const chance = chanceOf(main);
  const id = panelId(panel);
  const facts = [
    `${main.title}${main.better === "neither" ? "" : ` ${ARROWS[main.better]}`}`,
    ...(chance === undefined ? [] : [`chance ${Number(chance.toFixed(3))}`]),
  ];
  return html`<tbody>
<tr class="setting" id="${id}"><th scope="rowgroup" colspan="${columns.length + 2}"><a href="#${id}-details">${partOf(chapter, panel)}</a> <span class="detail">${facts.join(", ")}</span></th></tr>
${panel.entries.map((entry) => boardRow(panel, entry, chapter.scale, columns))}</tbody>
`;
}

function boardRow(
  panel: ReportPanel,
  entry: Entry,
  scale: ForestScale,
  columns: readonly BoardColumn[],
): Html {
  const { label, control, main } = entry;
  const published = publishedMain(panel.published, entry);
  const compared = entryComparison(panel.comparison, entry);
  const protocol = isSwitched(panel) ? switchedProtocol(entry, panel) : undefined;
  return html`<tr data-model="${label}"${attribute("data-protocol", protocol)}${attribute("class", compared?.model.tier === 1 ? "best" : undefined)}><th scope="row">${label}${control === undefined ? undefined : html` <span class="detail">control: ${control}</span>`}</th><td class="plot-column" title="${intervalSource(main)}">${forestMark({ main, published }, scale)}</td>${columns.map(
    ({ cell }) => html`<td class="number">${cell(entry, compared)}</td>`,
  )}</tr>
`;
}

/** Difference to the best model with its interval. */
function behind(compared: EntryComparison | undefined): Html | string {
  if (compared?.toBest === undefined) return UNDEFINED;
  const { value, difference } = compared.toBest;
  return html`${fixed(value)} <span class="detail">${difference === null ? undefined : `[${fixed(difference.low)}, ${fixed(difference.high)}]`}</span>`;
}

/** Printed interval, with a dagger if it is not reliable. */
function bounds({ intervals: [printed] }: Metric): Html | undefined {
  if (printed === undefined) return undefined;
  const { low, high, basis } = printed;
  return html`<span class="detail">[${fixed(low)}, ${fixed(high)}]${
    basis?.unreliable === undefined
      ? undefined
      : html`<abbr title="interval not reliable: ${basis.unreliable}">†</abbr>`
  }</span>`;
}
