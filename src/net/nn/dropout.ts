import { Pcg64 } from "../../base/pcg64.ts";
import { type SeedPart, seedOf } from "../../base/random.ts";
import { elementCount, type NdArray } from "../arrays/array.ts";
import { input, mul } from "../graph/build.ts";
import type { Shape } from "../graph/dim.ts";
import { GraphError } from "../graph/graph-error.ts";
import type { Sym } from "../graph/sym.ts";

/** Dropout: sets each element to 0 with probability p and divides the others by 1 − p. */
export interface Dropout {
  apply(x: Sym, probability: number): Sym;
}

/** A tensor with dropout, whose mask is an input of the graph: 0 or 1/(1 − p) per element. */
interface Site {
  readonly name: string;
  /** The first axis is the batch; other axes are the tokens, `t`, or have a known size. */
  readonly shape: Shape;
  readonly probability: number;
}

/**
 * Dropout of activations in a training graph (Srivastava et al. 2014), independent for each element. Masks
 * are drawn outside the graph from seeds, so that resumed training draws the same ones.
 */
export class DropoutSites implements Dropout {
  private readonly sites: Site[] = [];

  apply(x: Sym, probability: number): Sym {
    if (probability === 0) return x;
    const name = `dropout ${this.sites.length}`;
    this.sites.push({ name, shape: x.shape, probability });
    return mul(x, input(name, "float32", x.shape));
  }

  /**
   * Draws the masks for a batch, by input name. A sequence's mask depends on its seed and its number of
   * tokens alone; for padding it is 0.
   *
   * @param rows     seed and number of tokens of each sequence
   * @param tokens   number of tokens to which the sequences are padded
   */
  draw(
    rows: readonly { readonly seed: readonly SeedPart[]; readonly tokens: number }[],
    tokens: number,
  ): Readonly<Record<string, NdArray>> {
    if (this.sites.length === 0) return {};
    const masks = this.sites.map(({ name, shape, probability }) => {
      const sizes = [rows.length, ...sizesOf(shape, tokens).slice(1)];
      const data = new Float32Array(elementCount(sizes));
      return { name, shape, sizes, probability, data };
    });
    const rng = new Pcg64(0);
    rows.forEach(({ seed, tokens: own }, row) => {
      rng.reseed(seedOf(seed));
      for (const { shape, sizes, probability, data } of masks) {
        const drawn = [1, ...sizesOf(shape, own).slice(1)];
        fill(data, row * elementCount(sizes.slice(1)), sizes, drawn, 1, probability, rng);
      }
    });
    return Object.fromEntries(
      masks.map(({ name, sizes, data }) => [name, { dtype: "float32", shape: sizes, data } as const]),
    );
  }
}

function sizesOf(shape: Shape, tokens: number): readonly number[] {
  return shape.map((dim, axis) => {
    if (axis === 0) return 1;
    if (dim === "t") return tokens;
    if (typeof dim === "number") return dim;
    throw new GraphError(`a dropout mask has an axis of unknown size ${dim}`);
  });
}

/** Fills `data` from index `at` on: the first drawn[a] entries along each axis a ≥ `axis`. Others stay 0. */
function fill(
  data: Float32Array,
  at: number,
  sizes: readonly number[],
  drawn: readonly number[],
  axis: number,
  probability: number,
  rng: Pcg64,
): void {
  const count = drawn[axis];
  if (axis === sizes.length - 1) {
    const threshold = probability * 2 ** 32;
    const kept = 1 / (1 - probability);
    for (let i = at; i < at + count; i++) data[i] = rng.nextUint32() < threshold ? 0 : kept;
    return;
  }
  const stride = elementCount(sizes.slice(axis + 1));
  for (let i = 0; i < count; i++) fill(data, at + i * stride, sizes, drawn, axis + 1, probability, rng);
}
