import { InternalError } from "../../../base/errors.ts";
import { Pcg64 } from "../../../base/pcg64.ts";
import { CELL_LINES } from "../../../datasets/cell-lines.ts";
import { classLogOdds } from "../../../metrics/log-odds.ts";
import { logProbabilities } from "../../../metrics/losses.ts";
import type { Matrix } from "../../../metrics/matrix.ts";
import { pca } from "../../../metrics/pca.ts";
import { rowBasis } from "../fact-columns.ts";
import type { Predictions } from "../prediction.ts";
import { PredictionColumns } from "../prediction-columns.ts";
import type { RowView, TextColumn } from "../row-view.ts";
import { runWithPauses } from "./clustering-progress.ts";
import type { CellTypeFacts } from "./subset.ts";

/** Maximum number of rows whose embeddings a figure shows: evenly spaced ones of more. */
const SHOWN = 2000;

/** Rows with their cell line: the predicted one, or coordinates of the embedding. */
export function viewCellTypes(predictions: Predictions<CellTypeFacts>): RowView | Promise<RowView> {
  const columns = PredictionColumns.of(predictions);
  return columns.kind === "vector" ? viewEmbeddings(columns) : viewClassified(columns);
}

function cellLines(columns: PredictionColumns<CellTypeFacts>): TextColumn {
  const found = columns.factTexts("label");
  if (found === undefined) throw new InternalError("rows without a cell line");
  return { title: "cell line", ...found };
}

function viewClassified(columns: PredictionColumns<CellTypeFacts>): RowView {
  const { basis, blocks } = rowBasis(columns);
  const rows = columns.length;
  const classes = CELL_LINES.length;
  const data = new Float64Array(rows * classes);
  for (let chosen = 0; chosen < classes; chosen++) {
    columns.numbers("member 0", chosen).forEach((logit, i) => {
      data[i * classes + chosen] = logit;
    });
  }
  const logits: Matrix = { data, rows, columns: classes };
  const lines = cellLines(columns);
  const labels = Array.from(lines.codes, (code) =>
    CELL_LINES.findIndex((line) => line === lines.texts[code - 1]),
  );
  const logs = logProbabilities(logits).data;
  const score = {
    title: "ln p of the true cell line",
    values: Float64Array.from(labels, (label, i) => logs[i * classes + label]),
  };
  return {
    ...basis,
    facts: [lines],
    score,
    merit: { kind: "score" },
    figures: CELL_LINES.map((line, chosen) => ({
      kind: "classification",
      title: `${line} against the other lines`,
      scores: classLogOdds(logits, chosen),
      labels: Uint8Array.from(labels, (label) => (label === chosen ? 1 : 0)),
      blocks,
      calibrated: true,
    })),
  };
}

async function viewEmbeddings(columns: PredictionColumns<CellTypeFacts>): Promise<RowView> {
  const { basis } = rowBasis(columns);
  const lines = cellLines(columns);
  const x = new Float64Array(columns.length).fill(Number.NaN);
  const y = new Float64Array(columns.length).fill(Number.NaN);
  const { width } = columns.columns.find(({ name }) => name === "member 0") ?? { width: 0 };
  const every = Math.ceil(columns.length / SHOWN);
  const shown = Array.from({ length: Math.floor(columns.length / every) }, (_, i) => i * every);
  if (shown.length > 1 && width > 1) {
    const data = new Float64Array(shown.length * width);
    for (let k = 0; k < width; k++) {
      const column = columns.numbers("member 0", k);
      shown.forEach((row, i) => {
        data[i * width + k] = column[row];
      });
    }
    const table = { data, rows: shown.length, columns: width };
    const { transformed } = await runWithPauses(
      pca(table, 2, { solver: "randomised", rng: new Pcg64(0) }),
      async () => {},
    );
    shown.forEach((row, i) => {
      x[row] = transformed.data[2 * i];
      y[row] = transformed.data[2 * i + 1];
    });
  }
  const first = { title: "first principal component", values: x };
  return {
    ...basis,
    facts: [lines],
    score: first,
    figures: [
      {
        kind: "embedding",
        title: every === 1 ? "Embeddings" : `Embeddings of ${shown.length} rows`,
        x: first,
        y: { title: "second principal component", values: y },
        classes: lines,
      },
    ],
  };
}
