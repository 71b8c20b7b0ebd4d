import * as g from "./build.ts";
import { addDims, type Dim, knownSize, multiplyDims, type Shape } from "./dim.ts";
import type { InputGradients } from "./gradient-rule.ts";
import type { Node, Sym } from "./sym.ts";

/**
 * Gradients of a convolution. That of the input is a convolution of dy with the flipped kernel. That of the
 * weight is one product per tap, since a `Conv` over exchanged axes runs at a quarter of the speed of a
 * product.
 */
export function convolutionGradients(
  dy: Sym,
  [x, w, bias]: readonly Sym[],
  node: Node<"Conv">,
): InputGradients {
  const { group, pads, dilation, stride } = node.attributes;
  const [out, perGroup, kernel] = w!.shape.map((size) => knownSize(size, "a kernel")) as [
    number,
    number,
    number,
  ];
  const span = dilation * (kernel - 1);
  const outPerGroup = out / group;
  const padded = g.pad(x!, 2, pads[0], pads[1]);
  const length = addDims(padded.shape[2], -span);
  const dense = unstride(dy, length, stride);
  const grouped = g.reshape(w!, [group, outPerGroup, perGroup, kernel]);
  const turned = g.reshape(g.flip(g.transpose(grouped, [0, 2, 1, 3]), 3), [
    group * perGroup,
    outPerGroup,
    kernel,
  ]);
  const dx = g.conv(dense, turned, undefined, { group, dilation, pads: [span - pads[0], span - pads[1]] });
  const batch = dy.shape[0];
  const dyRows = g.reshape(dense, [batch, group, outPerGroup, length]);
  const taps = Array.from({ length: kernel }, (_, tap) => {
    const end = tap * dilation - span;
    const shifted = g.slice(padded, 2, tap * dilation, end === 0 ? undefined : end);
    const seen = g.reshape(shifted, [batch, group, perGroup, length]);
    const product = tapProduct(dyRows, seen, group, outPerGroup, perGroup, multiplyDims(batch, length));
    return g.reshape(product, [out, perGroup, 1]);
  });
  const dw = g.concat(taps, 2);
  return bias === undefined ? [dx, dw] : [dx, dw, g.reduceSum(dy, [0, 2])];
}

/** Restores the positions that a stride skipped, as zeros. */
function unstride(dy: Sym, length: Dim, stride: number): Sym {
  if (stride === 1) return dy;
  const [batch, out, taken] = dy.shape.map((dim, axis) =>
    axis === 0 ? dim : knownSize(dim, "a strided axis"),
  );
  const spaced = g.pad(g.unsqueeze(dy, 3), 3, 0, stride - 1);
  const flat = g.reshape(spaced, [batch!, out!, (taken as number) * stride]);
  const missing = knownSize(length, "a strided axis") - (taken as number) * stride;
  return missing < 0 ? g.slice(flat, 2, 0, length as number) : g.pad(flat, 2, 0, missing);
}

/** Σ over batch and length of dy[b, g, o, t] · x[b, g, c, t], as [g, o, c]. */
function tapProduct(dy: Sym, x: Sym, group: number, out: number, channels: number, rows: Shape[number]): Sym {
  if (out === 1 && channels === 1) return g.reduceSum(g.mul(dy, x), [0, 3]);
  const byGroup = (s: Sym, width: number) => g.reshape(g.transpose(s, [1, 2, 0, 3]), [group, width, rows]);
  return g.matMul(byGroup(dy, out), g.swapLast(byGroup(x, channels)));
}
