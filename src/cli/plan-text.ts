import { counted } from "../base/message-text.ts";
import { cellTitle } from "../evaluation/runs/cell.ts";
import { detectableDifferenceOf } from "../evaluation/runs/detectable-difference.ts";
import type { Plan, PlannedCell, PlannedEmbeddings } from "../evaluation/runs/request.ts";
import { bytes, count, fixed, roughBytes, roughDuration } from "../report/numbers.ts";

/** A plan as text, a few lines per cell. */
export function planText(plan: Plan): string {
  const cells = plan.cells.map((cell) => cellText(cell, plan));
  return [
    ...cells,
    ...temporaryText(plan),
    ...totalText(plan),
    ...plan.notes.map((note) => `note: ${note}`),
  ].join("\n");
}

/** Seconds from the start of a process of this run to its first cell. */
export const startSeconds = ({ openingSeconds }: Plan) => START_SECONDS + openingSeconds;

/** Seconds of the whole run: of the program until now, and of all cells; null if a cell has no estimate. */
function totalSeconds(plan: Plan): number | null {
  const { cells } = plan;
  let total = startSeconds(plan);
  for (const { estimate } of cells) {
    if (estimate.seconds === null) return null;
    total += estimate.seconds;
  }
  return total;
}

/** Seconds from the start of the program until commands run. */
const START_SECONDS = performance.now() / 1000;

function temporaryText({ temporary: { folder, bytes } }: Plan): readonly string[] {
  return bytes === 0 ? [] : [`temporary files of up to ${roughBytes(bytes)} in ${folder} ($TMPDIR)`];
}

function totalText(plan: Plan): readonly string[] {
  const total = totalSeconds(plan);
  if (total === null) return [];
  const { length } = plan.cells;
  return [
    `in all about ${roughDuration(total)} for ${counted(length, "cell")}, with the start of the program`,
  ];
}

function cellText(planned: PlannedCell, { shard }: Plan): string {
  const { record, rows, rowsDone, rowsToDo, batchSize, estimate } = planned;
  const part = shard.count === 1 ? "" : ` · shard ${shard.index} of ${shard.count}`;
  const before = rowsDone === 0 ? "" : ` · ${count(rowsDone)} done · ${count(rowsToDo)} to do`;
  const lines = [
    `${cellTitle(record.cell)} · ${record.cell.protocol} protocol · cell ${planned.name}${part}`,
    `  rows    ${count(rows.length)}${before}`,
    `  batch   ${counted(batchSize, "sequence")}`,
  ];
  if (record.control !== undefined) lines.splice(1, 0, `  control ${record.control}`);
  const difference = record.control === undefined ? detectableDifferenceOf(planned) : undefined;
  if (difference !== undefined) {
    lines.push(
      `  detects differences from another model of ${fixed(difference)} or more (power 80 %, independent rows)`,
    );
  }
  if (planned.checked !== undefined) {
    lines.push(`  check   ${record.cell.precision} against f32 on ${counted(planned.checked.length, "row")}`);
  }
  if (planned.weights !== undefined) lines.push(`  weights ${planned.weights.file}, not trained here`);
  if (planned.reuses !== undefined) {
    lines.push(`  scores  those of cell ${planned.reuses.name}, which are equal under both protocols`);
  }
  lines.push(...embeddingsText(planned));
  if (estimate.memory !== null) lines.push(`  memory  about ${roughBytes(estimate.memory)}`);
  if (estimate.disk > 0) lines.push(`  disk    about ${roughBytes(estimate.disk)}`);
  if (estimate.seconds !== null)
    lines.push(`  time    about ${roughDuration(estimate.seconds)} (${estimate.basis})`);
  if (planned.task.task.settings[record.cell.setting]?.measuredWhole) {
    lines.push(
      estimate.measuring === undefined
        ? "  then    clustering of all rows, not included in the estimate"
        : `  then    clustering of all rows, about ${roughDuration(estimate.measuring)} of this time`,
    );
  }
  return lines.join("\n");
}

function embeddingsText({ embeddings }: PlannedCell): readonly string[] {
  if (embeddings?.size === undefined || embeddings.size.sequences === 0) return [];
  const { place, size, because } = embeddings;
  const { sequences, storedAs, maxBytes } = size;
  const precision = storedAs === "auto" ? `float16, or ${bytes(maxBytes)} if float32 is needed` : storedAs;
  const where =
    place === undefined
      ? "in memory"
      : place === "recompute"
        ? "recomputed in each epoch"
        : `on disk, ${place.folder ?? "temporarily"}`;
  return [
    `  embeddings up to ${bytes(size.bytes)} of ${count(sequences)} sequences (${precision}), ${where}: ${because}`,
  ];
}

/** A plan as JSON. */
export function planJson(plan: Plan): object {
  const { identity, folder, shard, cells, temporary, notes } = plan;
  return {
    identity,
    folder: folder ?? null,
    shard,
    seconds: totalSeconds(plan),
    temporary,
    cells: cells.map((cell) => {
      const { name, record, rows, rowsDone, rowsToDo, batchSize, estimate, embeddings } = cell;
      return {
        name,
        ...record,
        shard: { rows: rows.length, done: rowsDone, toDo: rowsToDo },
        batchSize,
        detectableDifference: detectableDifferenceOf(cell) ?? null,
        estimate,
        embeddings: embeddings === undefined ? null : embeddingsJson(embeddings),
      };
    }),
    notes,
  };
}

const embeddingsJson = ({ place, because, size }: PlannedEmbeddings) => ({
  place: place ?? null,
  because,
  ...size,
});
