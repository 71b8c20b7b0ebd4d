import type {
  ClassificationFigure,
  DistributionFigure,
  EmbeddingFigure,
  RowFigure,
} from "../evaluation/tasks/row-view.ts";
import { type Curve, calibrationCurve, precisionRecallCurve, rocCurve } from "../metrics/curves.ts";
import { percentiles } from "../metrics/quantiles.ts";
import { firstProtocol } from "./chapters.ts";
import { contextFigures } from "./context-figure.ts";
import { figureText, metricLabel } from "./estimates.ts";
import {
  type Chart,
  type CurvesChart,
  commonHistograms,
  type PanelFigure,
  type PointsChart,
} from "./figure-data.ts";
import { chanceOf } from "./forest.ts";
import { type Html, html } from "./html.ts";
import { motifFigures } from "./motifs.ts";
import { type Entry, panelId } from "./panels.ts";
import type { ReportPanel } from "./report.ts";
import { type Shown, scatterFigures, short } from "./scatter-figures.ts";
import { lossFigures } from "./training.ts";

/**
 * All figures of a panel, under the corrected protocol if the panel has both.
 *
 * @param panels  all panels of the report
 */
export function panelFigures(panel: ReportPanel, panels: readonly ReportPanel[]): readonly PanelFigure[] {
  const id = (name: string) => `${panelId(panel)}-${name}`;
  const shown = firstProtocol(panel).flatMap((entry) =>
    (panel.views.get(entry.result.identity)?.figures ?? []).map((figure) => ({ entry, figure })),
  );
  const ofKind = <Kind extends RowFigure["kind"]>(kind: Kind) =>
    shown.filter((one): one is Shown<Extract<RowFigure, { kind: Kind }>> => one.figure.kind === kind);
  return [
    ...curveFigures(id, ofKind("classification")),
    ...distributionFigures(id, ofKind("distribution")),
    ...scatterFigures(id, ofKind("scatter")),
    ...embeddingFigures(id, ofKind("embedding")),
    ...motifFigures(panel, id("motifs")),
    ...lossFigures(panel, firstProtocol(panel), id("loss")),
    ...speedFigures(panel, id("speed")),
    ...contextFigures(panel, panels, id("context")),
  ];
}

/** HTML of a panel's figures, drawn by the page's script. */
export function figuresSection(figures: readonly PanelFigure[]): Html | undefined {
  if (figures.length === 0) return undefined;
  return html`<div class="figures">${figures.map(
    ({
      id,
      title,
      caption,
      charts,
    }) => html`<figure id="${id}"${charts.length > 1 ? html` class="wide"` : undefined}>
<h3>${title}</h3>
<div class="${charts.length > 1 ? "multiples" : "single"}">${charts.map(
      (chart, i) =>
        html`<div>${charts.length > 1 ? html`<h4>${chart.title}</h4>` : undefined}<div class="chart" id="${id}-${i}"><p class="quiet">This figure needs JavaScript.</p></div></div>`,
    )}</div>
<figcaption>${caption}</figcaption>
</figure>
`,
  )}</div>`;
}

const shorts = (values: ArrayLike<number>): number[] => Array.from(values, short);

function curveFigures(
  id: (name: string) => string,
  shown: readonly Shown<ClassificationFigure>[],
): PanelFigure[] {
  const drawn = shown.filter(({ figure: { labels } }) => labels.includes(1) && labels.includes(0));
  if (drawn.length === 0) return [];
  const titles = [...new Set(drawn.map(({ figure }) => figure.title))];
  const charts = (
    curveOf: (figure: ClassificationFigure) => Curve,
    how: (figures: readonly ClassificationFigure[]) => Pick<CurvesChart, "reference" | "points">,
  ): CurvesChart[] =>
    titles.map((title) => {
      const some = drawn.filter(({ figure }) => figure.title === title);
      return {
        kind: "curves",
        title,
        ...how(some.map(({ figure }) => figure)),
        curves: some.map(({ entry, figure }) => {
          const { x, y, low, high } = curveOf(figure);
          return {
            model: entry.label,
            x: shorts(x),
            y: shorts(y),
            ...(low === undefined || high === undefined ? {} : { low: shorts(low), high: shorts(high) }),
          };
        }),
      };
    });
  const share = [0, 1] as const;
  const band = "Bands: 95 % of resamples over blocks of the genome.";
  const prevalence = ({ labels }: ClassificationFigure) =>
    short(labels.reduce((sum, one) => sum + one, 0) / labels.length);
  const of = titles.length === 1 ? `${titles[0]}. ` : "";
  /** The area under each model's curve. */
  const areas = (name: string, title: string) => {
    const known = drawn.flatMap(({ entry: { label, result } }) => {
      const metric = result.metrics.find((one) => one.name === name);
      return metric === undefined ? [] : [`${label} ${figureText(metric)}`];
    });
    return titles.length > 1 || known.length === 0 ? "" : ` ${title}: ${known.join(", ")}.`;
  };
  const figures: PanelFigure[] = [
    {
      id: id("roc"),
      title: "ROC curves",
      caption: `${of}Higher curves separate the classes better; diagonal: chance. ${band}${areas("auroc", "AUROC")}`,
      x: { label: "false positive rate", domain: share },
      y: { label: "true positive rate", domain: share },
      charts: charts(
        ({ scores, labels, blocks }) => rocCurve(scores, labels, blocks),
        () => ({ reference: "identity" }),
      ),
    },
    {
      id: id("precision-recall"),
      title: "Precision and recall",
      caption: `${of}Dashed: share of positives, the precision of guessing. ${band}${areas("auprc", "Average precision")}`,
      x: { label: "recall", domain: share },
      y: { label: "precision", domain: share },
      charts: charts(
        ({ scores, labels, blocks }) => precisionRecallCurve(scores, labels, blocks),
        ([first]) => ({ reference: prevalence(first) }),
      ),
    },
  ];
  if (!drawn.every(({ figure }) => figure.calibrated)) return figures;
  return [
    ...figures,
    {
      id: id("calibration"),
      title: "Calibration",
      caption: `${of}Diagonal: calibrated probabilities; below it, the model predicts too high. Ten bins of equally many rows with 95 % Wilson intervals.`,
      x: { label: "predicted probability", domain: share },
      y: { label: "share of positives", domain: share },
      charts: charts(
        ({ scores, labels }) =>
          calibrationCurve(
            scores.map((odds) => 1 / (1 + Math.exp(-odds))),
            labels,
          ),
        () => ({ reference: "identity", points: true }),
      ),
    },
  ];
}

