import type { Breakdown } from "../evaluation/tasks/measurement.ts";
import { percentiles } from "../metrics/quantiles.ts";
import type { PanelFigure } from "./figure-data.ts";
import { count, fixed, UNDEFINED } from "./numbers.ts";
import { protocolRows } from "./panel-table.ts";
import type { Entry, Panel } from "./panels.ts";
import type { Table, TableCell } from "./table.ts";

/** Number of best and of worst motifs to list. */
const NAMED = 10;

function breakdownOf({ result }: Entry, name: string): Breakdown | undefined {
  return result.breakdowns?.find((breakdown) => breakdown.name === name);
}

/** Defined accuracies of an entry's motifs. */
function motifAccuracies(entry: Entry): readonly number[] {
  return breakdownOf(entry, "motifs")?.rows.flatMap(({ values }) => values[0] ?? []) ?? [];
}

/** Entries of one protocol: corrected if available, else paper. */
export function oneProtocol({ entries }: Panel): readonly Entry[] {
  const some = entries.filter((entry) => breakdownOf(entry, "motifs") !== undefined);
  const corrected = some.filter(({ protocol }) => protocol === "corrected");
  return corrected.length > 0 ? corrected : some;
}

/** Defined accuracies of an entry's motifs by name. */
export const motifAccuracy = (entry: Entry): ReadonlyMap<string, number> =>
  new Map(
    (breakdownOf(entry, "motifs")?.rows ?? []).flatMap(({ name, values: [value] }) =>
      value == null ? [] : [[name, value] as const],
    ),
  );

/** Names of the `NAMED` motifs with the highest accuracy, then of as many with the lowest. */
export function extremeNames(entry: Entry): readonly string[] {
  const order = [...motifAccuracy(entry)].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const names = order.map(([name]) => name);
  return [...names.slice(0, NAMED), ...names.slice(-NAMED).reverse()];
}

/** Quantiles of the accuracies of single motifs. */
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

/** Accuracy by motif family and model, sorted by the best model's accuracy; undefined without families. */
export function familyTable(panel: Panel): Table | undefined {
  const entries = oneProtocol(panel).filter((entry) => breakdownOf(entry, "families") !== undefined);
  const families = entries[0] === undefined ? undefined : breakdownOf(entries[0], "families");
  if (families === undefined) return undefined;
  const order = families.rows.toSorted((a, b) => (b.values[0] ?? -1) - (a.values[0] ?? -1));
  return {
    caption: "Accuracy by transcription factor family (families with at least ten motifs)",
    columns: [
      { heading: "family", align: "left" },
      { heading: "motifs", align: "right" },
      ...entries.map(({ label }) => ({ heading: label, align: "right" as const })),
    ],
    rows: order.map(({ name, values }) => [
      name,
      count(values[3] ?? Number.NaN),
      ...entries.map((entry) => familyCell(breakdownOf(entry, "families"), name)),
    ]),
  };
}

function familyCell(breakdown: Breakdown | undefined, family: string): TableCell {
  const [value, low, high] = breakdown?.rows.find(({ name }) => name === family)?.values ?? [];
  if (value == null) return UNDEFINED;
  return { text: fixed(value), detail: low == null || high == null ? "" : `[${fixed(low)}, ${fixed(high)}]` };
}

/** Motifs that each model distinguishes best and worst from their shuffles. */
export function extremeMotifs(panel: Panel): Table {
  return {
    caption: `The ${NAMED} motifs with the highest and the lowest accuracy of each model`,
    columns: [
      { heading: "model", align: "left" },
      { heading: "best", align: "left" },
      { heading: "worst", align: "left" },
    ],
    rows: oneProtocol(panel).map((entry) => {
      const accuracy = motifAccuracy(entry);
      const names = extremeNames(entry).map(
        (name) => `${name} ${fixed(accuracy.get(name) ?? Number.NaN, 2)}`,
      );
      const half = names.length / 2;
      return [entry.label, names.slice(0, half).join(", "), names.slice(half).join(", ")];
    }),
    notes: ["motifs.tsv in each cell's folder lists all motifs."],
  };
}

