import { create } from "@bufbuild/protobuf";
import { InternalError } from "../../base/errors.ts";
import { keysOf } from "../../base/record.ts";
import type { DType, NdArray } from "../arrays/array.ts";
import type { Shape } from "./dim.ts";
import type { OnnxAttribute } from "./emit-rules.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./onnx-schema.ts";

// Protobuf messages of the ONNX format: tensors, nodes, attributes, types of inputs and outputs.

/** Source of the values of a parameter when a program is opened. */
export type ParameterBinding =
  /**
   * Bytes of a file, read by ONNX Runtime itself; `location` is relative to the folder given to the session.
   */
  | { readonly kind: "external"; readonly location: string; readonly offset: number; readonly length: number }
  /** Values stored in the model. */
  | { readonly kind: "inline"; readonly array: NdArray }
  /** An input of the program like any other. */
  | { readonly kind: "fed" }
  /** Consecutive values of a vector that is an input of the graph, from `offset` on. */
  | { readonly kind: "flat"; readonly input: string; readonly offset: number };

const dataTypes: Partial<Record<DType, DataType>> = {
  float64: DataType.DOUBLE,
  float32: DataType.FLOAT,
  float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16,
  int64: DataType.INT64,
  int32: DataType.INT32,
  int16: DataType.INT16,
  int8: DataType.INT8,
  uint8: DataType.UINT8,
  bool: DataType.BOOL,
};

/** ONNX number of an element type. */
export function dataType(dtype: DType): DataType {
  const type = dataTypes[dtype];
  if (type === undefined) throw new InternalError(`ONNX graphs cannot use ${dtype}`);
  return type;
}

/** Element type of an ONNX number; undefined for an unsupported one. */
export function dtypeOf(number: number): DType | undefined {
  return keysOf(dataTypes).find((dtype) => dataTypes[dtype] === number);
}

/** A tensor with its values in the model, or in an external file. */
export function initializer(
  name: string,
  { dtype, shape }: { readonly dtype: DType; readonly shape: readonly number[] },
  binding: Exclude<ParameterBinding, { kind: "fed" | "flat" }>,
): TensorProto {
  const dims = shape.map((size) => BigInt(size));
  if (binding.kind === "inline") {
    const { buffer, byteOffset, byteLength } = binding.array.data;
    const rawData = new Uint8Array(buffer, byteOffset, byteLength);
    return create(TensorProtoSchema, { name, dims, dataType: dataType(dtype), rawData });
  }
  const entries = { location: binding.location, offset: binding.offset, length: binding.length };
  return create(TensorProtoSchema, {
    name,
    dims,
    dataType: dataType(dtype),
    dataLocation: DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value: String(value) })),
  });
}

export function nodeProto(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
  domain = "",
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
  return create(NodeProtoSchema, { opType, input: [...input], output: [...output], attribute, domain });
}

function attributeProto(name: string, value: OnnxAttribute): AttributeProto {
  if (typeof value === "number") {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  }
  if (typeof value === "string") {
    return create(AttributeProtoSchema, {
      name,
      type: AttributeType.STRING,
      s: new TextEncoder().encode(value),
    });
  }
  if ("real" in value)
    return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.real });
  const ints = value.map((item) => BigInt(item));
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints });
}

/** Name and type of an input or output. */
export function valueInfo(name: string, dtype: DType, shape: Shape): ValueInfoProto {
  const dim = shape.map((size) => ({
    value:
      typeof size === "number"
        ? { case: "dimValue" as const, value: BigInt(size) }
        : { case: "dimParam" as const, value: size },
  }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: dataType(dtype), shape: { dim } } } },
  });
}
