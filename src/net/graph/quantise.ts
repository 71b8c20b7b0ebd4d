import { withInputs } from "./apply.ts";
import {
  add,
  cast,
  div,
  integerProduct,
  matMul,
  maximum,
  mul,
  neg,
  quantizeRows,
  reduceMax,
  reduceMin,
  reshape,
  slice,
  swapLast,
} from "./build.ts";
import { ancestorsOf, capturedBy } from "./graph.ts";
import { isOp, type Node, type Sym } from "./sym.ts";

/** Fewest inputs and outputs of a dense layer that is converted: smaller ones gain no time. */
const MIN_SIZE = 24;

/** Largest magnitude of an 8-bit integer. */
const STEPS = 127;

/** Smallest magnitude of a row: rows of zeros are divided by it. */
const TINY = 1e-30;

/**
 * A graph with its dense layers in 8-bit integers: both factors of each `Gemm` of computed rows and a
 * constant matrix are rounded to 255 steps, one scale per row (token) and one per column of the matrix.
 *
 *     y[i, j] = s[i]·c[j]·Σ_k q[i, k]·w[k, j] + b[j],  q = round(x / s),  s[i] = max_k |x[i, k]| / 127
 *
 * Each row is quantised once for all layers that read it. The constant matrices are quantised when a session
 * is built. Everything else stays float32, including layers with fewer than 24 inputs or outputs.
 *
 * @param inner    tensors whose layers are quantised, such as the last hidden states
 * @param outputs  tensors to return; layers between `inner` and them stay float32
 * @returns        the outputs, in their order
 */
export const quantised = (inner: readonly Sym[], outputs: readonly Sym[]): readonly Sym[] =>
  withLayers(INTEGERS, inner, outputs);

/**
 * A graph with the products of its dense layers in float16: both factors of each `Gemm` of computed rows and
 * a constant matrix are rounded to float16, and their product is cast back to float32 before the bias is
 * added. Magnitudes above 65,504 become infinite. The device decides in which type it adds. The constant
 * matrices are rounded when a session is built. Layers and parameters as for `quantised`.
 */
export const inHalfPrecision = (inner: readonly Sym[], outputs: readonly Sym[]): readonly Sym[] =>
  withLayers(HALVES, inner, outputs);

/** Factors of a product of dense layers in another type, and the product without the bias. */
interface LayerForm<Rows> {
  /** Computed rows. x [m, k] */
  readonly activations: (x: Sym) => Rows;
  /** Rows of a constant matrix. w [n, k] */
  readonly weights: (w: Sym) => Rows;
  /** Some rows, counted as in `slice`. */
  readonly some: (rows: Rows, start: number, end: number, step: number) => Rows;
  /** Σ_k x[m, k]·w[n, k] in float32. [m, n] */
  readonly product: (x: Rows, w: Rows) => Sym;
}

/** Rows in whole steps of their scales. */
interface Quantised {
  readonly steps: Sym;
  /** [rows] */
  readonly scale: Sym;
}

const INTEGERS: LayerForm<Quantised> = {
  activations: (x) => rowsInSteps(x, "uint8"),
  weights: (w) => rowsInSteps(w, "int8"),
  some: ({ steps, scale }, start, end, step) => ({
    steps: slice(steps, 0, start, end, step),
    scale: slice(scale, 0, start, end, step),
  }),
  product: (x, w) =>
    mul(integerProduct(x.steps, swapLast(w.steps), w.scale), reshape(x.scale, [x.scale.shape[0], 1])),
};

const HALVES: LayerForm<Sym> = {
  activations: (x) => cast(x, "float16"),
  weights: (w) => cast(w, "float16"),
  some: (rows, start, end, step) => slice(rows, 0, start, end, step),
  product: (x, w) => cast(matMul(x, swapLast(w)), "float32"),
};

function withLayers<Rows>(
  form: LayerForm<Rows>,
  inner: readonly Sym[],
  outputs: readonly Sym[],
): readonly Sym[] {
  const within = new Set(ancestorsOf(inner));
  const order = ancestorsOf([...inner, ...outputs]);
  const fed = computedNodes(order);
  const convertedOnce = new Map<Node, Map<string, Rows>>();
  const rebuilt = new Map<Node, readonly Sym[]>();
  const renewed = (sym: Sym): Sym => rebuilt.get(sym.node)?.[sym.output] ?? sym;
  for (const node of order) {
    if (
      within.has(node) &&
      isOp(node, "Gemm") &&
      isLarge(node) &&
      fed.has(node.inputs[0].node) &&
      !fed.has(node.inputs[1].node)
    ) {
      rebuilt.set(node, [layerOf(node)]);
    } else {
      const made = withInputs(node, renewed);
      if (made !== undefined) rebuilt.set(node, made);
    }
  }
  return outputs.map(renewed);

  function layerOf(node: Node<"Gemm"> & Node): Sym {
    const [a, b, c] = node.inputs;
    const { transB } = node.attributes;
    const x = once(a, "rows", () => form.activations(renewed(a)));
    const y = form.product(x, matrixRows(b, transB));
    return c === undefined ? y : add(y, renewed(c));
  }

  /**
   * A block of rows is taken from the whole matrix after it is converted: before, it would be a copy in
   * float32.
   */
  function matrixRows(matrix: Sym, transB: boolean): Rows {
    const { node } = matrix;
    if (transB && isOp(node, "Slice") && node.attributes.axis === 0) {
      const { start, end, step } = node.attributes;
      return form.some(matrixRows(node.inputs[0], true), start, end, step);
    }
    const rows = () => form.weights(transB ? matrix : swapLast(matrix));
    return once(matrix, transB ? "rows" : "columns", rows);
  }

  /** Layers flatten the same tensor each for itself. */
  function once(x: Sym, along: "rows" | "columns", make: () => Rows): Rows {
    const source = isOp(x.node, "Reshape") ? x.node.inputs[0] : x;
    const key = `${source.output} ${x.shape} ${along}`;
    const known = convertedOnce.get(source.node) ?? new Map<string, Rows>();
    convertedOnce.set(source.node, known);
    const made = known.get(key) ?? make();
    known.set(key, made);
    return made;
  }
}

function rowsInSteps(x: Sym, to: "uint8" | "int8"): Quantised {
  const largest = maximum(reduceMax(x, [1]), neg(reduceMin(x, [1])));
  const scale = div(maximum(largest, TINY), STEPS);
  return { steps: quantizeRows(x, scale, to), scale };
}

const isLarge = ({ inputs: [, weight], attributes: { transA } }: Node<"Gemm">) =>
  !transA && weight.shape.every((size) => typeof size === "number" && size >= MIN_SIZE);

/** Nodes that depend on an input of the graph. */
function computedNodes(order: readonly Node[]): ReadonlySet<Node> {
  const fed = new Set<Node>();
  for (const node of order) {
    const uses = [...node.inputs, ...capturedBy(node)];
    if (isOp(node, "Input") || uses.some((sym) => fed.has(sym.node))) fed.add(node);
  }
  return fed;
}
