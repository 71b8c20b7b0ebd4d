import { InternalError } from "../../base/errors.ts";
import { formatShape } from "../arrays/array.ts";
import type { Dim } from "./dim.ts";
import type { Sym } from "./sym.ts";

/** Checks a tensor against named axes, such as `"b t d"`, and gives it back. */
export type Shaped = (x: Sym, axes: string) => Sym;

/**
 * Names for the axes of one model: `named({ b: "b", t: "t", d: 768 })`. A model states the axes of a result where the shape
 * changes; a mistake is found when the graph is built, by name.
 *
 * @throws {InternalError} when the rank or a size differs, or a name is unknown
 */
export function named(sizes: Readonly<Record<string, Dim>>): Shaped {
  return (x, axes) => {
    const names = axes.split(" ").filter((name) => name !== "");
    const expected = names.map((name) => {
      if (!(name in sizes))
        throw new InternalError(`axis ${JSON.stringify(name)} is not among ${Object.keys(sizes)}`);
      return sizes[name]!;
    });
    const wrong = names.findIndex((_, i) => expected[i] !== x.shape[i]);
    if (wrong >= 0 || names.length !== x.shape.length) {
      const at = wrong >= 0 && wrong < x.shape.length ? ` (axis ${names[wrong]})` : "";
      throw new InternalError(
        `${x.node.op} gave ${formatShape(x.shape)}, expected ${axes} = ${formatShape(expected)}${at}`,
      );
    }
    return x;
  };
}
