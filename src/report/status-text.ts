import { counted } from "../base/message-text.ts";
import { cellTitle } from "../evaluation/runs/cell.ts";
import type { CellStatus, RunStatus, ShardPhase, ShardStatus } from "../evaluation/runs/run-status.ts";
import { shardName } from "../evaluation/runs/shard.ts";
import { count, duration } from "./numbers.ts";

/** Labels of the states of shards, in the order of a summary. */
const PHASES: Readonly<Record<ShardPhase, string>> = {
  done: "done",
  running: "running",
  failed: "failed",
  stale: "stale",
  stopped: "stopped",
  waiting: "not started",
};

/** State of runs as text: a summary per cell, and a line per shard that is neither done nor waiting. */
export function statusText(runs: readonly RunStatus[]): string {
  return runs
    .flatMap(({ cells }) =>
      cells.flatMap((cell) => {
        const { cell: of } = cell.record;
        const title = `${cellTitle(of)} · ${of.protocol} protocol · cell ${cell.name}`;
        return [title, ...cellLines(cell).map((line) => `  ${line}`)];
      }),
    )
    .join("\n");
}

/** Lines of one cell, without its title. */
export function cellLines(cell: CellStatus): readonly string[] {
  const { record, shards, merged } = cell;
  const rows = rowsText(cell.rowsDone, record.rows.selected);
  const active = shards.filter(({ phase }) => phase !== "done" && phase !== "waiting");
  return [
    [rows, ...paceText(cell), summary(shards), ...(merged ? ["merged"] : [])].join(" · "),
    ...active.flatMap(shardLines),
  ];
}

/** `5 of 16 shards done, 2 running, 9 not started` */
function summary(shards: readonly ShardStatus[]): string {
  if (shards.length === 0) return "no shard has started";
  const numbers = Object.entries(PHASES).flatMap(([phase, label]) => {
    const some = shards.filter((shard) => shard.phase === phase).length;
    if (phase === "done") return [`${some} of ${counted(shards.length, "shard")} done`];
    return some === 0 ? [] : [`${some} ${label}`];
  });
  return numbers.join(", ");
}

function shardLines(status: ShardStatus): string[] {
  const { shard, phase, rows, rowsDone, process, message } = status;
  const where =
    process === undefined ? [] : [`process ${process.pid} on ${process.host}, since ${process.since}`];
  const parts = [rowsText(rowsDone, rows), ...paceText(status), ...where];
  const line = `${shardName(shard)}  ${PHASES[phase].padEnd(7)}  ${parts.join(" · ")}`;
  return [line, ...(message?.split("\n").map((text) => `  ${text}`) ?? [])];
}

const rowsText = (done: number, rows: number | null) =>
  `${count(done)} of ${rows === null ? "?" : count(rows)} rows`;

const paceText = ({ rowsPerSecond, secondsLeft }: Pick<CellStatus, "rowsPerSecond" | "secondsLeft">) =>
  rowsPerSecond === null || secondsLeft === null
    ? []
    : [
        `${rowsPerSecond >= 10 ? count(rowsPerSecond) : rowsPerSecond.toPrecision(2)} rows/s`,
        `${duration(secondsLeft)} left`,
      ];
