import { stableStringify } from "../base/json.ts";
import { evaluatedData } from "../evaluation/runs/cell.ts";
import { findTask } from "../evaluation/runs/forms.ts";
import { firstProtocol } from "./chapters.ts";
import { metricLabel } from "./estimates.ts";
import type { PanelFigure } from "./figure-data.ts";
import { chanceOf } from "./forest.ts";
import type { Entry } from "./panels.ts";
import type { ReportPanel } from "./report.ts";
import { short } from "./scatter-figures.ts";

/** Result of a model with some number of bases per sequence. */
interface AtContext {
  readonly panel: ReportPanel;
  readonly entry: Entry;
  readonly bases: number;
}

/**
 * Main metric over bases per sequence, one curve per model that was evaluated on the same rows with two
 * contexts or more. The figure belongs to the panel with the shortest context, and other panels have none.
 *
 * @param panels  all panels of the report
 */
export function contextFigures(
  panel: ReportPanel,
  panels: readonly ReportPanel[],
  id: string,
): readonly PanelFigure[] {
  const results = panels
    .filter(({ task, setting }) => task === panel.task && setting === panel.setting)
    .flatMap(resultsOf);
  const curves = curvesOf(results).filter((points) => points[0].panel === panel);
  const [first] = curves;
  if (first === undefined) return [];
  const level = chanceOf(first[0].entry.main);
  return [
    {
      id,
      title: "Context",
      caption: `Each model on the same rows with windows of different width. Bars: 95 % intervals.${level === undefined ? "" : " Dashed: chance."}`,
      x: { label: "bases per sequence", log: "~s" },
      y: { label: metricLabel(first[0].entry.main) },
      charts: [
        {
          kind: "curves",
          title: "context",
          points: true,
          sharedX: true,
          ...(level === undefined ? {} : { reference: short(level) }),
          curves: curves.map((points) => ({
            model: points[0].entry.label,
            x: points.map(({ bases }) => bases),
            y: points.map(({ entry }) => short(entry.main.value ?? 0)),
            ...boundsOf(points),
          })),
        },
      ],
    },
  ];
}

/** Results of a panel with a value, under one protocol. */
function resultsOf(panel: ReportPanel): readonly AtContext[] {
  return firstProtocol(panel).flatMap((entry) => {
    const { cell } = entry.result;
    const bases = cell.context ?? findTask(cell.task, panel.forms)?.window;
    return bases === undefined || entry.main.value === null ? [] : [{ panel, entry, bases }];
  });
}

/** Results of one model on the same rows, by ascending context; models with a single context are left out. */
function curvesOf(results: readonly AtContext[]): readonly (readonly AtContext[])[] {
  const curves = new Map<string, Map<number, AtContext>>();
  for (const result of results) {
    const { cell, rows } = result.entry.result;
    const { taskVersion, dataset = null, model, protocol, seed, recipe } = cell;
    const data = evaluatedData(cell, result.panel.forms);
    const key = stableStringify([taskVersion, dataset, model, protocol, seed, recipe, data, rows.digest]);
    const curve = curves.get(key) ?? new Map<number, AtContext>();
    curve.set(result.bases, result);
    curves.set(key, curve);
  }
  return [...curves.values()]
    .filter(({ size }) => size > 1)
    .map((curve) => [...curve.values()].toSorted((a, b) => a.bases - b.bases));
}

/** Ends of the printed intervals; empty unless every point has one. */
function boundsOf(points: readonly AtContext[]) {
  const intervals = points.map(({ entry }) => entry.main.intervals[0]);
  if (intervals.some((interval) => interval === undefined)) return {};
  return {
    low: intervals.map((interval) => short(interval?.low ?? 0)),
    high: intervals.map((interval) => short(interval?.high ?? 0)),
  };
}
