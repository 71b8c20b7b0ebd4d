import { readFileSync, rmSync } from "node:fs";
import type { OurSide } from "./our-side.ts";
import type { PythonPeer } from "./python-peer.ts";

/** Differences between two implementations of one model. */
export interface Agreement {
  readonly tokens: number;
  /** Largest absolute difference of a state and of a logit, over the tokens within rounding. */
  readonly states: number;
  readonly logits: number;
  /** Tokens with a difference beyond rounding. */
  readonly far: number;
}

/** Largest difference attributed to rounding; it is well below this in models of this size. */
const FAR = 1e-3;

/**
 * Runs both on the same tokens and compares all states and logits.
 *
 * @param file  path of the Python side's values, without extension
 */
export async function compare(
  ours: OurSide,
  peer: PythonPeer,
  ids: readonly (readonly number[])[],
  file: string,
): Promise<Agreement> {
  const { states, logits, width } = await ours.run(ids);
  await peer.run(ids, file);
  const tokens = states.length / width;
  const s = differences(states, `${file}.states`, tokens);
  const l = differences(logits, `${file}.logits`, tokens);
  const near = Array.from({ length: tokens }, (_, i) => i).filter((i) => s[i] <= FAR && l[i] <= FAR);
  const largest = (of: Float64Array) => near.reduce((most, i) => Math.max(most, of[i]), 0);
  return { tokens, states: largest(s), logits: largest(l), far: tokens - near.length };
}

/** Largest absolute difference in each token. */
function differences(ours: Float32Array, file: string, tokens: number): Float64Array {
  const bytes = readFileSync(file);
  rmSync(file);
  const theirs = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  if (theirs.length !== ours.length) throw new Error(`${theirs.length} values, expected ${ours.length}`);
  const width = ours.length / tokens;
  const largest = new Float64Array(tokens);
  for (let i = 0; i < ours.length; i++) {
    const token = Math.floor(i / width);
    const difference = Math.abs(ours[i] - theirs[i]);
    if (!(difference <= largest[token])) largest[token] = difference; // NaN stays
  }
  return largest;
}
