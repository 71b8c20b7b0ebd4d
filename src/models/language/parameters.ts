import { FormatError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";
import { elementCount, formatShape } from "../../net/arrays/array.ts";
import type { Checkpoint } from "../../net/arrays/checkpoint.ts";
import type { StoredArray } from "../../net/arrays/stored-array.ts";
import { add, parameter } from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { DepthwiseConvolution } from "../../net/nn/convolution.ts";
import type { Embedding } from "../../net/nn/linear.ts";
import { type Linear, type LowRank, lowRankUpdate } from "../../net/nn/linear.ts";
import type { Norm } from "../../net/nn/norm.ts";
import type { Device } from "../../net/runtime/device.ts";
import type { Precision } from "../../net/runtime/precision.ts";
import { type StoredParameter, workingDevice } from "../../net/runtime/program.ts";
import { heldBytes } from "../../net/runtime/session-memory.ts";
import type { LayerKind, LoraAdapters } from "./lora.ts";

/** A tensor that an architecture expects in a checkpoint. */
export interface DeclaredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Other names under which checkpoints store the same tensor. */
  readonly aliases: readonly string[];
  /** float32 if absent. */
  readonly dtype?: "int64";
  /** Name of the tensor that this one equals in checkpoints that do not store it. */
  readonly tiedTo?: string;
  readonly layer?: LayerKind;
  /** True for a tensor that derives constants of the graph but is no parameter of it. */
  readonly hostOnly?: boolean;
  /** True for a tensor that is stored but not trained, like `register_buffer` in PyTorch. */
  readonly buffer?: boolean;
}

/**
 * Parameters of a model. Declaring a layer records its tensors, by the names in checkpoints, and returns
 * their symbols for the graph, together with LoRA factors if the table has them.
 */
export class ParameterTable {
  readonly tensors = new Map<string, DeclaredTensor>();
  private readonly symbols = new Map<string, Sym>();

  /**
   * @param use  suffix that distinguishes several uses of the weights, each with its own dropout masks
   */
  constructor(
    private readonly lora?: LoraAdapters,
    private readonly use?: string,
  ) {}

  /** A single tensor. A name that was declared before gives the same symbol. */
  tensor(
    name: string,
    shape: readonly number[],
    { aliases = [], ...more }: Partial<Omit<DeclaredTensor, "name" | "shape">> = {},
  ): Sym {
    const known = this.symbols.get(name);
    if (known !== undefined) return known;
    this.tensors.set(name, { name, shape, aliases, ...more });
    const symbol = parameter(name, shape, more.dtype);
    this.symbols.set(name, symbol);
    return symbol;
  }

  /** A dense layer: `at.weight` [out, in] and `at.bias` [out], for `linear`. */
  linear(at: string, inWidth: number, outWidth: number, { bias = true } = {}): Linear {
    return {
      weight: this.tensor(`${at}.weight`, [outWidth, inWidth], { layer: "linear" }),
      bias: bias ? this.tensor(`${at}.bias`, [outWidth]) : undefined,
      adapter: this.adapter(`${at}.weight`, [outWidth, inWidth], "linear"),
    };
  }

  /** A dense layer whose weight is stored as [in, out]. Its LoRA factors are those of a weight [out, in]. */
  linearInputsFirst(at: string, inWidth: number, outWidth: number): Linear {
    return {
      weight: this.tensor(`${at}.weight`, [inWidth, outWidth], { layer: "linear" }),
      inputsFirst: true,
      bias: this.tensor(`${at}.bias`, [outWidth]),
      adapter: this.adapter(`${at}.weight`, [outWidth, inWidth], "linear"),
    };
  }

  /** LoRA factors of a weight, by its name. Modules that share a weight have separate factors. */
  adapter(name: string, shape: readonly number[], layer: LayerKind): LowRank | undefined {
    return this.lora?.of({ name, shape, layer }, this.use);
  }

  /** Scale and offset of a normalisation: `at.weight` and `at.bias`, each [width]. */
  norm(at: string, width: number, { bias = true } = {}): Norm {
    return {
      weight: this.tensor(`${at}.weight`, [width]),
      bias: bias ? this.tensor(`${at}.bias`, [width]) : undefined,
    };
  }

  /** A table of embeddings: `at.weight` [rows, width], for `embed`. */
  embedding(
    at: string,
    rows: number,
    width: number,
    { aliases = [] }: { aliases?: readonly string[] } = {},
  ): Embedding {
    return {
      weight: this.tensor(`${at}.weight`, [rows, width], { aliases, layer: "embedding" }),
      adapter: this.adapter(`${at}.weight`, [rows, width], "embedding"),
    };
  }

  /** A convolution of each channel alone: `at.weight` [channels, 1, kernel] and `at.bias` [channels]. */
  depthwise(at: string, channels: number, kernel: number, { bias = true } = {}): DepthwiseConvolution {
    const shape = [channels, 1, kernel];
    const weight = this.tensor(`${at}.weight`, shape, { layer: "convolution" });
    const adapter = this.adapter(`${at}.weight`, shape, "convolution");
    return {
      weight: adapter === undefined ? weight : add(weight, lowRankUpdate(adapter, shape)),
      bias: bias ? this.tensor(`${at}.bias`, [channels]) : undefined,
    };
  }
}

