import { findTask } from "../evaluation/runs/forms.ts";
import type { TrainingRecord } from "../evaluation/settings/training-record.ts";
import type { CurvesChart, PanelFigure } from "./figure-data.ts";
import { count } from "./numbers.ts";
import { protocolRows } from "./panel-table.ts";
import type { Entry, Panel } from "./panels.ts";
import type { ReportPanel } from "./report.ts";
import type { Table } from "./table.ts";

interface Trained {
  readonly entry: Entry;
  readonly training: TrainingRecord;
}

const trainedOf = (entries: readonly Entry[]): readonly Trained[] =>
  entries.flatMap((entry) =>
    entry.result.training === undefined ? [] : [{ entry, training: entry.result.training }],
  );

/** Ratio of the largest to the smallest loss above which the axis is logarithmic. */
const WIDE = 30;

/**
 * Training and validation loss by epoch, one chart per model on common axes; empty without training. Under
 * the paper protocol, validation losses have the original's divisor, so training losses are left out.
 */
export function lossFigures(panel: ReportPanel, entries: readonly Entry[], id: string): PanelFigure[] {
  const trained = trainedOf(entries);
  if (trained.length === 0) return [];
  // Training losses are summed over the sequences of a row.
  const members = findTask(panel.task, panel.forms)?.members.length ?? 1;
  const charts = trained.map(({ entry: { label, protocol }, training }) =>
    lossChart(label, training, protocol === "paper" ? undefined : members),
  );
  const losses = charts.flatMap(({ curves }) => curves.flatMap(({ y }) => y)).filter(Number.isFinite);
  const [least, most] = [Math.min(...losses), Math.max(...losses)];
  const isWide = least > 0 && most / least > WIDE;
  const epochs = Math.max(...trained.map(({ training }) => training.epochs.length));
  return [
    {
      id,
      title: "Training",
      caption:
        "Mean loss of a sequence after each epoch. Solid: validation, dashed: training. Dot: the evaluated epoch, which has the smallest validation loss.",
      x: { label: "epoch", domain: [1, Math.max(2, epochs)] },
      y: { label: "loss", domain: [least, most], ...(isWide ? { log: "~g" } : {}) },
      charts,
    },
  ];
}

function lossChart(
  label: string,
  { epochs, best }: TrainingRecord,
  members: number | undefined,
): CurvesChart {
  const x = epochs.map((_, i) => i + 1);
  const short = (loss: number) => Number(loss.toPrecision(5));
  const validation = epochs.map(({ validation: { val_loss } }) => short(val_loss ?? Number.NaN));
  const chosen = epochs.findIndex(({ epoch }) => epoch === best);
  return {
    kind: "curves",
    title: label,
    curves: [
      { model: label, x, y: validation, dot: chosen },
      ...(members === undefined
        ? []
        : [
            {
              model: label,
              x,
              y: epochs.map(({ trainLoss }) => short(trainLoss / members)),
              dashed: true as const,
            },
          ]),
    ],
  };
}

/** Epochs, rows and parameters of a panel's training runs; undefined without training. */
export function trainingTable({ entries }: Panel): Table | undefined {
  const trained = trainedOf(entries);
  if (trained.length === 0) return undefined;
  return {
    caption: "Training runs",
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      ...[
        "epochs",
        "evaluated epoch",
        "its validation loss",
        "training rows",
        "validation rows",
        "trained parameters",
      ].map((heading) => ({ heading, align: "right" as const })),
    ],
    rows: protocolRows(
      trained.map(
        ({ entry: { label, protocol }, training: { epochs, best, trainRows, valRows, parameters } }) => {
          const chosen = epochs.findIndex(({ epoch }) => epoch === best);
          return {
            label,
            protocol,
            cells: [
              count(epochs.length),
              count(chosen + 1),
              (epochs[chosen]?.validation.val_loss ?? Number.NaN).toPrecision(4),
              count(trainRows),
              count(valRows),
              count(parameters),
            ],
          };
        },
      ),
    ),
  };
}
