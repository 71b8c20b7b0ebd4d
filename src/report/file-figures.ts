import { type Chapter, chaptersOf, firstProtocol, partOf } from "./chapters.ts";
import { BEST, isBest } from "./comparisons.ts";
import { figureText } from "./estimates.ts";
import type { FileFigure, ForestChart, HeatChart } from "./figure-data.ts";
import { panelFigures } from "./figures.ts";
import { chanceOf, publishedMain } from "./forest.ts";
import { count } from "./numbers.ts";
import { overviewFigure } from "./overview.ts";
import { type Entry, panelId, panelTitle } from "./panels.ts";
import { confusionOf } from "./parts-tables.ts";
import type { Report, ReportPanel } from "./report.ts";

/**
 * All figures of a report as files: the overview, a forest plot per task, and the figures and confusion
 * matrices of each panel. Their ids are unique, of `a` to `z`, digits and hyphens.
 */
export function fileFigures(report: Report): readonly FileFigure[] {
  const chapters = chaptersOf(report);
  if (chapters.length === 0) return [];
  return [
    overviewFigure(chapters),
    ...chapters.flatMap((chapter) => [
      forestFigure(chapter),
      ...chapter.panels.flatMap((panel) => [
        ...panelFigures(panel, report.panels).map((figure) => ({
          ...figure,
          title: `${panelTitle(panel.heading.title, panel)}: ${figure.title}`,
        })),
        ...confusionFigures(panel),
      ]),
    ]),
  ];
}

/** Forest plots of a task's panels on one scale, under the corrected protocol if a model has both. */
function forestFigure(chapter: Chapter): FileFigure {
  const { low, high } = chapter.scale;
  const metrics = new Set(chapter.panels.map(({ entries }) => entries[0].main.title));
  return {
    id: panelId({ task: chapter.task, setting: "forest" }).replace("panel-", "task-"),
    title: `${chapter.heading.title}: models by setting`,
    caption: `${[...metrics].join(", ")} with 95 % intervals. Dashed: chance. Diamond: published value. Bold: ${BEST}. *: interval not reliable.`,
    x: { label: metrics.size === 1 ? [...metrics].join("") : "main metric", domain: [low, high] },
    y: { label: "" },
    charts: chapter.panels.map((panel): ForestChart => {
      const chance = chanceOf(panel.entries[0].main);
      return {
        kind: "forest",
        title: partOf(chapter, panel),
        rows: firstProtocol(panel).flatMap((entry) => forestRow(panel, entry) ?? []),
        ...(chance === undefined ? {} : { chance }),
      };
    }),
  };
}

function forestRow(panel: ReportPanel, entry: Entry): ForestChart["rows"][number] | undefined {
  const { label: name, main } = entry;
  const { value } = main;
  const [interval] = main.intervals;
  if (value === null) return undefined;
  const published = publishedMain(panel.published, entry);
  return {
    name,
    value,
    text: figureText(main),
    ...(interval === undefined ? {} : { low: interval.low, high: interval.high }),
    ...(published === undefined ? {} : { published }),
    ...(isBest(panel.comparison, entry) ? { best: true } : {}),
  };
}

/** Confusion matrices, one chart per model. */
function confusionFigures(panel: ReportPanel): readonly FileFigure[] {
  const charts = firstProtocol(panel).flatMap((entry): HeatChart[] => {
    const found = confusionOf(entry);
    if (found === undefined) return [];
    return [
      {
        kind: "heat",
        title: entry.label,
        columns: found.columns.map(({ title }) => title),
        rows: found.rows.map(({ name }) => name),
        cells: found.rows.flatMap(({ name, values }) => {
          const total = values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
          return values.map((value, c) => ({
            row: name,
            column: found.columns[c].title,
            text: count(value ?? 0),
            share: total === 0 ? 0 : (value ?? 0) / total,
          }));
        }),
      },
    ];
  });
  if (charts.length === 0) return [];
  return [
    {
      id: `${panelId(panel)}-confusion`,
      title: `${panelTitle(panel.heading.title, panel)}: confusion`,
      caption: "Rows of each class by predicted class. Colour: share of the class.",
      x: { label: "" },
      y: { label: "" },
      charts,
    },
  ];
}