function distributionFigures(
  id: (name: string) => string,
  shown: readonly Shown<DistributionFigure>[],
): PanelFigure[] {
  if (shown.length === 0) return [];
  const histograms = commonHistograms(shown.map(({ figure }) => figure.values));
  const bins = histograms.flatMap((one) => one.bins);
  const rows = Math.max(
    ...(bins.length > 0 ? bins.map((bin) => bin.rows) : histograms.map(({ ties }) => ties)),
  );
  const domain = [
    Math.min(-1, ...bins.map(({ from }) => from)),
    Math.max(1, ...bins.map(({ to }) => to)),
  ] as const;
  const [first] = shown;
  return [
    {
      id: id("scores"),
      title: first.figure.title,
      caption: `Right of zero, the model ${first.figure.sides[0]}; left of zero, it ${first.figure.sides[1]}. Dotted: median. ${histograms.some(({ ties }) => ties > 0) ? "Bar at zero: ties, cut at the top of the chart. " : ""}Bars at the ends include the outermost 0.5 % of the rows.`,
      x: { label: first.figure.title.charAt(0).toLowerCase() + first.figure.title.slice(1), domain },
      y: { label: "rows", domain: [0, rows] },
      charts: shown.map(
        ({ entry, figure }, i): Chart => ({
          kind: "histogram",
          title: entry.label,
          ...histograms[i],
          median: short(percentiles(figure.values, [50])[0] ?? 0),
          sides: figure.sides,
        }),
      ),
    },
  ];
}

function embeddingFigures(
  id: (name: string) => string,
  shown: readonly Shown<EmbeddingFigure>[],
): PanelFigure[] {
  if (shown.length === 0) return [];
  const [{ figure }] = shown;
  const scores = shown.map(({ entry: { label, main } }) => `${label} ${figureText(main)}`);
  return [
    {
      id: id("embeddings"),
      title: figure.title,
      caption: `First two principal components of each model's embeddings. Embeddings that distinguish the classes have separate colours. ${shown[0].entry.main.title}: ${scores.join(", ")}.`,
      x: { label: "component 1" },
      y: { label: "component 2" },
      charts: shown.map(
        ({ entry, figure: { x, y, classes } }): Chart => ({
          kind: "points",
          title: entry.label,
          classes: classes.texts.toSorted(),
          points: Array.from(x.values, (value, i) => ({
            x: short(value),
            y: short(y.values[i]),
            of: classes.texts[classes.codes[i] - 1] ?? "",
          })).filter((point) => Number.isFinite(point.x) && point.of !== ""),
        }),
      ),
    },
  ];
}

/** Main metric over speed and over trained parameters, of two or more models with each. */
function speedFigures(panel: ReportPanel, id: string): PanelFigure[] {
  const entries = firstProtocol(panel).filter(({ main }) => main.value !== null);
  const speedOf = ({ stored: { timing } }: Entry) => {
    const seconds = timing.reduce((sum, shard) => sum + shard.seconds, 0);
    return timing.reduce((sum, shard) => sum + shard.timedRows, 0) / seconds;
  };
  const chart = (title: string, of: (entry: Entry) => number | undefined): PointsChart[] => {
    const known = entries.filter((entry) => Number.isFinite(of(entry)) && Number(of(entry)) > 0);
    if (known.length < 2) return [];
    const level = chanceOf(known[0].main);
    return [
      {
        kind: "points",
        title,
        ofModels: true,
        classes: known.map(({ label }) => label),
        ...(level === undefined ? {} : { level }),
        points: known.map((entry) => ({
          x: short(of(entry) ?? 0),
          y: short(entry.main.value ?? 0),
          of: entry.label,
          name: entry.label,
          ...(entry.main.intervals[0] === undefined
            ? {}
            : { low: short(entry.main.intervals[0].low), high: short(entry.main.intervals[0].high) }),
        })),
      },
    ];
  };
  const { better } = panel.entries[0].main;
  const figure = (
    name: string,
    title: string,
    label: string,
    best: string,
    charts: PointsChart[],
  ): PanelFigure[] =>
    charts.length === 0
      ? []
      : [
          {
            id: `${id}-${name}`,
            title,
            caption: `${better === "higher" ? `${best}. ` : ""}Bars: 95 % intervals. Dashed: chance.`,
            x: { label, log: charts.flatMap(({ points }) => points).some(({ x }) => x < 1) ? "~g" : "~s" },
            y: { label: metricLabel(panel.entries[0].main) },
            charts,
          },
        ];
  return [
    ...figure(
      "rows",
      "Accuracy and speed",
      "rows per second",
      "Top right: accurate and fast",
      chart("speed", speedOf),
    ),
    ...figure(
      "parameters",
      "Accuracy and size",
      "trained parameters",
      "Top left: accurate and small",
      chart("size", ({ result }) => result.training?.parameters),
    ),
  ];
}
