import { create, toBinary } from "@bufbuild/protobuf";
import { InternalError } from "../../base/errors.ts";
import { elementCount, type NdArray } from "../arrays/array.ts";
import { type Dim, dimTerms, type Shape } from "./dim.ts";
import { type Emission, emitRules, type OnnxAttribute } from "./emit-rules.ts";
import { gpuForms } from "./gpu-forms.ts";
import { type Graph, nodesBehind, symbolSources } from "./graph.ts";
import { GraphError } from "./graph-error.ts";
import { dataType, initializer, nodeProto, type ParameterBinding, valueInfo } from "./onnx-messages.ts";
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./onnx-schema.ts";
import { resolveAxis } from "./shapes.ts";
import { isOp, type Node, type OpAttributes, type Sym } from "./sym.ts";

type GpuForm = (inputs: readonly Sym[], attributes: Node["attributes"]) => Sym;

const OPSET = 20;
const IR_VERSION = 9;
/** Operators of ONNX Runtime that are not part of ONNX. */
const CONTRIB = "com.microsoft";

/** CPU, or one of the devices for which `gpuForms` replaces ops. */
export type Target = "cpu" | "gpu";

/**
 * Serialises a graph as an ONNX model (opset 20).
 *
 * @param bindings  one per parameter
 * @param target    processor for which the ops are chosen
 * @throws {GraphError} when a parameter has no binding, or a symbolic size occurs in no input
 */
export function toOnnx(
  graph: Graph,
  bindings: ReadonlyMap<string, ParameterBinding>,
  target: Target = "cpu",
): Uint8Array {
  const scope = new Scope(graph, target);
  for (const { attributes } of graph.inputs) {
    scope.inputs.push(valueInfo(attributes.name, attributes.dtype, attributes.shape));
  }
  for (const { attributes } of graph.parameters) {
    const binding = bindings.get(attributes.name);
    if (binding === undefined) throw new GraphError(`parameter ${attributes.name} has no binding`);
    if (binding.kind === "fed") {
      scope.inputs.push(valueInfo(attributes.name, attributes.dtype, attributes.shape));
    } else if (binding.kind === "flat") scope.takeFrom(binding, attributes);
    else scope.initializers.push(initializer(attributes.name, attributes, binding));
  }
  for (const node of graph.nodes) scope.emit(node);
  const outputs = Object.entries(graph.outputs).map(([name, sym]) => {
    scope.nodes.push(nodeProto("Identity", [scope.nameOf(sym)], [name]));
    return valueInfo(name, sym.dtype, sym.shape);
  });
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(IR_VERSION),
    opsetImport: [
      { domain: "", version: BigInt(OPSET) },
      ...(graph.nodes.some((node) => isOp(node, "LinearAttention") || isOp(node, "MatMulIntegerToFloat"))
        ? [{ domain: CONTRIB, version: 1n }]
        : []),
    ],
    producerName: "dart-eval",
    graph: scope.toProto("program", outputs),
  });
  return toBinary(ModelProtoSchema, model);
}

/**
 * Names and nodes of one ONNX graph. The body of a loop is a nested scope that sees the names of the outer
 * one.
 */
class Scope {
  readonly nodes: NodeProto[] = [];
  readonly inputs: ValueInfoProto[] = [];
  readonly initializers: TensorProto[] = [];
  private readonly names = new Map<Node, readonly string[]>();
  private readonly vectors = new Map<string, string>();
  private readonly sources: Map<string, { input: string; axis: number }>;
  private readonly counter: { next: number };

  constructor(
    private readonly graph: Graph,
    private readonly target: Target,
    private readonly outer?: Scope,
  ) {
    this.sources = outer?.sources ?? new Map(symbolSources(graph.inputs));
    this.counter = outer?.counter ?? { next: 0 };
  }

  toProto(name: string, output: ValueInfoProto[]): GraphProto {
    const { nodes: node, inputs, initializers } = this;
    return create(GraphProtoSchema, { name, node, input: inputs, output, initializer: initializers });
  }

  knows(node: Node): boolean {
    return this.names.has(node) || (this.outer?.knows(node) ?? false);
  }

  nameOf({ node, output }: Sym): string {
    const names = this.names.get(node);
    if (names !== undefined) return names[output];
    if (this.outer === undefined) throw new InternalError(`a ${node.op} is used before it is computed`);
    return this.outer.nameOf({ node, output } as Sym);
  }

  bind(node: Node, names: readonly string[]): void {
    this.names.set(node, names);
  }

  private fresh(): string {
    return `%${this.counter.next++}`;
  }

  private add(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const name = this.fresh();
    this.nodes.push(nodeProto(op, inputs, [name], attributes));
    return name;
  }

