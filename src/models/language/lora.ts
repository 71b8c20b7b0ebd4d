import { InternalError } from "../../base/errors.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { seedOf, uniform } from "../../base/random.ts";
import { elementCount, type NdArray } from "../../net/arrays/array.ts";
import { input, parameter } from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { FreshTensor } from "../../net/nn/init.ts";
import type { LowRank } from "../../net/nn/linear.ts";
import type { BatchPlace } from "../../net/train/batches.ts";

/** Kind of the layer that a weight belongs to. LoRA adapts only weights of these kinds. */
export type LayerKind = "linear" | "embedding" | "convolution";

export interface LoraRecipe {
  readonly rank: number;
  /** The product of the factors is scaled by alpha / rank. */
  readonly alpha: number;
  /** Dropout probability of an input feature. */
  readonly dropout: number;
}

/** A weight and its two LoRA factors, named as in minLoRA's state dict. */
export interface AdaptedWeight {
  readonly weight: string;
  readonly layer: LayerKind;
  readonly a: FreshTensor;
  readonly b: FreshTensor;
}

/** A dropout mask as an input of the training graph: 0 or 1/(1 − p) per input feature. */
export interface DropoutMask {
  readonly name: string;
  readonly shape: readonly number[];
}

interface AdaptedWeightOf {
  readonly name: string;
  readonly shape: readonly number[];
  readonly layer: LayerKind;
}

/**
 * LoRA factors of a model, declared together with its parameters: one pair per dense, embedding and
 * convolution weight of the adapted modules (Hu et al. 2021, arXiv:2106.09685; layout, names and
 * initialisation as in minLoRA).
 */
export class LoraAdapters {
  private readonly adapted = new Map<
    string,
    AdaptedWeight & { readonly symbols: readonly [a: Sym, b: Sym] }
  >();
  private readonly drawn = new Map<string, DropoutMask>();

  /**
   * @param modules   names of the adapted modules: "bert.encoder"
   * @param training  true adds dropout masks as inputs of the graph
   */
  constructor(
    private readonly recipe: LoraRecipe,
    private readonly modules: readonly string[],
    readonly training: boolean,
  ) {}

  get weights(): readonly AdaptedWeight[] {
    return [...this.adapted.values()];
  }

  /** Dropout masks of the training graph, in order of declaration. */
  get masks(): readonly DropoutMask[] {
    return [...this.drawn.values()];
  }

  /**
   * Factors of a weight as symbols of the graph; undefined for a weight that is not adapted.
   *
   * @param use  suffix that distinguishes several uses of one weight, each with its own dropout mask
   */
  of({ name, shape, layer }: AdaptedWeightOf, use = ""): LowRank | undefined {
    const module = this.modules.find((prefix) => name.startsWith(`${prefix}.`));
    if (module === undefined) return undefined;
    const rest = name.slice(module.length + 1).replace(/\.weight$/, "");
    const at = `model.${module}.model.${rest}.parametrizations.weight.0`;
    let known = this.adapted.get(name);
    if (known === undefined) {
      const made = adaptedWeight({ name, shape, layer }, at, this.recipe.rank);
      known = {
        ...made,
        symbols: [parameter(made.a.name, made.a.shape), parameter(made.b.name, made.b.shape)],
      };
      this.adapted.set(name, known);
    }
    const { symbols } = known;
    const mask = this.training
      ? this.mask(
          `${at}.lora_dropout_mask${use}`,
          layer === "embedding" ? [shape[0], 1] : [1, known.a.shape[1]],
        )
      : undefined;
    return { a: symbols[0], b: symbols[1], scale: this.recipe.alpha / this.recipe.rank, mask };
  }

  private mask(name: string, shape: readonly number[]): Sym | undefined {
    if (this.recipe.dropout === 0) return undefined;
    if (this.drawn.has(name)) throw new InternalError(`the dropout mask ${name} is declared twice`);
    this.drawn.set(name, { name, shape });
    return input(name, "float32", shape);
  }

  /**
   * Draws the dropout masks of one forward pass: a batch of sequences of one member (element or control) of
   * the task's rows. The masks are a function of seed, epoch, batch and member, so resumed training draws the
   * same ones.
   */
  drawMasks(
    seed: number,
    { epoch, batch, member = 0 }: BatchPlace & { readonly member?: number },
  ): Readonly<Record<string, NdArray>> {
    const rng = new Pcg64(seedOf([seed, "LoRA dropout", epoch, batch, member]));
    const { dropout } = this.recipe;
    const kept = 1 / (1 - dropout);
    return Object.fromEntries(
      this.masks.map(({ name, shape }) => {
        const data = new Float32Array(elementCount(shape)).map(() => (uniform(rng) < dropout ? 0 : kept));
        return [name, { dtype: "float32", shape, data } as const];
      }),
    );
  }
}

/**
 * Names, shapes and initialisation of a weight's factors: A uniform in ±1/√columns for every kind of layer, B
 * zero, so that the adapted model initially equals the original one.
 */
function adaptedWeight({ name, shape, layer }: AdaptedWeightOf, at: string, rank: number): AdaptedWeight {
  const [rows, columns] = [shape[0], elementCount(shape.slice(1))];
  const [a, b] =
    layer === "embedding"
      ? ([
          [rows, rank],
          [rank, columns],
        ] as const)
      : ([
          [rank, columns],
          [rows, rank],
        ] as const);
  return {
    weight: name,
    layer,
    a: { name: `${at}.lora_A`, shape: a, fanIn: a[1] },
    b: { name: `${at}.lora_B`, shape: b, fanIn: Number.POSITIVE_INFINITY },
  };
}
