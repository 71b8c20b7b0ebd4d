import { valueAt } from "../../base/record.ts";
import { formatShape } from "../arrays/array.ts";
import type { Graph } from "./graph.ts";
import { ancestorsOf } from "./graph.ts";
import type { Node, Sym } from "./sym.ts";
import { isOp } from "./sym.ts";

/**
 * A graph as text, one line per node: `%3 [b, t, 768] = MatMul(%1, %2)`. Inputs and parameters appear by
 * name; the body of a loop is indented. For reading, and for tests of the form of a graph.
 */
export function printGraph(graph: Graph): string {
  const names = new Map<Node, string>();
  const lines = printNodes(graph.nodes, names, "");
  const outputs = Object.entries(graph.outputs).map(([name, sym]) => `${name} = ${nameOf(sym, names)}`);
  return [...lines, ...outputs].join("\n");
}

function nameOf({ node, output }: Sym, names: ReadonlyMap<Node, string>): string {
  const name = valueAt(names, node);
  return node.outputs.length === 1 ? name : `${name}.${output}`;
}

function printNodes(nodes: readonly Node[], names: Map<Node, string>, indent: string): string[] {
  return nodes.flatMap((node) => {
    if (names.has(node)) return [];
    if (isOp(node, "Input") || isOp(node, "Parameter")) {
      names.set(node, node.attributes.name);
      return [];
    }
    if (isOp(node, "Constant") && node.attributes.array.data.length === 1) {
      names.set(node, String(node.attributes.array.data[0]));
      return [];
    }
    const body = isOp(node, "Scan")
      ? printNodes(ancestorsOf(node.attributes.results), names, `${indent}  | `)
      : [];
    const results = isOp(node, "Scan")
      ? [`${indent}  | → ${node.attributes.results.map((sym) => nameOf(sym, names)).join(", ")}`]
      : [];
    const name = `%${names.size}`;
    names.set(node, name);
    const types = node.outputs.map(({ dtype, shape }) => {
      const kind = dtype === "float32" ? "" : `${dtype} `;
      return kind + formatShape(shape);
    });
    const args = [...node.inputs.map((sym) => nameOf(sym, names)), ...attributeTexts(node)];
    return [`${indent}${name} ${types.join(", ")} = ${node.op}(${args.join(", ")})`, ...body, ...results];
  });
}

/** Attributes that do not follow from the type of the output. */
function attributeTexts(node: Node): string[] {
  if (isOp(node, "Scan") || isOp(node, "Constant") || isOp(node, "Reshape") || isOp(node, "Expand"))
    return [];
  if (isOp(node, "Cast") || isOp(node, "Range")) return [];
  if (isOp(node, "Fill")) return [String(node.attributes.value)];
  return Object.entries(node.attributes)
    .filter(([, value]) => value !== false)
    .map(([key, value]) => {
      if (value === true) return key;
      const whole = value === Number.MAX_SAFE_INTEGER ? "…" : value;
      return `${key}=${Array.isArray(whole) ? `[${whole.join(" ")}]` : whole}`;
    });
}