/**
 * Numbers of motifs in which each model is better or worse than the next on the leaderboard. Undefined with
 * fewer than two models.
 */
export function modelComparison(panel: Panel): Table | undefined {
  const entries = oneProtocol(panel).filter((entry) => motifAccuracies(entry).length > 0);
  const pairs = entries.slice(1).map((second, i) => [entries[i], second] as const);
  if (pairs.length === 0) return undefined;
  return {
    caption: "Motifs with higher and lower accuracy, each model against the next",
    columns: [
      { heading: "model", align: "left" },
      { heading: "compared with", align: "left" },
      { heading: "motifs with higher accuracy", align: "right" },
      { heading: "motifs with lower accuracy", align: "right" },
    ],
    rows: pairs.map(([first, second]) => {
      const { wins, losses } = motifsWon(first, second);
      return [first.label, second.label, count(wins), count(losses)];
    }),
  };
}

function motifsWon(first: Entry, second: Entry) {
  const others = new Map(
    breakdownOf(second, "motifs")?.rows.map(({ name, values }) => [name, values[0]] as const),
  );
  let wins = 0;
  let losses = 0;
  for (const { name, values } of breakdownOf(first, "motifs")?.rows ?? []) {
    const [own, other] = [values[0], others.get(name)];
    if (own == null || other == null) continue;
    if (own > other) wins++;
    else if (own < other) losses++;
  }
  return { wins, losses };
}

/** Chance level of a motif's accuracy. */
const CHANCE = 0.5;

/** Rank curves of the motifs' accuracies, and each motif's accuracy under the two best models. */
export function motifFigures(panel: Panel, id: string): PanelFigure[] {
  const entries = oneProtocol(panel).filter((entry) => motifAccuracies(entry).length > 0);
  if (entries.length === 0) return [];
  const short = (value: number) => Math.round(1e4 * value) / 1e4;
  const ranked = entries.map((entry) => ({
    label: entry.label,
    motifs: (breakdownOf(entry, "motifs")?.rows ?? [])
      .flatMap(({ name, values: [value] }) => (value == null ? [] : [{ name, value: short(value) }]))
      .toSorted((a, b) => b.value - a.value),
  }));
  const accuracy = { label: "accuracy", domain: [0, 1] } as const;
  const ranks: PanelFigure = {
    id: `${id}-ranks`,
    title: "Motifs by rank",
    caption: "Accuracy of each motif, best first. Dashed: chance.",
    x: { label: "rank of the motif" },
    y: accuracy,
    charts: [
      {
        kind: "curves",
        title: "Motifs by rank",
        reference: CHANCE,
        curves: ranked.map(({ label, motifs }) => ({
          model: label,
          x: motifs.map((_, rank) => rank + 1),
          y: motifs.map(({ value }) => value),
          names: motifs.map(({ name }) => name),
        })),
      },
    ],
  };
  const [first, second] = ranked;
  if (second === undefined) return [ranks];
  const others = new Map(second.motifs.map(({ name, value }) => [name, value]));
  const points = first.motifs.flatMap(({ name, value }) => {
    const y = others.get(name);
    return y === undefined ? [] : [{ x: value, y, of: "motif", name }];
  });
  const pair: PanelFigure = {
    id: `${id}-pair`,
    title: "Motifs under two models",
    caption: `One point per motif. Right of the diagonal, ${first.label} has the higher accuracy.`,
    x: { ...accuracy, label: `accuracy, ${first.label}` },
    y: { ...accuracy, label: `accuracy, ${second.label}` },
    charts: [
      { kind: "points", title: "Motifs under two models", identity: true, classes: ["motif"], points },
    ],
  };
  return [ranks, pair];
}

/** Tables on single motifs, motif families and pairs of models; empty if the task has no motifs. */
export function motifTables(panel: Panel): readonly (Table | undefined)[] {
  if (oneProtocol(panel).every((entry) => motifAccuracies(entry).length === 0)) return [];
  return [motifSpread(panel), modelComparison(panel), familyTable(panel), extremeMotifs(panel)];
}
