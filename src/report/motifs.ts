import type { Breakdown, BreakdownRow } from "../evaluation/tasks/measurement.ts";
import { compareOver } from "../metrics/block-estimate.ts";
import { type BlockStatistic, blocksBy } from "../metrics/blocks.ts";
import { percentiles } from "../metrics/quantiles.ts";
import type { RankedChart } from "./chart-data.ts";
import { intervalText } from "./estimates.ts";
import { type Html, html, htmlTable } from "./html.ts";
import { count, fixed, pValue, UNDEFINED } from "./numbers.ts";
import { protocolRows } from "./panel-table.ts";
import type { Entry, Panel } from "./panels.ts";
import type { Table, TableCell } from "./table.ts";

/** Motifs named at either end of the order. */
const NAMED = 10;

function breakdownOf({ result }: Entry, name: string): Breakdown | undefined {
  return result.breakdowns?.find((breakdown) => breakdown.name === name);
}

/** Accuracies of all motifs of an entry that have one. */
function motifAccuracies(entry: Entry): readonly number[] {
  return breakdownOf(entry, "motifs")?.rows.flatMap(({ values }) => values[0] ?? []) ?? [];
}

/** The entries that a reader compares: of one protocol, the corrected one where there is a choice. */
function oneProtocol({ entries }: Panel): readonly Entry[] {
  const some = entries.filter((entry) => breakdownOf(entry, "motifs") !== undefined);
  const corrected = some.filter(({ protocol }) => protocol === "corrected");
  return corrected.length > 0 ? corrected : some;
}

/** How accuracies are spread over motifs. */
export function motifSpread({ entries }: Panel): Table {
  const percent = [0, 5, 25, 50, 75, 95, 100];
  const headings = ["lowest", "5 %", "25 %", "median", "75 %", "95 %", "highest"];
  const some = entries.filter((entry) => motifAccuracies(entry).length > 0);
  return {
    caption: "Accuracy of a single motif: quantiles over all motifs",
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      ...["motifs", ...headings].map((heading) => ({ heading, align: "right" as const })),
    ],
    rows: protocolRows(
      some.map((entry) => {
        const accuracies = motifAccuracies(entry);
        const quantiles = percentiles(accuracies, percent).map((value) => fixed(value));
        return {
          label: entry.label,
          protocol: entry.protocol,
          cells: [count(accuracies.length), ...quantiles],
        };
      }),
    ),
  };
}

/** Accuracy of each family of motifs by model, the family that the best model knows best first; undefined without any. */
export function familyTable(panel: Panel): Table | undefined {
  const entries = oneProtocol(panel).filter((entry) => breakdownOf(entry, "families") !== undefined);
  const families = entries[0] === undefined ? undefined : breakdownOf(entries[0], "families");
  if (families === undefined) return undefined;
  const order = families.rows.toSorted((a, b) => (b.values[0] ?? -1) - (a.values[0] ?? -1));
  return {
    caption: "Accuracy by family of transcription factors, of families with at least ten motifs",
    columns: [
      { heading: "family", align: "left" },
      { heading: "motifs", align: "right" },
      ...entries.map(({ label }) => ({ heading: label, align: "right" as const })),
    ],
    rows: order.map(({ name, values }) => [
      name,
      count(values[3] ?? Number.NaN),
      ...entries.map((entry) => familyCell(breakdownOf(entry, "families")!, name)),
    ]),
  };
}

function familyCell({ rows }: Breakdown, family: string): TableCell {
  const [value, low, high] = rows.find(({ name }) => name === family)?.values ?? [];
  if (value == null) return UNDEFINED;
  return { text: fixed(value), detail: low == null || high == null ? "" : `[${fixed(low)}, ${fixed(high)}]` };
}

/** The motifs that each model tells best and worst from their shuffles. */
export function extremeMotifs(panel: Panel): Table {
  return {
    caption: `The ${NAMED} motifs that each model tells best from their shuffles, and the ${NAMED} that it tells worst`,
    columns: [
      { heading: "model", align: "left" },
      { heading: "best", align: "left" },
      { heading: "worst", align: "left" },
    ],
    rows: oneProtocol(panel).map((entry) => {
      const rows = breakdownOf(entry, "motifs")!.rows.filter(({ values }) => values[0] !== null);
      const order = rows.toSorted((a, b) => b.values[0]! - a.values[0]! || (a.name < b.name ? -1 : 1));
      const named = (some: readonly BreakdownRow[]) =>
        some.map(({ name, values }) => `${name} ${fixed(values[0]!, 2)}`).join(", ");
      return [entry.label, named(order.slice(0, NAMED)), named(order.slice(-NAMED).reverse())];
    }),
    notes: ["All motifs stand in motifs.tsv in the folder of each cell."],
  };
}

