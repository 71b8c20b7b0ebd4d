import { ancestorsOf } from "./graph.ts";
import { countOf, dependsOnInput, type RunSizes } from "./peak-values.ts";
import { isOp, type Node, type Op, type Sym } from "./sym.ts";

/** Floating-point operations of one run. */
export interface OperationCount {
  /** Of matrix products and convolutions: a multiplication and an addition per term. */
  readonly products: number;
  /** Of all other arithmetic: one per value. */
  readonly others: number;
}

/**
 * Counts the floating-point operations of one run of a graph. Moving and converting data costs nothing, and
 * neither do tensors that depend on parameters only. A loop costs its body once per step.
 *
 * Selections of rows from the same tensor, such as of tokens for each expert, count as equally large parts of
 * it.
 *
 * @param sizes  values of the symbolic sizes at a run, by name
 */
export function countOperations(outputs: readonly Sym[], sizes: RunSizes): OperationCount {
  const nodes = ancestorsOf(outputs).filter(dependsOnInput());
  return total(nodes, { ...sizes, ...selectedRows(nodes, sizes) });
}

function selectedRows(nodes: readonly Node[], sizes: RunSizes): RunSizes {
  const selections = nodes.filter((node): node is Node & Node<"Compress"> => isOp(node, "Compress"));
  const perTensor = new Map<Node, number>();
  for (const { inputs } of selections) {
    perTensor.set(inputs[0].node, (perTensor.get(inputs[0].node) ?? 0) + 1);
  }
  return Object.fromEntries(
    selections.map(({ inputs: [x], attributes: { axis, size } }) => [
      size,
      countOf([x.shape[axis]], sizes) / (perTensor.get(x.node) ?? 1),
    ]),
  );
}

function total(nodes: readonly Node[], sizes: RunSizes): OperationCount {
  let [products, others] = [0, 0];
  for (const node of nodes) {
    if (isOp(node, "Scan")) {
      const { states, elements, results, axis } = node.attributes;
      const body = total(dependentOn([...states, ...elements], results), sizes);
      const steps = countOf([node.inputs[states.length].shape[axis]], sizes);
      products += steps * body.products;
      others += steps * body.others;
    } else {
      products += productsOf(node, sizes);
      others += othersOf(node, sizes);
    }
  }
  return { products, others };
}

/** Nodes that are computed in each step: those that depend on the inputs of the body. */
function dependentOn(inputs: readonly Sym[], results: readonly Sym[]): readonly Node[] {
  const dependent = new Set(inputs.map(({ node }) => node));
  return ancestorsOf(results).filter((node) => {
    if (node.inputs.some((sym) => dependent.has(sym.node))) dependent.add(node);
    return dependent.has(node);
  });
}

/** 2 · (values of the output) · (terms of each). */
function productsOf(node: Node, sizes: RunSizes): number {
  const [a, b] = node.inputs;
  const terms = isOp(node, "Conv")
    ? b.shape.slice(1)
    : isOp(node, "Gemm")
      ? [a.shape[node.attributes.transA ? 0 : 1]]
      : isOp(node, "MatMul")
        ? a.shape.slice(-1)
        : [0];
  return 2 * countOf(node.outputs[0].shape, sizes) * countOf(terms, sizes);
}

/** Ops that compute one value per value of their output. */
const ELEMENTWISE: ReadonlySet<Op> = new Set<Op>([
  ...(["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Mod", "Neg", "Abs", "Exp", "Log", "Sqrt"] as const),
  ...(["Reciprocal", "Sin", "Cos", "Tanh", "Sigmoid", "Softplus", "Erf", "Relu", "Floor", "Sign"] as const),
  "Gelu",
]);

/** Ops that read each value of their input. */
const OVER_INPUT: ReadonlySet<Op> = new Set<Op>([
  ...(["Softmax", "LogSoftmax", "LayerNormalization", "ReduceSum", "ReduceMean", "ReduceMax"] as const),
  ...(["CumSum", "ArgMax", "TopK"] as const),
]);

/** Per state of a channel: the decay's exponential, h·decay + v·k, and the sum of q·h. */
const LINEAR_ATTENTION = 5;

function othersOf(node: Node, sizes: RunSizes): number {
  if (ELEMENTWISE.has(node.op)) return countOf(node.outputs[0].shape, sizes);
  if (OVER_INPUT.has(node.op)) return countOf(node.inputs[0].shape, sizes);
  return isOp(node, "LinearAttention") ? LINEAR_ATTENTION * countOf(node.inputs[3].shape, sizes) : 0;
}
