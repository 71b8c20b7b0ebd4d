import { create, toBinary } from "@bufbuild/protobuf";
import { InternalError } from "../../base/errors.ts";
import type { NdArray } from "../arrays/array.ts";
import { knownSize } from "./dim.ts";
import { type Emission, emitRules } from "./emit-rules.ts";
import { gpuForms } from "./gpu-forms.ts";
import { ancestorsOf, type Graph } from "./graph.ts";
import { GraphError } from "./graph-error.ts";
import { dataType, initializer, nodeProto, type ParameterBinding, valueInfo } from "./onnx-messages.ts";
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
} from "./onnx-schema.ts";
import { Scope, type Target } from "./onnx-scope.ts";
import { resolveAxis } from "./shapes.ts";
import { isOp, type Node, type OpAttributes, type Sym } from "./sym.ts";

type GpuForm = (inputs: readonly Sym[], attributes: Node["attributes"]) => Sym;

const OPSET = 20;
const IR_VERSION = 9;
/** Operators of ONNX Runtime that are not part of ONNX. */
const CONTRIB = "com.microsoft";

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
  for (const node of graph.nodes) emit(scope, node);
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

/** Adds the ONNX nodes of a node whose inputs have names, and names its outputs. */
function emit(scope: Scope, node: Node): void {
  if (scope.knows(node)) return;
  const gpuForm = scope.target === "gpu" ? gpuForms[node.op] : undefined;
  if (gpuForm !== undefined) emitForm(scope, node, gpuForm as GpuForm);
  else if (isOp(node, "Input") || isOp(node, "Parameter")) scope.bind(node, [node.attributes.name]);
  else if (isOp(node, "Constant")) scope.bind(node, [scope.constant(node.attributes.array)]);
  else if (isOp(node, "LoadParameter")) emitLoad(scope, node);
  else if (isOp(node, "Scan")) emitScan(scope, node);
  else if (isOp(node, "Reshape")) emitReshape(scope, node);
  else if (isOp(node, "Expand")) {
    scope.bind(node, [
      scope.add("Expand", [scope.nameOf(node.inputs[0]), scope.shapeVector(node.attributes.shape)]),
    ]);
  } else if (isOp(node, "Fill")) {
    const { shape, value, dtype } = node.attributes;
    const one = scope.add("Cast", [scope.constant(float32Scalar(value))], { to: dataType(dtype) });
    scope.bind(node, [scope.add("Expand", [one, scope.shapeVector(shape)])]);
  } else if (isOp(node, "Range")) {
    const size = scope.add("Squeeze", [scope.shapeVector([node.attributes.size])]);
    scope.bind(node, [scope.add("Range", [scope.integer(0), size, scope.integer(1)])]);
  } else if (isOp(node, "Pad")) {
    emitPad(scope, node);
  } else if (isOp(node, "CumSum")) {
    const { axis, exclusive, reverse } = node.attributes;
    const attributes = { exclusive: Number(exclusive), reverse: Number(reverse) };
    scope.bind(node, [scope.add("CumSum", [scope.nameOf(node.inputs[0]), scope.integer(axis)], attributes)]);
  } else if (isOp(node, "Unfold")) {
    const rows = windows(
      scope,
      knownSize(node.outputs[0].shape[1], "the number of windows"),
      node.attributes,
    );
    scope.bind(node, [scope.add("Gather", [scope.nameOf(node.inputs[0]), rows], { axis: 1 })]);
  } else if (isOp(node, "LinearAttention")) emitLinearAttention(scope, node);
  else if (isOp(node, "QuantizeLinear")) emitQuantizeLinear(scope, node);
  else if (isOp(node, "MatMulIntegerToFloat")) emitIntegerProduct(scope, node);
  else emitOne(scope, node);
}

/** Emits other ops in place of one, whose inputs are known. */
function emitForm(scope: Scope, node: Node, form: GpuForm): void {
  const result = form(node.inputs, node.attributes);
  const emitBehind = (inner: Node): void => {
    if (scope.knows(inner)) return;
    for (const sym of inner.inputs) emitBehind(sym.node);
    emit(scope, inner);
  };
  emitBehind(result.node);
  scope.bind(node, [scope.nameOf(result)]);
}

/**
 * A reshape to the parameter's own shape, each size a 0 that is computed from the other tensor: ONNX Runtime
 * can neither evaluate it when the session opens nor run it before that tensor is known.
 */
function emitLoad(scope: Scope, node: Node): void {
  const [parameter, after] = node.inputs;
  const axis = after.shape.findIndex((dim) => typeof dim === "string");
  const size = scope.add("Shape", [scope.nameOf(after)], { start: axis, end: axis + 1 });
  const zeros = scope.add("Mul", [size, scope.vector(parameter.shape.map(() => 0))]);
  const view = scope.add("Reshape", [scope.nameOf(parameter), zeros]);
  const isFloat32 = parameter.dtype === "float32";
  scope.bind(node, [isFloat32 ? view : scope.add("Cast", [view], { to: dataType("float32") })]);
}

/** With the pads of every axis: ONNX Runtime's pass over transpositions ignores `axes`. */
function emitPad(scope: Scope, node: Node<"Pad"> & Node): void {
  const { axis, before, after, value } = node.attributes;
  const rank = node.inputs[0].shape.length;
  const at = resolveAxis(axis, rank);
  const pads = [before, after].flatMap((amount) =>
    Array.from({ length: rank }, (_, i) => (i === at ? amount : 0)),
  );
  const amounts = [scope.vector(pads), scope.constant(float32Scalar(value))];
  scope.bind(node, [scope.add("Pad", [scope.nameOf(node.inputs[0]), ...amounts])]);
}

