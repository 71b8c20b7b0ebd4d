import type { Protocol } from "../models/model.ts";
import type { Cell } from "./tables/table.ts";

/** A line of a table before its protocol is written. */
export interface ProtocolLine {
  readonly label: string;
  readonly protocol: Protocol;
  readonly cells: readonly Cell[];
}

/** Rows `label, protocol, …cells`; lines of a model that say the same under both protocols become one. */
export function protocolRows(lines: readonly ProtocolLine[]): Cell[][] {
  const rows = new Map<string, { label: string; protocols: Protocol[]; cells: readonly Cell[] }>();
  for (const { label, protocol, cells } of lines) {
    const key = JSON.stringify([label, cells]);
    const same = rows.get(key);
    if (same === undefined) rows.set(key, { label, protocols: [protocol], cells });
    else same.protocols.push(protocol);
  }
  return [...rows.values()].map(({ label, protocols, cells }) => [
    label,
    protocols.length === 2 ? "both" : protocols[0]!,
    ...cells,
  ]);
}
