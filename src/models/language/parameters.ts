import { FormatError } from "../../base/errors.ts";
import { elementCount, formatShape } from "../../net/arrays/array.ts";
import type { Checkpoint } from "../../net/arrays/checkpoint.ts";
import type { StoredArray } from "../../net/arrays/stored-array.ts";
import { add, parameter } from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { DepthwiseConvolution } from "../../net/nn/causal-convolution.ts";
import type { Embedding } from "../../net/nn/linear.ts";
import { type Linear, type LowRank, lowRankUpdate } from "../../net/nn/linear.ts";
import type { Norm } from "../../net/nn/norm.ts";
import type { Device } from "../../net/runtime/device.ts";
import type { Precision } from "../../net/runtime/precision.ts";
import { type StoredParameter, workingDevice } from "../../net/runtime/program.ts";
import { heldBytes } from "../../net/runtime/session-memory.ts";
import type { LayerKind, LoraAdapters } from "./lora.ts";

export interface DeclaredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Other names under which checkpoints store the same tensor. */
  readonly aliases: readonly string[];
  /** float32 if absent. */
  readonly dtype?: "int64";
  /** The tensor that this one equals in checkpoints without it. */
  readonly tiedTo?: string;
  readonly layer?: LayerKind;
  /** Read when the graph is built; not a parameter of it. */
  readonly hostOnly?: boolean;
  /** Stored in checkpoints but fixed by the sizes: not trained. */
  readonly buffer?: boolean;
}

/**
 * Tensors that a model expects in a checkpoint, collected while its parameters are declared: a declaration
 * returns the tensor's symbol. Names are the checkpoint's own, so a declaration serves both the graph and the
 * loader.
 *
 * With LoRA factors the layers are returned with their adapters.
 */
export class ParameterTable {
  readonly tensors = new Map<string, DeclaredTensor>();
  private readonly symbols = new Map<string, Sym>();

  /**
   * @param reading  name of this use of the weights, if there are several: each draws its own dropout masks
   */
  constructor(
    private readonly lora?: LoraAdapters,
    private readonly reading?: string,
  ) {}

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

  linear(at: string, inWidth: number, outWidth: number, { bias = true } = {}): Linear {
    return {
      weight: this.tensor(`${at}.weight`, [outWidth, inWidth], { layer: "linear" }),
      bias: bias ? this.tensor(`${at}.bias`, [outWidth]) : undefined,
      adapter: this.adapter(`${at}.weight`, [outWidth, inWidth], "linear"),
    };
  }

  /** A dense layer whose weight is stored as [in, out]; its LoRA factors are those of [out, in]. */
  linearInputsFirst(at: string, inWidth: number, outWidth: number): Linear {
    return {
      weight: this.tensor(`${at}.weight`, [inWidth, outWidth], { layer: "linear" }),
      inputsFirst: true,
      bias: this.tensor(`${at}.bias`, [outWidth]),
      adapter: this.adapter(`${at}.weight`, [outWidth, inWidth], "linear"),
    };
  }

  /** LoRA factors of a weight. Modules that share a weight have their own factors, by the modules' names. */
  adapter(name: string, shape: readonly number[], layer: LayerKind): LowRank | undefined {
    return this.lora?.of({ name, shape, layer }, this.reading);
  }

  norm(at: string, width: number, { bias = true } = {}): Norm {
    return {
      weight: this.tensor(`${at}.weight`, [width]),
      bias: bias ? this.tensor(`${at}.bias`, [width]) : undefined,
    };
  }

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
 * Finds every declared tensor in a checkpoint.
 *
 * @param ignored  patterns of further names that a checkpoint may contain: unused heads, computable buffers
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
    const stored = checkpoint.arrays.get(found)!;
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

/** Names that norms had in TensorFlow, which Transformers still reads. */
const earlierNames = (name: string): readonly string[] =>
  name.endsWith(".weight")
    ? [name.replace(/weight$/, "gamma")]
    : name.endsWith(".bias")
      ? [name.replace(/bias$/, "beta")]
      : [];

/**
 * Largest size of a model's weights, as float32, that programs hold in memory. Larger ones are loaded from
 * the file for each use, which takes the memory of a few layers. The limit is the same on all machines,
 * because the two forms of a matrix product add in different orders: scores differ in the last bits.
 */
const MOST_HELD_BYTES = 4e9;

/** Fewest values of a weight that is loaded for each use; smaller ones are held. */
const LARGE_WEIGHT = 2 ** 16;

/**
 * Decides whether the programs of a model hold its weights or load them for each use, which they can do in
 * float32 on the CPU. For large weights "auto" is resolved to the device that works on this machine.
 */
export async function placedWeights(
  parameters: ReadonlyMap<string, StoredArray>,
  { device = "cpu", precision = "f32" }: PlacementOptions = {},
): Promise<ReadonlyMap<string, StoredParameter>> {
  const sizes = new Map([...parameters.values()].map(({ name, shape }) => [name, 4 * elementCount(shape)]));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (bytes <= MOST_HELD_BYTES || precision !== "f32") return parameters;
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

/** Bytes of memory of the weights of a model. */
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
  const read = tensors.flatMap(({ name, hostOnly }) => (hostOnly ? [] : [parameters.get(name)!]));
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
