import { FormatError } from "../../../base/errors.ts";
import { bytesPerElement, type DType } from "../array.ts";
import { PickleGlobal } from "./pickle.ts";

/** A block of bytes in the archive, `<archive>/data/<key>`, shared by one or several tensors. */
export interface TorchStorage {
  readonly kind: "storage";
  readonly key: string;
  /** Undefined for an untyped storage, whose tensors have their own type. */
  readonly dtype: DType | undefined;
  /** Number of elements, or of bytes for an untyped storage. */
  readonly length: number;
}

/** A view of a storage. */
export interface TorchTensor {
  readonly kind: "tensor";
  readonly storage: TorchStorage;
  readonly dtype: DType;
  /** In elements, like the strides. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export const isTensor = (value: unknown): value is TorchTensor => isKind(value, "tensor");
const isStorage = (value: unknown): value is TorchStorage => isKind(value, "storage");
const isKind = (value: unknown, kind: string) =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === kind;

/** PyTorch's storage classes by element type. */
const STORAGE_TYPES: Readonly<Record<string, DType>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
};
const ELEMENT_TYPES: readonly DType[] = [
  ...Object.values(STORAGE_TYPES),
  "uint16",
  "uint32",
  "uint64",
  "float8_e4m3fn",
  "float8_e5m2",
];
const UNTYPED = "torch.storage.UntypedStorage";

const MAX_RANK = 64;

/** Python names that a pickle of weights may use, mapped to functions that build descriptions of tensors. */
export function torchGlobals(file: string): ReadonlyMap<string, PickleGlobal> {
  const fail = (message: string, hint?: string): never => {
    throw new FormatError({ file }, message, hint);
  };

  /** (storage, offset, shape, strides, requires_grad, hooks[, metadata]) */
  const tensor = (args: readonly unknown[]) => {
    const storage = args[0];
    const dtype = isStorage(storage) ? storage.dtype : undefined;
    return dtype === undefined
      ? fail("a tensor in it has no storage with a type")
      : view(args, dtype, args[6]);
  };
  /** (storage, offset, shape, strides, requires_grad, hooks, dtype[, metadata]) */
  const tensorWithType = (args: readonly unknown[]) => view(args, dtypeOf(args[6]), args[7]);

  function view(args: readonly unknown[], dtype: DType, metadata: unknown): TorchTensor {
    const [storage, offset, shape, strides] = args;
    if (!isStorage(storage)) return fail("a tensor in it has no storage");
    if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length) {
      return fail("a tensor in it has an impossible offset, shape or strides");
    }
    if (shape.length > MAX_RANK) return fail(`a tensor in it has ${shape.length} axes`);
    if (metadata instanceof Map && [...metadata.values()].some(Boolean)) {
      return fail(
        "a tensor in it is a conjugate or negative view",
        "save it again after tensor.resolve_conj().resolve_neg()",
      );
    }
    return { kind: "tensor", storage, dtype, offset, shape, strides };
  }

  function dtypeOf(value: unknown): DType {
    const name = value instanceof PickleGlobal ? value.name.replace("torch.", "") : "";
    return ELEMENT_TYPES.find((dtype) => dtype === name) ?? fail("a tensor in it has no element type");
  }

  const parameter = ([data]: readonly unknown[]) =>
    isTensor(data) ? data : fail("a parameter in it is not a tensor");

  const orderedDict = ([items = []]: readonly unknown[]) => {
    return isPairs(items) ? new Map(items) : fail("an OrderedDict in it is not made of pairs");
  };

  /** (function, type, arguments, attributes): a tensor with Python attributes, which are ignored. */
  const fromType = ([rebuild, type, args]: readonly unknown[]) => {
    const known = type instanceof PickleGlobal && TENSOR_CLASSES.includes(type.name);
    if (!known || !(rebuild instanceof PickleGlobal) || rebuild === rebuildFromType || !Array.isArray(args)) {
      return fail("a tensor in it has a custom class");
    }
    return parameter([rebuild.call?.(args)]);
  };
  const rebuildFromType = new PickleGlobal("torch._tensor._rebuild_from_type_v2", fromType);

  const globals = [
    new PickleGlobal("collections.OrderedDict", orderedDict),
    new PickleGlobal("torch._utils._rebuild_tensor", tensor),
    new PickleGlobal("torch._utils._rebuild_tensor_v2", tensor),
    new PickleGlobal("torch._utils._rebuild_tensor_v3", tensorWithType),
    new PickleGlobal("torch._utils._rebuild_parameter", parameter),
    new PickleGlobal("torch._utils._rebuild_parameter_with_state", parameter),
    rebuildFromType,
    new PickleGlobal("torch.Size", ([items]) =>
      Array.isArray(items) ? items : fail("a size in it is not a list"),
    ),
    // Device of a tensor in a training program's settings: (type, index).
    new PickleGlobal("torch.device", () => ({ kind: "device" })),
    new PickleGlobal(UNTYPED),
    ...TENSOR_CLASSES.map((name) => new PickleGlobal(name)),
    ...Object.keys(STORAGE_TYPES).map((name) => new PickleGlobal(`torch.${name}`)),
    ...ELEMENT_TYPES.map((name) => new PickleGlobal(`torch.${name}`)),
  ];
  return new Map(globals.map((global) => [global.name, global]));
}

const TENSOR_CLASSES = ["torch.Tensor", "torch.nn.parameter.Parameter"];

/**
 * Parses a persistent id of a checkpoint: ("storage", type, key, device, length). The device is ignored.
 *
 * @throws {FormatError} for anything else
 */
export function torchStorage(file: string, id: unknown): TorchStorage {
  const [tag, type, key, , length] = Array.isArray(id) ? id : [];
  if (tag !== "storage" || !(type instanceof PickleGlobal) || typeof key !== "string" || !isCount(length)) {
    throw new FormatError({ file }, "the pickle refers to something that is not a storage of numbers");
  }
  if (type.name === UNTYPED) return { kind: "storage", key, dtype: undefined, length };
  const dtype = STORAGE_TYPES[type.name.replace("torch.", "")];
  if (dtype === undefined) {
    throw new FormatError({ file }, `the pickle uses ${JSON.stringify(type.name)} as a storage type`);
  }
  return { kind: "storage", key, dtype, length };
}

/** Size of a storage according to the pickle. */
export function storageBytes({ dtype, length }: TorchStorage): number {
  return dtype === undefined ? length : length * bytesPerElement(dtype);
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isCounts = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(isCount);
const isPairs = (value: unknown): value is readonly (readonly [unknown, unknown])[] =>
  Array.isArray(value) && value.every((item) => Array.isArray(item) && item.length === 2);
