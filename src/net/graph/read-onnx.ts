import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { FormatError } from "../../base/errors.ts";
import { type DType, isFloat } from "../arrays/array.ts";
import { dtypeOf } from "./onnx-messages.ts";
import { StringStringEntryProtoSchema, type ValueInfoProto, ValueInfoProtoSchema } from "./onnx-schema.ts";

/** An input or output as declared by the model. */
export interface OnnxValue {
  readonly name: string;
  /** Undefined for values other than tensors, and for unsupported element types. */
  readonly dtype: DType | undefined;
  /** A number for a fixed size, a name or null for a free one; undefined when the model declares no shape. */
  readonly shape: readonly (number | string | null)[] | undefined;
}

/** Bytes of another file that contain the values of a tensor. */
export interface OnnxExternalData {
  /** Path as written in the model, relative to its folder. */
  readonly location: string;
  /** In bytes; without `length` up to the end of the file. */
  readonly offset: number;
  readonly length: number | undefined;
}

/** Values of a tensor of floats. */
export interface OnnxFloats {
  /** Name of an initializer; constants in nodes may have none. */
  readonly name: string;
  readonly dtype: DType;
  /** Bytes of the model, of another file, or the values, if they are stored as integers. */
  readonly values:
    | { readonly offset: number; readonly length: number }
    | { readonly external: OnnxExternalData }
    | { readonly data: Uint16Array };
}

/** Declarations of an ONNX model, known without running it. */
export interface OnnxSummary {
  /** Required inputs; inputs with a default value in the model are left out. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly external: readonly OnnxExternalData[];
  /** All tensors of type float64, float32, float16 and bfloat16 with values. */
  readonly floats: readonly OnnxFloats[];
}

/**
 * Reads an untrusted ONNX model: names and types of inputs and outputs, and every external file it refers to,
 * wherever a tensor may occur. Values are skipped, not copied.
 *
 * @throws {FormatError} when the bytes are not an ONNX model
 * @see https://github.com/onnx/onnx/blob/main/docs/IR.md, docs/ExternalData.md
 */
export function readOnnx(bytes: Uint8Array, file: string): OnnxSummary {
  const found: Found = {
    inputs: [],
    outputs: [],
    given: new Set(),
    external: [],
    floats: [],
    graphs: 0,
    bytes,
  };
  try {
    walk("model", bytes, found, 0);
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(
      { file },
      "this is not an ONNX model",
      "was it downloaded completely? A Git LFS pointer is a text of three lines",
      cause,
    );
  }
  if (found.graphs === 0) throw new FormatError({ file }, "this ONNX model has no graph");
  return {
    inputs: found.inputs.filter(({ name }) => !found.given.has(name)),
    outputs: found.outputs,
    external: found.external,
    floats: found.floats,
  };
}

interface Found {
  readonly inputs: OnnxValue[];
  readonly outputs: OnnxValue[];
  /** Names of the initializers of the outermost graph. */
  readonly given: Set<string>;
  readonly external: OnnxExternalData[];
  readonly floats: OnnxFloats[];
  graphs: number;
  /** The whole model. */
  readonly bytes: Uint8Array;
}

type Message = "model" | "graph" | "node" | "attribute" | "function" | "sparse" | "tensor";

/** Fields of each message that may contain a tensor, by number in onnx.proto3. */
const HOLDS: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: "graph", 25: "function" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  function: { 7: "node", 11: "attribute" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
  tensor: {},
};
const GRAPH = { initializer: 5, input: 11, output: 12 };
const TENSOR = {
  dataType: 2,
  floatData: 4,
  int32Data: 5,
  name: 8,
  rawData: 9,
  doubleData: 10,
  externalData: 13,
};

/** Messages inside messages; a graph inside an `If` inside a `Loop` is six deep. */
const MAX_DEPTH = 100;

function walk(message: Message, bytes: Uint8Array, found: Found, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(`nested more than ${MAX_DEPTH} deep`);
  const outermost = message === "graph" && depth === 1;
  if (outermost) found.graphs++;
  if (message === "tensor") readTensor(bytes, found);
  for (const [field, value] of delimitedFields(bytes)) {
    if (outermost && field === GRAPH.input) found.inputs.push(declared(value));
    if (outermost && field === GRAPH.output) found.outputs.push(declared(value));
    if (outermost && field === GRAPH.initializer) found.given.add(nameOfTensor(value));
    const inner = HOLDS[message][field];
    if (inner !== undefined) walk(inner, value, found, depth + 1);
  }
}

/** Adds the external data of a tensor, and the location of its values if they are floats. */
function readTensor(bytes: Uint8Array, found: Found): void {
  const entries: [string, string][] = [];
  const values: OnnxFloats["values"][] = [];
  const reader = new BinaryReader(bytes);
  let name = "";
  let dtype: DType | undefined;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === TENSOR.dataType && type === WireType.Varint) {
      dtype = dtypeOf(reader.int32());
      continue;
    }
    if (type !== WireType.LengthDelimited) {
      reader.skip(type, field);
      continue;
    }
    const value = reader.bytes();
    if (field === TENSOR.name) name = new TextDecoder().decode(value);
    if (field === TENSOR.rawData || field === TENSOR.floatData || field === TENSOR.doubleData) {
      values.push({ offset: value.byteOffset - found.bytes.byteOffset, length: value.length });
    }
    if (field === TENSOR.int32Data && (dtype === "float16" || dtype === "bfloat16")) {
      values.push({ data: packedIntegers(value) });
    }
    if (field === TENSOR.externalData) {
      const entry = fromBinary(StringStringEntryProtoSchema, value);
      entries.push([entry.key, entry.value]);
    }
  }
  if (entries.length > 0) {
    const external = externalData(new Map(entries));
    found.external.push(external);
    values.push({ external });
  }
  if (dtype === undefined || !isFloat(dtype)) return;
  for (const each of values) found.floats.push({ name, dtype, values: each });
}

/** Bits of half-precision floats, which ONNX may store as a list of integers. */
function packedIntegers(bytes: Uint8Array): Uint16Array {
  const reader = new BinaryReader(bytes);
  const integers: number[] = [];
  while (reader.pos < reader.len) integers.push(reader.int32());
  return Uint16Array.from(integers);
}

/** The fields of a message that are messages, texts or bytes. */
function* delimitedFields(bytes: Uint8Array): Generator<[field: number, value: Uint8Array]> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited) yield [field, reader.bytes()];
    else reader.skip(type, field);
  }
}

function nameOfTensor(bytes: Uint8Array): string {
  for (const [field, value] of delimitedFields(bytes)) {
    if (field === TENSOR.name) return new TextDecoder().decode(value);
  }
  return "";
}

function declared(bytes: Uint8Array): OnnxValue {
  const { name, type }: ValueInfoProto = fromBinary(ValueInfoProtoSchema, bytes);
  if (type?.value.case !== "tensorType") return { name, dtype: undefined, shape: undefined };
  const { elemType, shape } = type.value.value;
  const dims = shape?.dim.map(({ value }) => {
    if (value.case === "dimValue") return Number(value.value) >= 0 ? Number(value.value) : null;
    return value.case === "dimParam" && value.value !== "" ? value.value : null;
  });
  return { name, dtype: dtypeOf(elemType), shape: dims };
}

function externalData(entries: ReadonlyMap<string, string>): OnnxExternalData {
  const length = entries.get("length");
  return {
    location: entries.get("location") ?? "",
    offset: Number(entries.get("offset") ?? 0),
    length: length === undefined ? undefined : Number(length),
  };
}
