import { type Html, html } from "./html.ts";
import {
  extremeMotifs,
  familyTable,
  modelComparison,
  motifAccuracies,
  motifSpread,
  oneProtocol,
} from "./motif-tables.ts";
import type { RankedChart } from "./page-data.ts";
import type { Panel } from "./panels.ts";
import { htmlTable } from "./tables/html-table.ts";

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
