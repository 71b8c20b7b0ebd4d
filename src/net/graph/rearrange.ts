import { formatShape } from "../arrays/array.ts";
import { apply, applyAll } from "./apply.ts";
import { type Shape, sameShape } from "./dim.ts";
import { GraphError } from "./graph-error.ts";
import { resolveAxis } from "./shapes.ts";
import { isOp, type Sym } from "./sym.ts";

/** x with another shape and the same elements in row-major order. */
export function reshape(x: Sym, shape: Shape): Sym {
  if (sameShape(x.shape, shape)) return x;
  const { node } = x;
  return apply("Reshape", [isOp(node, "Reshape") ? node.inputs[0] : x], { shape });
}

/** Repeats axes of size 1 (or absent in front) to the given shape. */
export function expand(x: Sym, shape: Shape): Sym {
  return sameShape(x.shape, shape) ? x : apply("Expand", [x], { shape });
}

/** Permutes axes: axis i of the result is axis perm[i] of x. */
export function transpose(x: Sym, perm: readonly number[]): Sym {
  const { node } = x;
  const inner = isOp(node, "Transpose") ? node : undefined;
  const order = inner === undefined ? perm : perm.map((axis) => inner.attributes.perm[axis]);
  const source = inner === undefined ? x : inner.inputs[0];
  return order.every((axis, i) => axis === i) && order.length === x.shape.length
    ? source
    : apply("Transpose", [source], { perm: order });
}

/** Exchanges the last two axes. */
export function swapLast(x: Sym): Sym {
  const order = x.shape.map((_, i) => i);
  const n = order.length;
  return transpose(x, [...order.slice(0, n - 2), n - 1, n - 2]);
}

/** Inserts an axis of size 1. */
export function unsqueeze(x: Sym, axis: number): Sym {
  const at = resolveAxis(axis, x.shape.length + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** Removes an axis of size 1. */
export function squeeze(x: Sym, axis: number): Sym {
  const at = resolveAxis(axis, x.shape.length);
  if (x.shape[at] !== 1) throw new GraphError(`axis ${axis} of ${formatShape(x.shape)} is not 1`);
  return reshape(
    x,
    x.shape.filter((_, i) => i !== at),
  );
}

/** Joins tensors along an axis. */
export function concat(parts: readonly Sym[], axis: number): Sym {
  return parts.length === 1 ? parts[0] : apply("Concat", parts, { axis });
}

/** Splits an axis into parts of the given sizes. */
export function split(x: Sym, axis: number, sizes: readonly number[]): readonly Sym[] {
  return sizes.length === 1 ? [x] : applyAll("Split", [x], { axis, sizes });
}

/**
 * Positions [start, end) of an axis; negative positions count from the end, the default `end` is the end of
 * the axis.
 */
export function slice(
  x: Sym,
  axis: number,
  start: number,
  end: number = Number.MAX_SAFE_INTEGER,
  step = 1,
): Sym {
  const size = x.shape[resolveAxis(axis, x.shape.length)];
  const whole = step === 1 && start === 0 && (end === Number.MAX_SAFE_INTEGER || end === size);
  return whole ? x : apply("Slice", [x], { axis, start, end, step });
}

/** Reverses an axis. */
export function flip(x: Sym, axis: number): Sym {
  return apply("Slice", [x], { axis, start: -1, end: -Number.MAX_SAFE_INTEGER, step: -1 });
}

/** Pads an axis with a constant. */
export function pad(x: Sym, axis: number, before: number, after: number, value = 0): Sym {
  return before === 0 && after === 0 ? x : apply("Pad", [x], { axis, before, after, value });
}

/** Rows of x along an axis; the axis is replaced by the axes of the integer tensor `indices`. */
export const gather = (x: Sym, indices: Sym, axis = 0) => apply("Gather", [x, indices], { axis });
/**
 * Windows of `kernel` neighbouring rows: [b, l, …] → [b, l − kernel + 1, kernel, …]. Multiplied by a kernel,
 * they give a convolution.
 */
export const unfold = (x: Sym, kernel: number) =>
  kernel === 1 ? unsqueeze(x, 2) : apply("Unfold", [x], { kernel });
/**
 * Elements of x along an axis, one per element of the int64 tensor `indices`, whose shape is the result's.
 */
export const gatherElements = (x: Sym, indices: Sym, axis: number) =>
  apply("GatherElements", [x, indices], { axis });

/** x with `updates` at `indices` along an axis, replaced or added; inverse of `gatherElements`. */
export function scatterElements(
  x: Sym,
  indices: Sym,
  updates: Sym,
  axis: number,
  reduction: "none" | "add" = "none",
): Sym {
  return apply("ScatterElements", [x, indices, updates], { axis, reduction });
}

/**
 * Rows of x along an axis for which a condition holds, in order. Their number is known when the program runs;
 * `size` names it in shapes and must be unique to the condition.
 *
 * @param condition  bool, one per row
 */
export const compress = (x: Sym, condition: Sym, axis: number, size: string) =>
  apply("Compress", [x, condition], { axis, size });

/**
 * x with row i of `updates` in place of row rows[i], or added to it.
 *
 * @param rows     int64 [n], no row twice
 * @param updates  [n, …]
 */
export function scatterRows(x: Sym, rows: Sym, updates: Sym, reduction: "none" | "add" = "none"): Sym {
  return apply("ScatterND", [x, unsqueeze(rows, 1), updates], { reduction });
}