/** The second output, the states after the last token, is unused, but the WebGPU kernel writes it. */
function emitLinearAttention(scope: Scope, node: Node): void {
  const [q, k, v, decay] = node.inputs.map((sym) => scope.nameOf(sym));
  const heads = knownSize(node.outputs[0].shape[2], "the number of channels");
  const names = [scope.fresh(), scope.fresh()];
  const attributes = { update_rule: "gated", q_num_heads: 1, kv_num_heads: heads, scale: { real: 1 } };
  const inputs = [q, k, v, "", decay];
  scope.nodes.push(nodeProto("LinearAttention", inputs, names, attributes, CONTRIB));
  scope.bind(node, names);
}

/** The zero points, one per row, determine the type. */
function emitQuantizeLinear(scope: Scope, node: Node<"QuantizeLinear"> & Node): void {
  const [x, scale] = node.inputs;
  const zero = scope.add("Expand", [zeroPoint(scope, node.attributes.to), scope.shapeVector(scale.shape)]);
  const inputs = [scope.nameOf(x), scope.nameOf(scale), zero];
  scope.bind(node, [scope.add("QuantizeLinear", inputs, { axis: 0 })]);
}

function emitIntegerProduct(scope: Scope, node: Node): void {
  const [a, b, scale] = node.inputs.map((sym) => scope.nameOf(sym));
  const one = scope.constant(float32Scalar(1));
  const name = scope.fresh();
  const inputs = [a, b, one, scale, zeroPoint(scope, "uint8")];
  scope.nodes.push(nodeProto("MatMulIntegerToFloat", inputs, [name], {}, CONTRIB));
  scope.bind(node, [name]);
}

function zeroPoint(scope: Scope, dtype: "uint8" | "int8"): string {
  const data = dtype === "uint8" ? Uint8Array.of(128) : Int8Array.of(0);
  return scope.constant({ dtype, shape: [], data });
}

function emitOne(scope: Scope, node: Node): void {
  const rule = emitRules[node.op as keyof typeof emitRules] as (attributes: unknown) => Emission;
  const { attributes = {}, trailing = [] } = rule(node.attributes);
  const inputs = [...node.inputs.map((sym) => scope.nameOf(sym)), ...trailing.map((v) => scope.vector(v))];
  const outputs = node.outputs.map(() => scope.fresh());
  const all = isOp(node, "Cast") ? { to: dataType(node.attributes.to) } : attributes;
  scope.nodes.push(nodeProto(node.op, inputs, outputs, all));
  scope.bind(node, outputs);
  if (isOp(node, "Compress")) {
    const { size } = node.attributes;
    scope.defineSize(size, { input: outputs[0], axis: node.outputs[0].shape.indexOf(size) });
  }
}

/**
 * 0 keeps the size of the input at that axis, and one −1 is inferred; only other symbolic sizes are
 * computed at run time.
 */
function emitReshape(scope: Scope, node: Node<"Reshape"> & Node): void {
  const { shape } = node.attributes;
  const from = node.inputs[0].shape;
  const kept = shape.map((dim, i) => (typeof dim === "string" && dim === from[i] ? 0 : dim));
  const open = kept.filter((dim) => typeof dim === "string").length;
  const target =
    open > 1
      ? scope.shapeVector(shape)
      : scope.vector(kept.map((dim) => (typeof dim === "string" ? -1 : dim)));
  scope.bind(node, [scope.add("Reshape", [scope.nameOf(node.inputs[0]), target])]);
}

function emitScan(scope: Scope, node: Node<"Scan"> & Node): void {
  const { states, elements, results, axis, reverse } = node.attributes;
  const body = new Scope(scope.graph, scope.target, scope);
  for (const sym of [...states, ...elements]) {
    const { node: input } = sym;
    if (!isOp(input, "Input")) throw new InternalError(`the body of a loop reads a ${input.op}`);
    const { name, dtype, shape } = input.attributes;
    body.inputs.push(valueInfo(name, dtype, shape));
    body.bind(input, [name]);
  }
  for (const inner of ancestorsOf(results)) emit(body, inner);
  const taken = new Set<string>();
  const outputs = results.map((sym) => {
    const name = body.resultName(sym, taken);
    taken.add(name);
    return valueInfo(name, sym.dtype, sym.shape);
  });
  const emitted = results.length - states.length;
  const names = results.map(() => scope.fresh());
  const directions = Number(reverse);
  const proto = nodeProto(
    "Scan",
    node.inputs.map((sym) => scope.nameOf(sym)),
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
      g: body.toProto(scope.fresh("body"), outputs),
    }),
  );
  scope.nodes.push(proto);
  scope.bind(node, names);
}

/** Row numbers of each window, [windows, kernel]. */
function windows(scope: Scope, count: number, { kernel }: OpAttributes["Unfold"]): string {
  const data = BigInt64Array.from({ length: count * kernel }, (_, i) =>
    BigInt(Math.floor(i / kernel) + (i % kernel)),
  );
  return scope.constant({ dtype: "int64", shape: [count, kernel], data });
}

function float32Scalar(value: number): NdArray {
  return { dtype: "float32", shape: [], data: Float32Array.of(value) };
}
