import { findSetting } from "../evaluation/runs/forms.ts";
import type { AccuracyChart, AccuracyMark, DifferenceChart, PageData } from "./chart-data.ts";
import { basisText, intervalText, methodName } from "./estimates.ts";
import { type Html, html, htmlTable } from "./html.ts";
import { intervalsTable } from "./intervals-table.ts";
import { leaderboardTable } from "./leaderboard.ts";
import { lossCurves } from "./loss-curves.ts";
import { measurementsTable, quantilesTable } from "./measurements-table.ts";
import { motifChart, motifsSection } from "./motifs.ts";
import { count, fixed, UNDEFINED } from "./numbers.ts";
import { type Entry, panelId, panelTitle } from "./panels.ts";
import { partsTables } from "./parts-tables.ts";
import { dataText, splitText } from "./provenance.ts";
import { publishedTable } from "./published-table.ts";
import { quirksOf, quirksTable, scoreQuirksTable } from "./quirks-table.ts";
import type { ReportPanel } from "./report.ts";

/** Chance levels of metrics, for tasks that do not define one. */
const CHANCE: Readonly<Record<string, number>> = {
  "paired-accuracy": 0.5,
  accuracy: 0.5,
  auroc: 0.5,
  "spearman-peaks": 0,
};

/** Section of one panel: description, leaderboard, charts, further tables, published values and intervals. */
export function panelSection(panel: ReportPanel): Html {
  const { heading, entries } = panel;
  const title = panelTitle(heading.title, panel);
  const setting = findSetting(panel.setting, panel.forms)?.description;
  const id = panelId(panel);
  const quantiles = quantilesTable(panel);
  const others = measurementsTable(panel);
  const intervals = intervalsTable(panel);
  const published = publishedTable(panel.published, panel);
  const charts = chartsOf(panel);
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
<p>${heading.asks}</p>
${setting === undefined ? undefined : html`<p>${setting}</p>`}
<p class="quiet">${dataText(panel.entries, panel.forms)}</p>
${facts(panel)}

<h3>Leaderboard</h3>
${htmlTable(leaderboardTable(panel, `${title}: best first`))}
${charts.accuracies.map((chart) => accuracyFigure(chart))}

${charts.differences.length === 0 ? undefined : differenceFigure(panel, charts.differences)}
${quantiles === undefined ? undefined : htmlTable(quantiles)}
${others === undefined ? undefined : htmlTable(others)}
${partsTables(panel).map((table) => htmlTable(table))}
${motifsSection(panel, charts.ranked[0], placeholder)}
${lossCurves(panel)}

${published === undefined ? undefined : html`<h3>Published values</h3>\n${htmlTable(published)}`}
${published === undefined ? panel.published.reasons.map((reason) => html`<p class="quiet">${reason}</p>`) : undefined}
${protocols(panel)}

${
  intervals === undefined
    ? undefined
    : html`<h3>Confidence intervals</h3>
<p>${intervalsParagraph(entries)}</p>
${htmlTable(intervals)}`
}
</section>
`;
}

/** Data of the panel's charts, whose containers `panelSection` writes. */
export function chartsOf(panel: ReportPanel): PageData {
  const id = panelId(panel);
  const marks = panel.entries.flatMap(markOf);
  const main = panel.entries[0].main;
  const accuracies: AccuracyChart[] =
    marks.length === 0
      ? []
      : [
          {
            container: `${id}-accuracies`,
            title: `${capital(main.title)} of each model with its 95 % interval`,
            axis: main.title,
            chance: main.chance ?? CHANCE[main.name] ?? null,
            marks,
          },
        ];
  const differences = onePerModel(panel).map(
    ({ label, result, histogram }, i): DifferenceChart => ({
      container: `${id}-differences-${i}`,
      title: `Distribution of element minus control for ${label}`,
      bins: histogram.bins,
      ties: histogram.ties,
      median: result.published.median_diff ?? 0,
    }),
  );
  const motifs = motifChart(panel, `${id}-motifs`);
  return { accuracies, differences, ranked: motifs === undefined ? [] : [motifs] };
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function markOf({ label, protocol, main }: Entry): AccuracyMark[] {
  const interval = main.intervals[0];
  if (main.value === null) return [];
  const { low, high } = interval ?? { low: main.value, high: main.value };
  const how =
    interval === undefined
      ? ""
      : ` ${intervalText(interval)}\n${methodName(interval.method)}, n ${count(interval.n)}${
          interval.basis === undefined ? "" : `\n${basisText(interval.basis)}`
        }`;
  const detail = `${label}, ${protocol} protocol\n${fixed(main.value)}${how}`;
  return [{ row: label, protocol, value: main.value, low, high, detail }];
}

/** Summary of a panel: best value, number of rows, ties. */
function facts({ entries }: ReportPanel): Html {
  const best = entries.find(({ main }) => main.value !== null);
  const ties = entries.filter(({ result }) => "ties" in result.counts);
  const rows = [...new Set(entries.map(({ result }) => result.rows.selected))];
  return html`<dl class="facts">
<div><dt>Best model</dt><dd>${
    best === undefined
      ? UNDEFINED
      : html`${fixed(best.main.value ?? Number.NaN)}<span class="detail">${best.label}, ${best.main.title}</span>`
  }</dd></div>
<div><dt>Evaluated rows</dt><dd>${range(rows)}<span class="detail">${rows.length > 1 ? "by model; " : ""}of ${range(
    entries.map(({ result }) => result.rows.inTable),
  )} in the table, ${[...new Set(entries.map(({ result }) => splitText(result.cell.split)))].join(", ")}</span></dd></div>
${
  ties.length === 0
    ? undefined
    : html`<div><dt>Ties</dt><dd>${count(Math.max(...ties.map(({ result }) => result.counts.ties!)))}<span class="detail">largest number of any model: equal scores${ties.some(({ result }) => result.ties !== undefined) ? ", or equal within rounding" : ""}</span></dd></div>`
}
</dl>`;
}

/** `372`, or `40 to 372` if they differ. */
function range(counts: readonly number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? count(least) : `${count(least)} to ${count(most)}`;
}

function accuracyFigure({ container, title, chance, marks }: AccuracyChart): Html {
  const protocols = [...new Set(marks.map(({ protocol }) => protocol))].sort();
  return html`<figure>
<div id="${container}" class="chart">${placeholder}</div>
<ul class="key">${protocols.map((protocol) => html`<li class="of-${protocol}">${protocol} protocol</li>`)}</ul>
<figcaption>${title}.${chance === null ? "" : ` Dashed: chance level (${Number(chance.toFixed(3))}).`} The table above has the same numbers.</figcaption>
</figure>`;
}

/** Content of a chart's container until the script runs. */
const placeholder = html`<p class="quiet">This chart needs JavaScript. The tables have the same numbers.</p>`;

function differenceFigure(panel: ReportPanel, charts: readonly DifferenceChart[]): Html {
  const shown = onePerModel(panel);
  const beyond = shown.some(({ histogram }) => histogram.beyond > 0);
  return html`<h3>Score differences</h3>
<p>Each row compares a real element with its control. Right of zero, the real element has the higher likelihood. Paired accuracy
is the share of these rows plus half of the ties.</p>
<figure>
<div class="multiples">${shown.map(
    ({ label }, i) =>
      html`<div><h4>${label}</h4><div id="${charts[i].container}" class="chart">${placeholder}</div></div>`,
  )}</div>
<ul class="key"><li class="of-right square">prefers the real element</li><li class="of-wrong square">prefers the control</li>${
    shown.some(({ histogram }) => histogram.ties > 0)
      ? html`<li class="of-tie square">tie: equal scores${shown.some(({ result }) => result.ties !== undefined) ? ", or equal within rounding" : ""}</li>`
      : undefined
  }</ul>
<figcaption>Distribution of element minus control, one chart per model, on separate scales.${
    beyond ? " The outermost bars include values beyond them, at most 0.5 % of the rows on either side." : ""
  }</figcaption>
</figure>`;
}

/** One histogram per model, since log-likelihoods do not depend on the protocol. */
function onePerModel({ entries, differences }: ReportPanel) {
  const seen = new Set<string>();
  return entries.flatMap(({ label, result }) => {
    const histogram = differences.get(result.identity);
    if (histogram === undefined || seen.has(label)) return [];
    seen.add(label);
    return [{ label, result, histogram }];
  });
}

function protocols(panel: ReportPanel): Html | undefined {
  const tables = [quirksTable(panel), scoreQuirksTable(panel)].filter((table) => table !== undefined);
  if (tables.length === 0) return undefined;
  return html`<h3>Paper and corrected protocol</h3>
<p>The <strong>paper</strong> protocol reproduces the original's scripts, defects included; the <strong>corrected</strong>
protocol follows the description in its paper. Differences in this panel:</p>
<dl class="facts-list terms">${quirksOf(panel).map(({ label, says }) => html`<dt>${label}</dt><dd>${says}</dd>`)}</dl>
${tables.map((table) => htmlTable(table))}`;
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