  emit(node: Node): void {
    if (this.knows(node)) return;
    const gpuForm = this.target === "gpu" ? gpuForms[node.op] : undefined;
    if (gpuForm !== undefined) this.emitForm(node, gpuForm as GpuForm);
    else if (isOp(node, "Input") || isOp(node, "Parameter")) this.bind(node, [node.attributes.name]);
    else if (isOp(node, "Constant")) this.bind(node, [this.constant(node.attributes.array)]);
    else if (isOp(node, "Scan")) this.emitScan(node);
    else if (isOp(node, "Reshape")) this.emitReshape(node);
    else if (isOp(node, "Expand")) {
      this.bind(node, [
        this.add("Expand", [this.nameOf(node.inputs[0]), this.shapeVector(node.attributes.shape)]),
      ]);
    } else if (isOp(node, "Fill")) {
      const { shape, value, dtype } = node.attributes;
      const one = this.add("Cast", [this.constant(float32Scalar(value))], { to: dataType(dtype) });
      this.bind(node, [this.add("Expand", [one, this.shapeVector(shape)])]);
    } else if (isOp(node, "Range")) {
      const size = this.add("Squeeze", [this.shapeVector([node.attributes.size])]);
      this.bind(node, [this.add("Range", [this.integer(0), size, this.integer(1)])]);
    } else if (isOp(node, "Pad")) {
      this.emitPad(node);
    } else if (isOp(node, "CumSum")) {
      const { axis, exclusive, reverse } = node.attributes;
      const attributes = { exclusive: Number(exclusive), reverse: Number(reverse) };
      this.bind(node, [this.add("CumSum", [this.nameOf(node.inputs[0]), this.integer(axis)], attributes)]);
    } else if (isOp(node, "Unfold")) {
      const rows = this.windows(node.outputs[0].shape[1] as number, node.attributes);
      this.bind(node, [this.add("Gather", [this.nameOf(node.inputs[0]), rows], { axis: 1 })]);
    } else if (isOp(node, "LinearAttention")) this.emitLinearAttention(node);
    else if (isOp(node, "QuantizeLinear")) this.emitQuantizeLinear(node);
    else if (isOp(node, "MatMulIntegerToFloat")) this.emitIntegerProduct(node);
    else this.emitOne(node);
  }

  /** Emits other ops in place of one, whose inputs are known. */
  private emitForm(node: Node, form: GpuForm): void {
    const result = form(node.inputs, node.attributes);
    const emitBehind = (inner: Node): void => {
      if (this.knows(inner)) return;
      for (const sym of inner.inputs) emitBehind(sym.node);
      this.emit(inner);
    };
    emitBehind(result.node);
    this.bind(node, [this.nameOf(result)]);
  }

  /** With the pads of every axis: ONNX Runtime's pass over transpositions ignores `axes`. */
  private emitPad(node: Node<"Pad"> & Node): void {
    const { axis, before, after, value } = node.attributes;
    const rank = node.inputs[0].shape.length;
    const at = resolveAxis(axis, rank);
    const pads = [before, after].flatMap((amount) =>
      Array.from({ length: rank }, (_, i) => (i === at ? amount : 0)),
    );
    const amounts = [this.vector(pads), this.constant(float32Scalar(value))];
    this.bind(node, [this.add("Pad", [this.nameOf(node.inputs[0]), ...amounts])]);
  }

  /** The second output, the states after the last token, is unused, but the WebGPU kernel writes it. */
  private emitLinearAttention(node: Node): void {
    const [q, k, v, decay] = node.inputs.map((sym) => this.nameOf(sym));
    const heads = node.outputs[0].shape[2] as number;
    const names = [this.fresh(), this.fresh()];
    const attributes = { update_rule: "gated", q_num_heads: 1, kv_num_heads: heads, scale: { real: 1 } };
    const inputs = [q!, k!, v!, "", decay!];
    this.nodes.push(nodeProto("LinearAttention", inputs, names, attributes, CONTRIB));
    this.bind(node, names);
  }

  /** The zero points, one per row, determine the type. */
  private emitQuantizeLinear(node: Node<"QuantizeLinear"> & Node): void {
    const [x, scale] = node.inputs;
    const zero = this.add("Expand", [this.zeroPoint(node.attributes.to), this.shapeVector(scale!.shape)]);
    const inputs = [this.nameOf(x!), this.nameOf(scale!), zero];
    this.bind(node, [this.add("QuantizeLinear", inputs, { axis: 0 })]);
  }

  private emitIntegerProduct(node: Node): void {
    const [a, b, scale] = node.inputs.map((sym) => this.nameOf(sym));
    const one = this.constant(float32Scalar(1));
    const name = this.fresh();
    const inputs = [a!, b!, one, scale!, this.zeroPoint("uint8")];
    this.nodes.push(nodeProto("MatMulIntegerToFloat", inputs, [name], {}, CONTRIB));
    this.bind(node, [name]);
  }

