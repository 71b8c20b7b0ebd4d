import type { DType } from "../arrays/array.ts";
import { withInputs } from "./apply.ts";
import { cast, gather, loadParameter, parameter } from "./build.ts";
import { ancestorsOf, capturedBy } from "./graph.ts";
import { isOp, type Node, type Sym } from "./sym.ts";

/** A parameter as its file has it. */
export interface FileParameter {
  /** float32, bfloat16 or float16. */
  readonly dtype: DType;
  /** The parameter is loaded for each use, instead of held as float32 for as long as the program is open. */
  readonly perUse: boolean;
}

/**
 * The graph with parameters in the types of their files, converted to float32.
 *
 * A held parameter is converted when the program is opened. One that is loaded per use is converted each time
 * an op needs it and its other inputs are known, so that only the parameters of a few ops are in memory as
 * float32 at once. Of a table, rows are selected before they are converted.
 *
 * @param files  parameters in files, by name; all others are left as they are
 */
export function withFileTypes(
  outputs: readonly Sym[],
  files: ReadonlyMap<string, FileParameter>,
): readonly Sym[] {
  const fed = new Set<Node>();
  const rebuilt = new Map<Node, readonly Sym[]>();
  const renewed = (sym: Sym): Sym => rebuilt.get(sym.node)?.[sym.output] ?? sym;
  const held = new Map<string, Sym>();
  let latest: Sym | undefined;

  const heldAsFloat32 = (stored: Sym, name: string): Sym => {
    const known = held.get(name) ?? cast(stored, "float32");
    held.set(name, known);
    return known;
  };

  for (const node of ancestorsOf(outputs)) {
    const uses = [...node.inputs, ...capturedBy(node)];
    const after = uses.find((sym) => fed.has(sym.node) && hasSymbol(sym)) ?? latest;
    const loaded = new Map<string, Sym>();
    const given = (sym: Sym): Sym => {
      const found = inFile(sym, files);
      if (found === undefined) return renewed(sym);
      const { name, stored, perUse } = found;
      if (!perUse || after === undefined) {
        return stored.dtype === "float32" ? renewed(sym) : heldAsFloat32(stored, name);
      }
      const known = loaded.get(name) ?? loadParameter(stored, renewed(after));
      loaded.set(name, known);
      return known;
    };
    const table = isOp(node, "Gather") ? inFile(node.inputs[0], files) : undefined;
    if (isOp(node, "Gather") && table?.perUse) {
      const rows = gather(table.stored, renewed(node.inputs[1]), node.attributes.axis);
      rebuilt.set(node, [cast(rows, "float32")]);
    } else {
      const made = withInputs(node, given);
      if (made !== undefined) rebuilt.set(node, made);
    }
    if (!isOp(node, "Input") && !uses.some((sym) => fed.has(sym.node))) continue;
    fed.add(node);
    const last = { node, output: 0, ...node.outputs[0] };
    if (hasSymbol(last)) latest = last;
  }
  return outputs.map((sym) => {
    const found = inFile(sym, files);
    return found === undefined ? renewed(sym) : heldAsFloat32(found.stored, found.name);
  });
}

function inFile({ node }: Sym, files: ReadonlyMap<string, FileParameter>) {
  if (!isOp(node, "Parameter")) return undefined;
  const { name, shape } = node.attributes;
  const file = files.get(name);
  if (file === undefined) return undefined;
  return { name, stored: parameter(name, shape, file.dtype), perUse: file.perUse };
}

const hasSymbol = ({ shape }: Sym) => shape.some((dim) => typeof dim === "string");
