import { stableStringify } from "../../base/json.ts";
import type { Setting } from "../settings/setting.ts";
import type { OpenTask } from "../tasks/task.ts";
import { type CellRecord, cellName } from "./cell.ts";
import type { Plan } from "./plan.ts";

/** A cell of another run whose answers may be taken. */
export interface AnswersOf {
  /** The run's folder. */
  readonly folder: string;
  readonly record: CellRecord;
  /** The cell's folder name. */
  readonly name: string;
}

/**
 * The cell of earlier plans that differs from this one in the protocol alone, where the setting says that the answers do not
 * depend on it; undefined where there is none, or its answers are not kept.
 */
export function answersElsewhere(
  {
    record,
    setting,
    task,
  }: { readonly record: CellRecord; readonly setting: Setting; readonly task: OpenTask },
  earlier: readonly Plan[] = [],
): AnswersOf | undefined {
  if (!setting.sameUnderBothProtocols?.(task.task)) return undefined;
  const question = questionOf(record);
  for (const { folder, cells } of earlier) {
    const twin = cells.find((cell) => questionOf(cell.record) === question);
    if (folder !== undefined && twin !== undefined) {
      return { folder, record: twin.record, name: cellName(twin.record.identity) };
    }
  }
  return undefined;
}

const questionOf = ({ cell: { protocol: _, ...rest }, rows }: CellRecord) =>
  stableStringify({ ...rest, rows });