/** Hints of the errors of `bindParameters`: for a wrong shape, and for missing or unexpected names. */
export interface BindingHints {
  readonly shape: string;
  readonly names: string;
}

const CHECKPOINT_HINTS: BindingHints = {
  shape: "config.json and the weights must come from the same checkpoint and revision",
  names: "does config.json belong to another family, size or head?",
};

/**
 * Finds every declared tensor in a checkpoint, by its name or one of its aliases.
 *
 * @param ignored  patterns of further names that a checkpoint may contain: unused heads, buffers
 * @throws {FormatError} listing all missing and unexpected tensors, or naming a tensor of another shape or
 *   type
 */
export function bindParameters(
  declared: Iterable<DeclaredTensor>,
  checkpoint: Checkpoint,
  ignored: readonly RegExp[] = [],
  hints: BindingHints = CHECKPOINT_HINTS,
): ReadonlyMap<string, StoredArray> {
  const bound = new Map<string, StoredArray>();
  const left = new Set(checkpoint.arrays.keys());
  const missing: string[] = [];
  const file = checkpoint.files[0];
  for (const { name, shape, aliases, dtype, tiedTo } of declared) {
    const names = [name, ...aliases, ...earlierNames(name)];
    const found = [...names, tiedTo].find((each) => each !== undefined && checkpoint.arrays.has(each));
    for (const each of names) left.delete(each);
    if (found === undefined) {
      missing.push(name);
      continue;
    }
    const stored = valueAt(checkpoint.arrays, found);
    if (String(stored.shape) !== String(shape)) {
      throw new FormatError(
        { file: stored.file, tensor: found },
        `has shape ${formatShape(stored.shape)}; expected ${formatShape(shape)}`,
        hints.shape,
      );
    }
    if (dtype === "int64" && stored.dtype !== dtype) {
      throw new FormatError({ file: stored.file, tensor: found }, `is ${stored.dtype}; expected ${dtype}`);
    }
    bound.set(name, stored);
  }
  const extra = [...left].filter((name) => !ignored.some((pattern) => pattern.test(name)));
  if (missing.length > 0 || extra.length > 0) {
    throw new FormatError(
      { file },
      [list("lacks", missing), list("has unexpectedly", extra)].filter(Boolean).join("; "),
      hints.names,
    );
  }
  return bound;
}

/** TensorFlow's names of the tensors of a norm, which Transformers also reads. */
const earlierNames = (name: string): readonly string[] =>
  name.endsWith(".weight")
    ? [name.replace(/weight$/, "gamma")]
    : name.endsWith(".bias")
      ? [name.replace(/bias$/, "beta")]
      : [];

/**
 * Maximum size in bytes of the float32 weights that a program holds in memory. Weights of larger models are
 * loaded from the file for each use, which takes the memory of a few layers. The limit is the same on all
 * machines, because the two forms of a matrix product add in different orders and differ in the last bits.
 */
const MAX_HELD_BYTES = 4e9;

/** Minimum number of values of a weight that is loaded for each use; smaller ones are held in memory. */
const LARGE_WEIGHT = 2 ** 16;

/**
 * Marks the weights that programs load for each use instead of holding them in memory: the large weights of
 * models above `MAX_HELD_BYTES`, in float32 on the CPU. "auto" is resolved to the device that works here.
 */
export async function placedWeights(
  parameters: ReadonlyMap<string, StoredArray>,
  { device = "cpu", precision = "f32" }: PlacementOptions = {},
): Promise<ReadonlyMap<string, StoredParameter>> {
  const sizes = new Map([...parameters.values()].map(({ name, shape }) => [name, 4 * elementCount(shape)]));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (bytes <= MAX_HELD_BYTES || precision !== "f32") return parameters;
  if ((await workingDevice(device)) !== "cpu") return parameters;
  const placed = (stored: StoredArray): StoredParameter =>
    elementCount(stored.shape) < LARGE_WEIGHT ? stored : { ...stored, perUse: true };
  return new Map([...parameters].map(([name, stored]) => [name, placed(stored)]));
}

/** Device and precision of a model's programs. Default: "cpu", "f32". */
export interface PlacementOptions {
  readonly device?: Device | undefined;
  readonly precision?: Precision | undefined;
}

/** Memory of a model's weights in bytes. */
export interface WeightMemory {
  /** Held as float32 by each program. */
  readonly held: number;
  /** Pages of mapped files, which programs share. */
  readonly mapped: number;
}

/** Memory of the weights that a graph reads. */
export function weightMemory(
  { tensors }: { readonly tensors: readonly DeclaredTensor[] },
  parameters: ReadonlyMap<string, StoredParameter>,
): WeightMemory {
  const read = tensors.flatMap(({ name, hostOnly }) => (hostOnly ? [] : [valueAt(parameters, name)]));
  const sumOf = (perUse: boolean, bytesOf: (stored: StoredParameter) => number) =>
    read
      .filter((stored) => (stored.perUse ?? false) === perUse)
      .reduce((sum, stored) => sum + bytesOf(stored), 0);
  return { held: sumOf(false, heldBytes), mapped: sumOf(true, ({ length }) => length) };
}

function list(verb: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const shown = names.slice(0, 5).join(", ");
  const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
  return `${verb} ${names.length === 1 ? "the tensor" : `${names.length} tensors:`} ${shown}${more}`;
}