  private zeroPoint(dtype: "uint8" | "int8"): string {
    const data = dtype === "uint8" ? Uint8Array.of(128) : Int8Array.of(0);
    return this.constant({ dtype, shape: [], data });
  }

  private emitOne(node: Node): void {
    const rule = emitRules[node.op as keyof typeof emitRules] as (attributes: unknown) => Emission;
    const { attributes = {}, trailing = [] } = rule(node.attributes);
    const inputs = [...node.inputs.map((sym) => this.nameOf(sym)), ...trailing.map((v) => this.vector(v))];
    const outputs = node.outputs.map(() => this.fresh());
    const all = isOp(node, "Cast") ? { to: dataType(node.attributes.to) } : attributes;
    this.nodes.push(nodeProto(node.op, inputs, outputs, all));
    this.bind(node, outputs);
    if (isOp(node, "Compress") && !this.sources.has(node.attributes.size)) {
      const { size } = node.attributes;
      this.sources.set(size, { input: outputs[0], axis: node.outputs[0].shape.indexOf(size) });
    }
  }

  /**
   * 0 keeps the size of the input at that axis, and one −1 is inferred; only other symbolic sizes are
   * computed at run time.
   */
  private emitReshape(node: Node<"Reshape"> & Node): void {
    const { shape } = node.attributes;
    const from = node.inputs[0].shape;
    const kept = shape.map((dim, i) => (typeof dim === "string" && dim === from[i] ? 0 : dim));
    const open = kept.filter((dim) => typeof dim === "string").length;
    const target =
      open > 1
        ? this.shapeVector(shape)
        : this.vector(kept.map((dim) => (typeof dim === "string" ? -1 : dim)));
    this.bind(node, [this.add("Reshape", [this.nameOf(node.inputs[0]), target])]);
  }

  private emitScan(node: Node<"Scan"> & Node): void {
    const { states, elements, results, axis, reverse } = node.attributes;
    const body = new Scope(this.graph, this.target, this);
    for (const sym of [...states, ...elements]) {
      const { name, dtype, shape } = (sym.node as Node<"Input">).attributes;
      body.inputs.push(valueInfo(name, dtype, shape));
      body.bind(sym.node, [name]);
    }
    for (const inner of nodesBehind(results)) body.emit(inner);
    const taken = new Set<string>();
    const outputs = results.map((sym) => {
      const name = body.resultName(sym, taken);
      taken.add(name);
      return valueInfo(name, sym.dtype, sym.shape);
    });
    const emitted = results.length - states.length;
    const names = results.map(() => this.fresh());
    const directions = Number(reverse);
    const proto = nodeProto(
      "Scan",
      node.inputs.map((sym) => this.nameOf(sym)),
      names,
      {
        num_scan_inputs: elements.length,
        scan_input_axes: elements.map(() => axis),
        scan_input_directions: elements.map(() => directions),
        scan_output_axes: Array.from({ length: emitted }, () => axis),
        scan_output_directions: Array.from({ length: emitted }, () => directions),
      },
    );
    proto.attribute.push(
      create(AttributeProtoSchema, {
        name: "body",
        type: AttributeType.GRAPH,
        g: body.toProto(`body${this.counter.next++}`, outputs),
      }),
    );
    this.nodes.push(proto);
    this.bind(node, names);
  }

  /**
   * Name for a result of a loop's body: its own where a node of the body computes it and no other result uses
   * the name. Copies would be one more pass over the states at every step.
   */
  private resultName(sym: Sym, taken: ReadonlySet<string>): string {
    const name = this.nameOf(sym);
    const made = this.nodes.some(({ output }) => output.includes(name));
    return made && !taken.has(name) ? name : this.add("Identity", [name]);
  }

  private constant(array: NdArray): string {
    const name = this.fresh();
    this.initializers.push(initializer(name, array, { kind: "inline", array }));
    return name;
  }

  /** Row numbers of each window, [windows, kernel]. */
  private windows(count: number, { kernel }: OpAttributes["Unfold"]): string {
    const data = BigInt64Array.from({ length: count * kernel }, (_, i) =>
      BigInt(Math.floor(i / kernel) + (i % kernel)),
    );
    return this.constant({ dtype: "int64", shape: [count, kernel], data });
  }

  private integer(value: number): string {
    return this.constant({ dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(value)) });
  }

  /** A constant int64 vector, stored once per scope. */
  private vector(values: readonly number[]): string {
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
  private shapeVector(shape: Shape): string {
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

  private symbol(symbol: string): string {
    const source = this.sources.get(symbol);
    if (source === undefined) throw new GraphError(`no input has the size ${symbol}`);
    const { input, axis } = source;
    return this.add("Shape", [input], { start: axis, end: axis + 1 });
  }
}

function float32Scalar(value: number): NdArray {
  return { dtype: "float32", shape: [], data: Float32Array.of(value) };
}
