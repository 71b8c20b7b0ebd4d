import { InputError, InternalError } from "../../base/errors.ts";
import { dataOf, elementCount, type NdArray } from "../arrays/array.ts";
import { graphOf } from "../graph/graph.ts";
import { isOp, type Sym } from "../graph/sym.ts";

/** Vectors of a training state that have a value for each trained value. */
const PER_VALUE = ["parameter", "m", "v", "sum"] as const;

/** Vectors of a training state that have a value for each group of parameters. */
const PER_GROUP = ["reached", "steps"] as const;

export type StateName = (typeof PER_VALUE)[number] | (typeof PER_GROUP)[number];

export interface TrainedSymbol {
  readonly name: string;
  readonly sym: Sym;
}

/** The trained parameters of a loss. @throws {InputError} when one is not in the graph */
export function trainedSymbols(loss: Sym, trained: Iterable<string>): readonly TrainedSymbol[] {
  const byName = new Map(
    graphOf({ loss }).nodes.flatMap((node) =>
      isOp(node, "Parameter") ? [[node.attributes.name, node] as const] : [],
    ),
  );
  return [...trained].map((name) => {
    const node = byName.get(name);
    if (node === undefined) throw new InputError(`the loss does not depend on the trained parameter ${name}`);
    return { name, sym: { node, output: 0, ...node.outputs[0] } };
  });
}

interface Place {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
  /** 0 for parameters that every batch uses. */
  readonly group: number;
}

/**
 * Trained parameters one after another in one vector, so that an optimiser step takes a few ops for all of
 * them. Parameters that a batch may skip under the same condition form a group.
 */
export class FlatParameters {
  readonly places: readonly Place[];
  /** Number of trained values. */
  readonly length: number;
  /** Conditions of the groups from 1 on: whether a batch uses their parameters. */
  readonly conditions: readonly Sym[];

  constructor(
    symbols: readonly TrainedSymbol[],
    reached: ReadonlyMap<string, Sym> = new Map(),
    private readonly accumulating = false,
  ) {
    const groups = new Map<Sym, number>();
    const groupOf = (condition: Sym) => {
      const group = groups.get(condition) ?? groups.size + 1;
      groups.set(condition, group);
      return group;
    };
    let offset = 0;
    this.places = symbols.map(({ name, sym }) => {
      const condition = reached.get(name);
      const shape = sym.shape.map((dim) => {
        if (typeof dim === "number") return dim;
        throw new InternalError(`the trained parameter ${name} has the symbolic size ${dim}`);
      });
      const size = elementCount(shape);
      const place = { name, shape, offset, size, group: condition === undefined ? 0 : groupOf(condition) };
      offset += size;
      return place;
    });
    this.length = offset;
    this.conditions = [...groups.keys()];
  }

  /** Names of the vectors of a state. */
  get names(): readonly StateName[] {
    const perValue = PER_VALUE.filter((name) => name !== "sum" || this.accumulating);
    return this.conditions.length === 0 ? perValue : [...perValue, ...PER_GROUP];
  }

  /** Vectors from named arrays: `m NAME`. @throws {InternalError} when one is missing */
  flatten(arrays: ReadonlyMap<string, NdArray>, step: number): ReadonlyMap<StateName, NdArray> {
    const named = (kind: string, { name }: Place) => {
      const array = arrays.get(`${kind} ${name}`);
      if (array === undefined) throw new InternalError(`the training state lacks ${kind} ${name}`);
      return dataOf(array, "float32");
    };
    return new Map(
      this.names.map((kind) => {
        if (kind === "reached" || kind === "steps") {
          const data = new Float32Array(this.conditions.length + 1);
          if (kind === "steps") data[0] = step;
          for (const place of this.places) if (place.group > 0) data[place.group] = named(kind, place)[0];
          return [kind, vector(data)];
        }
        const data = new Float32Array(this.length);
        for (const place of this.places) data.set(named(kind, place), place.offset);
        return [kind, vector(data)];
      }),
    );
  }

  /** Named arrays by parameter, which share the memory of the vectors. */
  named(state: ReadonlyMap<string, NdArray>): Map<string, NdArray> {
    const vectors = this.names.map((kind) => [kind, stateVector(state, kind)] as const);
    const arrays = new Map<string, NdArray>();
    for (const { name, shape, offset, size, group } of this.places) {
      for (const [kind, values] of vectors) {
        if (kind !== "reached" && kind !== "steps") {
          const data = values.subarray(offset, offset + size);
          arrays.set(`${kind} ${name}`, { dtype: "float32", shape, data });
        } else if (group > 0) {
          const data = values.slice(group, group + 1);
          arrays.set(`${kind} ${name}`, { dtype: "float32", shape: [], data });
        }
      }
    }
    return arrays;
  }

  /** Group of each value, int32 [length]. */
  groupOfValues(): NdArray {
    const data = new Int32Array(this.length);
    for (const { offset, size, group } of this.places) data.fill(group, offset, offset + size);
    return { dtype: "int32", shape: [this.length], data };
  }
}

/** Values of a vector of a state in memory. @throws {InternalError} when the state lacks it */
export function stateVector(state: ReadonlyMap<string, NdArray>, kind: StateName): Float32Array {
  const array = state.get(kind);
  if (array === undefined) throw new InternalError(`the training state lacks ${kind}`);
  return dataOf(array, "float32");
}

const vector = (data: Float32Array): NdArray => ({ dtype: "float32", shape: [data.length], data });
