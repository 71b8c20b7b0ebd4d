import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** Progress of a child, in a file that outlives its crash. */
export interface FuzzState {
  /** Input being parsed: parser × inputs + number; -1 before the first. */
  position: number;
  /** Per parser, in their order. */
  readonly accepted: Float64Array;
  readonly refused: Float64Array;
  readonly seconds: Float64Array;
}

export function emptyState(parsers: number): FuzzState {
  const zeros = () => new Float64Array(parsers);
  return { position: -1, accepted: zeros(), refused: zeros(), seconds: zeros() };
}

export function readState(path: string, parsers: number): FuzzState {
  const all = new Float64Array(new Uint8Array(readFileSync(path)).buffer);
  const column = (i: number) => all.subarray(1 + i * parsers, 1 + (i + 1) * parsers);
  return { position: all[0], accepted: column(0), refused: column(1), seconds: column(2) };
}

/** Opens a file for a state; each call of `write` replaces its contents. */
export function openState(path: string): { write(state: FuzzState): void; close(): void } {
  const file = openSync(path, "w");
  return {
    write({ position, accepted, refused, seconds }) {
      const all = Float64Array.of(position, ...accepted, ...refused, ...seconds);
      writeSync(file, new Uint8Array(all.buffer), 0, all.byteLength, 0);
    },
    close: () => closeSync(file),
  };
}
