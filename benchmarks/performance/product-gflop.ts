import { type Dim, dimTerms, type Shape } from "../../src/net/graph/dim.ts";
import { ancestorsOf } from "../../src/net/graph/graph.ts";
import { isOp, type Node, type Sym } from "../../src/net/graph/sym.ts";

/**
 * Billions of floating-point operations in the matrix products and convolutions that some tensors depend on,
 * two for each multiplication. Products inside of loops are not counted.
 *
 * @param sizes  symbolic sizes by name, `expert` for those that only a run determines: tokens of an expert
 */
export function productGflop(outputs: readonly Sym[], sizes: Readonly<Record<string, number>>): number {
  const sizeOf = (dim: Dim) =>
    dimTerms(dim).reduce(
      (sum, { coefficient, symbols }) =>
        sum + symbols.reduce((product, name) => product * (sizes[name] ?? sizes.expert ?? 0), coefficient),
      0,
    );
  const count = (shape: Shape) => shape.reduce<number>((product, dim) => product * sizeOf(dim), 1);
  return ancestorsOf(outputs).reduce(
    (sum, node) => sum + (2 * count(node.outputs[0].shape) * count(summedAxes(node))) / 1e9,
    0,
  );
}

/** Axes over which each value of a product sums; an axis of size 0 for other ops. */
function summedAxes(node: Node): Shape {
  const [a, b] = node.inputs;
  if (isOp(node, "MatMul")) return a.shape.slice(-1);
  if (isOp(node, "Gemm")) return [a.shape[node.attributes.transA ? 0 : 1]];
  return isOp(node, "Conv") ? b.shape.slice(1) : [0];
}
