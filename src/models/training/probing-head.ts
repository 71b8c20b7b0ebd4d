import { InputError } from "../../base/errors.ts";
import {
  cast,
  concat,
  equal,
  input,
  matMul,
  range,
  reduceSum,
  relu,
  slice,
  unsqueeze,
} from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { Convolution } from "../../net/nn/convolution.ts";
import { convolutionLast, padWithRow, zeroRow } from "../../net/nn/convolution-last.ts";
import { FreshLayers, initialValues, type WithBias } from "../../net/nn/init.ts";
import { type Linear, linear } from "../../net/nn/linear.ts";

// axes: b batch · t tokens · l bases · c width of the embeddings · h hidden channels

/** Assignment of tokens to the positions of the head's input. */
export type BaseTokens =
  /** The token that covers the base, by the input `index`, int32 [b, l]: byte pairs and k-mers. */
  | { readonly kind: "gather"; readonly length: number }
  /** Token i for base i, without the tokens after the last base: tokens of one base. */
  | { readonly kind: "slice"; readonly length: number }
  /**
   * The tokens of all bases and the end token, as the original's probes of Caduceus and HyenaDNA read
   * variants (quirks Q4 and Q5).
   */
  | { readonly kind: "all"; readonly length: number }
  /** The first base's token and the end token alone, as in the original's probes of Caduceus (quirk Q1). */
  | { readonly kind: "ends"; readonly length: number };

export interface ProbingHeadSizes {
  /** Width of the embeddings. */
  readonly width: number;
  /** Kernel of the second and the third convolution: 8, or 3 for two tokens. */
  readonly kernel: number;
  /** Number of logits, or 1 for a predicted value. */
  readonly outputs: number;
}

/** Tokens of a sequence that a head reads under `ends`. */
export const ENDS = 2;

/**
 * Checks that the head's convolutions leave a position. For p positions and a kernel k the three of them,
 * each padded by one on either side, output p + 2, p + 5 − k and p + 8 − 2k.
 *
 * @throws {InputError} with the largest kernel
 */
export function checkKernel(kernel: number, positions: number): void {
  const largest = Math.floor((positions + 7) / 2);
  if (kernel <= largest) return;
  throw new InputError(
    `kernel of the recipe is ${kernel}, too wide for the ${positions} positions that the head sees`,
    { hint: `the widest kernel that fits is ${largest}` },
  );
}

const HIDDEN = 32;

export interface ProbingHead {
  readonly conv1: WithBias<Convolution>;
  readonly conv2: Convolution;
  readonly conv3: Convolution;
  readonly output: Linear;
}

/** Our names of the head's layers → their names in the original's state dicts. */
export const ORIGINAL_HEAD_LAYERS = {
  conv1: "conv1",
  conv2: "conv2",
  conv3: "conv3",
  output: "fc1",
} as const;

/**
 * A fresh head on stored embeddings: its graph and its initial values.
 *
 * @param seed  of the initial values
 * @throws {InputError} when the kernel is too wide for the positions
 */
export function freshHead(sizes: ProbingHeadSizes, basesOf: BaseTokens, seed = 0) {
  checkKernel(sizes.kernel, basesOf.kind === "ends" ? ENDS : basesOf.length);
  const layers = new FreshLayers();
  const head = probingHead(layers, sizes);
  const { tokens, index } = probingInputs(sizes.width, basesOf);
  const output = probingLogits(head, tokens, basesOf, index);
  return { head, output, initial: initialValues(layers.tensors, seed) };
}

/** Declares the head's layers, initialised as in PyTorch. */
export function probingHead(layers: FreshLayers, { width, kernel, outputs }: ProbingHeadSizes): ProbingHead {
  return {
    conv1: layers.convolution("conv1", width, HIDDEN, 1),
    conv2: layers.convolution("conv2", HIDDEN, HIDDEN, kernel),
    conv3: layers.convolution("conv3", HIDDEN, HIDDEN, kernel),
    output: layers.linear("output", HIDDEN, outputs),
  };
}

/**
 * DART-Eval's probing head on token embeddings: three convolutions with ReLU, the first with kernel 1, all
 * padded by one, the sum over positions, a dense layer.
 *
 * The first convolution and its ReLU act on one position at a time, so they run on tokens before each token
 * is repeated over its bases: the same values with a fraction of the work. Its padding only adds a position
 * on each side, with the bias.
 *
 * @param tokens  [b, t, c]; the index never points at padding
 * @param index   int32 [b, l], token of each base; only for `gather`
 * @returns       [b, outputs]
 */
export function probingLogits(head: ProbingHead, tokens: Sym, basesOf: BaseTokens, index?: Sym): Sym {
  const seen = basesOf.kind === "gather" ? tokens : positions(tokens, basesOf);
  const onTokens = relu(convolutionLast(head.conv1, seen));
  return afterFirst(head, index === undefined ? onTokens : repeated(onTokens, index));
}

/**
 * The head after the first convolution, from its outputs at every position without padding.  [b, l, h] → [b,
 * outputs]
 */
function afterFirst({ conv1, conv2, conv3, output }: ProbingHead, x: Sym): Sym {
  const edge = relu(conv1.bias);
  // Both paddings: the first convolution's, which equals the bias, and the second's zeros.
  const padded = padWithRow(padWithRow(x, edge, [1, 1]), zeroRow(HIDDEN), [1, 1]);
  const second = relu(convolutionLast(conv2, padded));
  const third = relu(convolutionLast(conv3, second, { pads: [1, 1] }));
  return linear(output, reduceSum(third, [1]));
}

function positions(tokens: Sym, { kind, length }: BaseTokens): Sym {
  if (kind === "all") return tokens;
  if (kind === "slice") return slice(tokens, 1, 0, length);
  return concat([slice(tokens, 1, 0, 1), slice(tokens, 1, length, length + 1)], 1);
}

/**
 * Gathers x[b, index[b, i]] for each i by a product with a 0/1 matrix, which is exact and whose gradient is a
 * product too, instead of a scattered sum. x: [b, t, h] → [b, l, h]
 */
function repeated(x: Sym, index: Sym): Sym {
  const isToken = equal(unsqueeze(index, 2), cast(range(x.shape[1]), "int32")); // [b, l, t]
  return matMul(cast(isToken, x.dtype), x);
}

/** Inputs of a head that trains on stored embeddings. */
export function probingInputs(width: number, basesOf: BaseTokens): { tokens: Sym; index: Sym | undefined } {
  const tokens = basesOf.kind === "gather" ? "t" : basesOf.length + 1;
  return {
    tokens: input("embedding", "float32", ["b", tokens, width]),
    index: basesOf.kind === "gather" ? input("index", "int32", ["b", basesOf.length]) : undefined,
  };
}
