import { InternalError } from "../../base/errors.ts";
import { add, fill, sub } from "./build.ts";
import { sameShape } from "./dim.ts";
import type { GradientRule, Walk } from "./gradient-rule.ts";
import { gradients } from "./gradients.ts";
import { ancestorsOf, capturedBy } from "./graph.ts";
import { GraphError } from "./graph-error.ts";
import { isOp, type Node, type Op, type Sym } from "./sym.ts";

/**
 * dL/dx for some tensors, by reverse-mode differentiation (Griewank & Walther 2008, chapter 3). Visits only
 * nodes between the tensors and the loss.
 *
 * @param loss  a scalar
 * @param of    tensors to differentiate by; a tensor that the loss does not depend on has gradient zero
 * @returns     one gradient per tensor, of its shape
 * @throws {GraphError} when the loss has axes
 */
export function gradientsOf(loss: Sym, of: readonly Sym[]): readonly Sym[] {
  if (loss.shape.length !== 0) throw new GraphError("a loss must be a scalar");
  return pullBack([loss], [fill([], 1, loss.dtype)], of);
}

/** Vector-Jacobian product: dL/dx for each of `of`, given dL/dy for each of `outputs`. */
function pullBack(outputs: readonly Sym[], dy: readonly Sym[], of: readonly Sym[]): readonly Sym[] {
  const wanted = new Set(of.map(({ node }) => node));
  const order = ancestorsOf(outputs);
  const between = new Set<Node>();
  for (const node of order) {
    const uses = [...node.inputs, ...capturedBy(node)];
    if (wanted.has(node) || uses.some((sym) => between.has(sym.node))) between.add(node);
  }
  const walk: Walk = { pullBack, wanted: (source) => between.has(source.node) };
  const flows = new Map<Node, (Sym | null)[]>();
  const pour = (into: Sym, flow: Sym) => {
    const slots = flows.get(into.node) ?? into.node.outputs.map(() => null);
    const sofar = slots[into.output] ?? null;
    slots[into.output] = sofar === null ? flow : sumOf(sofar, flow);
    flows.set(into.node, slots);
  };
  for (const [i, output] of outputs.entries()) pour(output, dy[i]);
  for (const node of [...order].reverse()) {
    const arrived = flows.get(node);
    if (arrived === undefined || !between.has(node)) continue;
    const y = node.outputs.map((type, output) => ({ node, output, ...type }));
    const rule = gradients[node.op] as GradientRule<Op>;
    const sources = [...node.inputs, ...capturedBy(node)];
    rule(arrived, node, y, walk).forEach((flow, i) => {
      const source = sources[i];
      if (flow === null || !between.has(source.node)) return;
      if (!sameShape(flow.shape, source.shape)) {
        throw new InternalError(`the gradient of ${node.op} is [${flow.shape}], its input [${source.shape}]`);
      }
      pour(source, flow);
    });
  }
  return of.map((sym) => flows.get(sym.node)?.[sym.output] ?? fill(sym.shape, 0, sym.dtype));
}

/** a + b. A negation is not computed: a + (−b) = a − b, also after rounding. */
function sumOf(a: Sym, b: Sym): Sym {
  if (isOp(b.node, "Neg")) return sub(a, b.node.inputs[0]);
  return isOp(a.node, "Neg") ? sub(b, a.node.inputs[0]) : add(a, b);
}
