import { FormatError } from "../base/errors.ts";
import { formatShape } from "../net/arrays/array.ts";
import type { Checkpoint } from "../net/arrays/checkpoint.ts";
import type { StoredArray } from "../net/arrays/stored-array.ts";
import { parameter } from "../net/graph/build.ts";
import type { Sym } from "../net/graph/sym.ts";
import type { DepthwiseConvolution } from "../net/nn/causal-convolution.ts";
import type { Linear } from "../net/nn/linear.ts";
import type { Norm } from "../net/nn/norm.ts";

/** What kind of layer a weight belongs to. LoRA adapts the weights of these kinds and of no other tensor. */
export type LayerKind = "linear" | "embedding" | "convolution";

export interface DeclaredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Other names under which checkpoints store the same tensor. */
  readonly aliases: readonly string[];
  /** float32 where it is not said. */
  readonly dtype?: "int64";
  /** The tensor that this one equals in checkpoints which do not hold it. */
  readonly tiedTo?: string;
  readonly layer?: LayerKind;
  /** Read before the graph is built, and no part of it. */
  readonly hostOnly?: boolean;
}

/**
 * The tensors a model expects of a checkpoint, gathered while the model's parameter tree is built: declaring a tensor gives
 * its symbol. The names are the checkpoint's own, so one declaration is both the name table and the loader's check.
 */
export class ParameterTable {
  readonly tensors = new Map<string, DeclaredTensor>();
  private readonly symbols = new Map<string, Sym>();

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
    };
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
  ): Sym {
    return this.tensor(`${at}.weight`, [rows, width], { aliases, layer: "embedding" });
  }

  depthwise(at: string, channels: number, kernel: number): DepthwiseConvolution {
    return {
      weight: this.tensor(`${at}.weight`, [channels, 1, kernel], { layer: "convolution" }),
      bias: this.tensor(`${at}.bias`, [channels]),
    };
  }
}

/**
 * Finds every declared tensor in a checkpoint.
 *
 * @param ignored  patterns of names a checkpoint may hold beside the model: unused heads, buffers that can be computed
 * @throws {FormatError} naming what is missing or left over, all of it at once, or what is of another shape or type
 */
export function bindParameters(
  declared: Iterable<DeclaredTensor>,
  checkpoint: Checkpoint,
  ignored: readonly RegExp[] = [],
): ReadonlyMap<string, StoredArray> {
  const bound = new Map<string, StoredArray>();
  const left = new Set(checkpoint.arrays.keys());
  const missing: string[] = [];
  const file = checkpoint.files[0]!;
  for (const { name, shape, aliases, dtype, tiedTo } of declared) {
    const names = [name, ...aliases];
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
        `has shape ${formatShape(stored.shape)}, expected ${formatShape(shape)}`,
        "config.json and the weights must come from the same checkpoint and revision",
      );
    }
    if (dtype === "int64" && stored.dtype !== dtype) {
      throw new FormatError({ file: stored.file, tensor: found }, `is ${stored.dtype}, expected ${dtype}`);
    }
    bound.set(name, stored);
  }
  const extra = [...left].filter((name) => !ignored.some((pattern) => pattern.test(name)));
  if (missing.length > 0 || extra.length > 0) {
    throw new FormatError(
      { file },
      [list("lacks", missing), list("has, unknown to this model,", extra)].filter(Boolean).join("; "),
      "is the checkpoint of another family, size or training head than config.json says?",
    );
  }
  return bound;
}

function list(verb: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const shown = names.slice(0, 5).join(", ");
  const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
  return `${verb} ${names.length === 1 ? "the tensor" : `${names.length} tensors:`} ${shown}${more}`;
}
