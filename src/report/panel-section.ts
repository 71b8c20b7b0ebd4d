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

/** What guessing gives, for metrics where it is one number and the task does not say it. */
const CHANCE: Readonly<Record<string, number>> = {
  "paired-accuracy": 0.5,
  accuracy: 0.5,
  auroc: 0.5,
  "spearman-peaks": 0,
};

/** Everything about one question: what was asked, who answered how well, and what the numbers rest on. */
export function panelSection(panel: ReportPanel): Html {
  const { asked, entries } = panel;
  const title = panelTitle(asked.title, panel);
  const setting = findSetting(panel.setting, panel.forms)?.description;
  const id = panelId(panel);
  const quantiles = quantilesTable(panel);
  const others = measurementsTable(panel);
  const intervals = intervalsTable(panel);
  const published = publishedTable(panel.published, panel);
  const charts = chartsOf(panel);
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
<p>${asked.asks}</p>
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
${motifsSection(panel, charts.ranked[0], undrawn)}
${lossCurves(panel)}

${published === undefined ? undefined : html`<h3>Published values</h3>\n${htmlTable(published)}`}
${published === undefined ? panel.published.reasons.map((reason) => html`<p class="quiet">${reason}</p>`) : undefined}
${protocols(panel)}

${
  intervals === undefined
    ? undefined
    : html`<h3>How sure the numbers are</h3>
<p>${intervalsWords(entries)}</p>
${htmlTable(intervals)}`
}
</section>
`;
}

/** The panel's charts as data; their holders are the figures of `panelSection`. */
export function chartsOf(panel: ReportPanel): PageData {
  const id = panelId(panel);
  const marks = panel.entries.flatMap(markOf);
  const main = panel.entries[0].main;
  const accuracies: AccuracyChart[] =
    marks.length === 0
      ? []
      : [
          {
            holder: `${id}-accuracies`,
            title: `${capital(main.title)} of each model with its 95 % interval`,
            axis: main.title,
            chance: main.chance ?? CHANCE[main.name] ?? null,
            marks,
          },
        ];
  const differences = onePerModel(panel).map(
    ({ label, result, histogram }, i): DifferenceChart => ({
      holder: `${id}-differences-${i}`,
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

/** The few numbers that a reader wants first. */
function facts({ entries }: ReportPanel): Html {
  const best = entries.find(({ main }) => main.value !== null);
  const ties = entries.filter(({ result }) => "ties" in result.counts);
  const rows = [...new Set(entries.map(({ result }) => result.rows.selected))];
  return html`<dl class="facts">
<div><dt>Best answer</dt><dd>${
    best === undefined
      ? UNDEFINED
      : html`${fixed(best.main.value ?? Number.NaN)}<span class="detail">${best.label}, ${best.main.title}</span>`
  }</dd></div>
<div><dt>Rows asked</dt><dd>${range(rows)}<span class="detail">${rows.length > 1 ? "by model; " : ""}of ${range(
    entries.map(({ result }) => result.rows.inTable),
  )} in the table, ${[...new Set(entries.map(({ result }) => splitText(result.cell.split)))].join(", ")}</span></dd></div>
${
  ties.length === 0
    ? undefined
    : html`<div><dt>Ties</dt><dd>${count(Math.max(...ties.map(({ result }) => result.counts.ties!)))}<span class="detail">most of any model: both scores equal${ties.some(({ result }) => result.ties !== undefined) ? ", or within their rounding" : ""}</span></dd></div>`
}
</dl>`;
}

/** `372`, or `40 to 372` where they differ. */
function range(counts: readonly number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? count(least) : `${count(least)} to ${count(most)}`;
}

function accuracyFigure({ holder, title, chance, marks }: AccuracyChart): Html {
  const protocols = [...new Set(marks.map(({ protocol }) => protocol))].sort();
  return html`<figure>
<div id="${holder}" class="chart">${undrawn}</div>
<ul class="key">${protocols.map((protocol) => html`<li class="of-${protocol}">${protocol} protocol</li>`)}</ul>
<figcaption>${title}.${chance === null ? "" : ` The dashed line is what guessing gives (${Number(chance.toFixed(3))}).`} The same numbers stand in the table above.</figcaption>
</figure>`;
}

/** Stands where a chart will be drawn, and stays where no script runs. */
const undrawn = html`<p class="quiet">The chart is drawn by a script, which does not run here; the tables say the same in numbers.</p>`;

function differenceFigure(panel: ReportPanel, charts: readonly DifferenceChart[]): Html {
  const shown = onePerModel(panel);
  const beyond = shown.some(({ histogram }) => histogram.beyond > 0);
  return html`<h3>How far apart the scores of a pair are</h3>
<p>Each row compares a real element with its control. Right of zero the model finds the real one more likely; the share
of rows there, and half of the ties, is the paired accuracy.</p>
<figure>
<div class="multiples">${shown.map(
    ({ label }, i) =>
      html`<div><h4>${label}</h4><div id="${charts[i].holder}" class="chart">${undrawn}</div></div>`,
  )}</div>
<ul class="key"><li class="of-right square">prefers the real element</li><li class="of-wrong square">prefers the control</li>${
    shown.some(({ histogram }) => histogram.ties > 0)
      ? html`<li class="of-tie square">cannot tell: both scores are equal${shown.some(({ result }) => result.ties !== undefined) ? ", or within their rounding" : ""}</li>`
      : undefined
  }</ul>
<figcaption>Distribution of element minus control, one chart per model, each on a scale of its own.${
    beyond
      ? " The outermost bars also hold what lies beyond them, at most half a percent of the rows on either side."
      : ""
  }</figcaption>
</figure>`;
}

/** The histogram of each model once: log-likelihoods do not change with the protocol. */
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
  return html`<h3>Both protocols side by side</h3>
<p>The <strong>paper</strong> protocol reproduces the original's scripts, defects included; the <strong>corrected</strong>
protocol follows the description in its paper. Differences in this panel:</p>
<dl class="facts-list terms">${quirksOf(panel).map(({ label, says }) => html`<dt>${label}</dt><dd>${says}</dd>`)}</dl>
${tables.map((table) => htmlTable(table))}`;
}

/** Which interval the tables print under each protocol, and which to believe. */
function intervalsWords(entries: readonly Entry[]): string {
  const printed = new Map(
    entries.flatMap(({ protocol, main }) =>
      main.intervals.slice(0, 1).map(({ method }) => [protocol, methodName(method)] as const),
    ),
  );
  const sentences = [...printed].map(([protocol, method]) => `The ${protocol} protocol prints: ${method}.`);
  const alike = entries.some(({ main }) =>
    main.intervals.some(({ method }) => method.startsWith("background-")),
  )
    ? "Both strands of a background, and all motifs that were put into it, share its letters"
    : "Neighbouring elements resemble each other";
  return `${sentences.join(" ")} ${alike}, so they tell less than as many independent ones; an interval that allows for this is wider, and is the one to believe.`;
}