/**
 * Each model against the next in the order of the leaderboard, over the same backgrounds: their difference varies less than
 * either accuracy. Undefined where there are not two.
 */
export function modelComparison(panel: Panel): Table | undefined {
  const entries = oneProtocol(panel).filter((entry) => breakdownOf(entry, "backgrounds") !== undefined);
  const pairs = entries.slice(1).map((second, i) => [entries[i], second] as const);
  const comparable = pairs.filter(([a, b]) => backgroundsOf(a).join() === backgroundsOf(b).join());
  if (comparable.length === 0) return undefined;
  return {
    caption: "Each model beside the next: its accuracy minus the other's, over the same backgrounds",
    columns: [
      { heading: "model", align: "left" },
      { heading: "beside", align: "left" },
      { heading: "difference", align: "right" },
      { heading: "p, two-sided", align: "right" },
      { heading: "motifs of which its accuracy is higher", align: "right" },
      { heading: "of which it is lower", align: "right" },
    ],
    rows: comparable.map(([first, second]) => {
      const { difference, p } = comparisonOf(first, second);
      const { wins, losses } = motifsWon(first, second);
      const detail = Number.isFinite(difference.low) ? intervalText(difference) : "";
      return [
        first.label,
        second.label,
        { text: fixed(difference.value), detail },
        pValue(p),
        count(wins),
        count(losses),
      ];
    }),
  };
}

/** Backgrounds with their numbers of comparisons: two models are compared where they are the same. */
function backgroundsOf(entry: Entry): readonly string[] {
  return breakdownOf(entry, "backgrounds")!.rows.map(({ name, values }) => `${name} ${values[1]}`);
}

function comparisonOf(first: Entry, second: Entry) {
  const { rows } = breakdownOf(first, "backgrounds")!;
  const blocks = blocksBy(
    rows.map(({ name }) => name),
    "background",
  );
  const accuracy = (entry: Entry): BlockStatistic => {
    const backgrounds = breakdownOf(entry, "backgrounds")!.rows;
    return (times) => {
      let credit = 0;
      let comparisons = 0;
      backgrounds.forEach(({ values: [share, n] }, i) => {
        credit += times[i] * (share ?? 0) * (n ?? 0);
        comparisons += times[i] * (n ?? 0);
      });
      return credit / comparisons;
    };
  };
  return compareOver(blocks, accuracy(first), accuracy(second));
}

function motifsWon(first: Entry, second: Entry) {
  const others = new Map(
    breakdownOf(second, "motifs")!.rows.map(({ name, values }) => [name, values[0]] as const),
  );
  let wins = 0;
  let losses = 0;
  for (const { name, values } of breakdownOf(first, "motifs")!.rows) {
    const [own, other] = [values[0], others.get(name)];
    if (own == null || other == null) continue;
    if (own > other) wins++;
    else if (own < other) losses++;
  }
  return { wins, losses };
}

/** What guessing gives. */
const CHANCE = 0.5;

/** The accuracies of all motifs in falling order, one curve per model; undefined where there are no motifs. */
export function motifChart(panel: Panel, holder: string): RankedChart | undefined {
  const curves = oneProtocol(panel).map((entry) => ({
    label: entry.label,
    values: motifAccuracies(entry)
      .toSorted((a, b) => b - a)
      .map((value) => Math.round(1e4 * value) / 1e4),
  }));
  const drawn = curves.filter(({ values }) => values.length > 0);
  if (drawn.length === 0) return undefined;
  return {
    holder,
    title: "Accuracy of every motif, the best first, for each model",
    axis: "motifs, the best first",
    value: "accuracy",
    chance: CHANCE,
    curves: drawn,
  };
}

/** Motifs one by one, by family, and models beside each other; undefined where the panel's task has no motifs. */
export function motifsSection(panel: Panel, chart: RankedChart | undefined, undrawn: Html): Html | undefined {
  if (chart === undefined) return undefined;
  const families = familyTable(panel);
  const comparison = modelComparison(panel);
  return html`<h3>Motif by motif</h3>
<figure>
<div id="${chart.holder}" class="chart">${undrawn}</div>
<figcaption>${chart.title}. The dashed line is what guessing gives (${chart.chance}). The table below has the quantiles.</figcaption>
</figure>
${htmlTable(motifSpread(panel))}
${comparison === undefined ? undefined : htmlTable(comparison)}
${families === undefined ? undefined : htmlTable(families)}
${htmlTable(extremeMotifs(panel))}`;
}
