import { create } from "@bufbuild/protobuf";
import { InternalError } from "../../base/errors.ts";
import { elementCount, type NdArray } from "../arrays/array.ts";
import { chunkedSize, type Dim, dimTerms, type Shape } from "./dim.ts";
import type { OnnxAttribute } from "./emit-rules.ts";
import { type Graph, symbolSources } from "./graph.ts";
import { GraphError } from "./graph-error.ts";
import { initializer, nodeProto } from "./onnx-messages.ts";
import {
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./onnx-schema.ts";
import type { Node, Sym } from "./sym.ts";

/** CPU, or one of the devices for which `gpuForms` replaces ops. */
export type Target = "cpu" | "gpu";

/** The axis of an input, or of a node's output, whose size a symbol names. */
interface SizeSource {
  readonly input: string;
  readonly axis: number;
}

/**
 * Names and nodes of one ONNX graph. The body of a loop is a nested scope that sees the names of the outer
 * one.
 */
export class Scope {
  readonly nodes: NodeProto[] = [];
  readonly inputs: ValueInfoProto[] = [];
  readonly initializers: TensorProto[] = [];
  private readonly names = new Map<Node, readonly string[]>();
  private readonly vectors = new Map<string, string>();
  private readonly sources: Map<string, SizeSource>;
  private readonly counter: { next: number };

  constructor(
    readonly graph: Graph,
    readonly target: Target,
    private readonly outer?: Scope,
  ) {
    this.sources = outer?.sources ?? new Map(symbolSources(graph.inputs));
    this.counter = outer?.counter ?? { next: 0 };
  }

  /** The ONNX graph of all nodes added so far. */
  toProto(name: string, output: ValueInfoProto[]): GraphProto {
    const { nodes: node, inputs, initializers } = this;
    return create(GraphProtoSchema, { name, node, input: inputs, output, initializer: initializers });
  }

  /** True if this scope or an outer one has names for the outputs of a node. */
  knows(node: Node): boolean {
    return this.names.has(node) || (this.outer?.knows(node) ?? false);
  }

  /** @throws {InternalError} when no scope has computed the tensor */
  nameOf({ node, output }: Pick<Sym, "node" | "output">): string {
    const names = this.names.get(node);
    if (names !== undefined) return names[output];
    if (this.outer === undefined) throw new InternalError(`a ${node.op} is used before it is computed`);
    return this.outer.nameOf({ node, output });
  }

  /** Names the outputs of a node. */
  bind(node: Node, names: readonly string[]): void {
    this.names.set(node, names);
  }

  /** A name that the model does not have yet. */
  fresh(prefix = "%"): string {
    return `${prefix}${this.counter.next++}`;
  }

  /** Adds an ONNX node with one output, and returns its name. */
  add(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const name = this.fresh();
    this.nodes.push(nodeProto(op, inputs, [name], attributes));
    return name;
  }

  /**
   * Name for a result of a loop's body: its own where a node of the body computes it and no other result uses
   * the name. Copies would be one more pass over the states at every step.
   */
  resultName(sym: Sym, taken: ReadonlySet<string>): string {
    const name = this.nameOf(sym);
    const made = this.nodes.some(({ output }) => output.includes(name));
    return made && !taken.has(name) ? name : this.add("Identity", [name]);
  }

  /** Stores an array in the model. */
  constant(array: NdArray): string {
    const name = this.fresh();
    this.initializers.push(initializer(name, array, { kind: "inline", array }));
    return name;
  }

  /** An int64 constant without axes. */
  integer(value: number): string {
    return this.constant({ dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(value)) });
  }

  /** A constant int64 vector, stored once per scope. */
  vector(values: readonly number[]): string {
    const key = values.join();
    const known = this.vectors.get(key);
    if (known !== undefined) return known;
    const data = BigInt64Array.from(values, (value) => BigInt(value));
    const name = this.constant({ dtype: "int64", shape: [values.length], data });
    this.vectors.set(key, name);
    return name;
  }

  /** A parameter as a part of a vector. */
  takeFrom(
    { input, offset }: { readonly input: string; readonly offset: number },
    { name, shape }: { readonly name: string; readonly shape: readonly number[] },
  ): void {
    const bounds = [offset, offset + elementCount(shape), 0].map((value) => this.vector([value]));
    const part = this.add("Slice", [input, ...bounds]);
    this.nodes.push(nodeProto("Reshape", [part, this.vector(shape)], [name]));
  }

  /**
   * A shape as an int64 vector: a constant where every size is known, else computed from the shapes of the
   * inputs.
   */
  shapeVector(shape: Shape): string {
    if (shape.every((dim) => typeof dim === "number")) return this.vector(shape);
    return this.add(
      "Concat",
      shape.map((dim) => this.sizeOf(dim)),
      { axis: 0 },
    );
  }

  /** One size as an int64 vector of length 1. */
  private sizeOf(dim: Dim): string {
    if (typeof dim === "number") return this.vector([dim]);
    const terms = dimTerms(dim).map(({ coefficient, symbols }) =>
      symbols
        .map((symbol) => this.symbol(symbol))
        .reduce((product, factor) => this.add("Mul", [product, factor]), this.vector([coefficient])),
    );
    return terms.reduce((sum, term) => this.add("Add", [sum, term]));
  }

  /** Sets where a symbolic size is found that no input has, unless it is known. */
  defineSize(symbol: string, source: SizeSource): void {
    if (!this.sources.has(symbol)) this.sources.set(symbol, source);
  }

  private symbol(symbol: string): string {
    const chunked = chunkedSize(symbol);
    if (chunked !== undefined) {
      const rounded = this.add("Add", [this.symbol(chunked.of), this.vector([chunked.length - 1])]);
      return this.add("Div", [rounded, this.vector([chunked.length])]);
    }
    const source = this.sources.get(symbol);
    if (source === undefined) throw new GraphError(`no input has the size ${symbol}`);
    const { input, axis } = source;
    return this.add("Shape", [input], { start: axis, end: axis + 1 });
  }
}
