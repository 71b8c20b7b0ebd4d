import * as g from "./build.ts";
import { addDims, type Dim, knownSize, multiplyDims, type Shape } from "./dim.ts";
import type { InputGradients } from "./gradient-rule.ts";
import { isOp, type Node, type Sym } from "./sym.ts";

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
  const [out, perGroup, kernel] = w.shape.map((size) => knownSize(size, "a kernel"));
  const span = dilation * (kernel - 1);
  const outPerGroup = out / group;
  const padded = g.pad(x, 2, pads[0], pads[1]);
  const length = addDims(padded.shape[2], -span);
  const dense = unstride(dy, length, stride);
  const grouped = g.reshape(w, [group, outPerGroup, perGroup, kernel]);
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
  const [batch] = dy.shape;
  const [out, taken] = dy.shape.slice(1).map((dim) => knownSize(dim, "a strided axis"));
  const spaced = g.pad(g.unsqueeze(dy, 3), 3, 0, stride - 1);
  const flat = g.reshape(spaced, [batch, out, taken * stride]);
  const known = knownSize(length, "a strided axis");
  const missing = known - taken * stride;
  return missing < 0 ? g.slice(flat, 2, 0, known) : g.pad(flat, 2, 0, missing);
}

/** Σ over batch and length of dy[b, g, o, t] · x[b, g, c, t], as [g, o, c]. */
function tapProduct(dy: Sym, x: Sym, group: number, out: number, channels: number, rows: Shape[number]): Sym {
  if (out === 1 && channels === 1) return g.reduceSum(g.mul(dy, x), [0, 3]);
  const byGroup = (s: Sym, width: number) => g.reshape(g.transpose(s, [1, 2, 0, 3]), [group, width, rows]);
  return g.matMul(byGroup(dy, out), g.swapLast(byGroup(x, channels)));
}

/**
 * Gradient of `unfold`. Where the windows were multiplied by a kernel, it is a convolution too: windows of
 * the padded dz times the flipped kernel, without the gradient of each window. Otherwise a sum over the rows
 * of the windows.
 */
export function unfoldGradient(dy: Sym, x: Sym, { kernel }: Node<"Unfold">["attributes"]): Sym {
  const product = isOp(dy.node, "Reshape") ? dy.node.inputs[0].node : dy.node;
  const width = multiplyDims(...x.shape.slice(2));
  if (isOp(product, "Gemm") && isKernelProduct(product, multiplyDims(kernel, width))) {
    const [dz, w] = product.inputs; // [b · windows, out] · [out, kernel · c]
    const out = dz.shape[1];
    const rows = g.pad(g.reshape(dz, [x.shape[0], dy.shape[1], out]), 1, kernel - 1, kernel - 1);
    const taps = g.flip(g.reshape(w, [out, kernel, width]), 1);
    const turned = g.reshape(g.transpose(taps, [1, 0, 2]), [multiplyDims(kernel, out), width]);
    const windows = g.unfold(rows, kernel);
    const flat = g.reshape(windows, [multiplyDims(...windows.shape.slice(0, 2)), multiplyDims(kernel, out)]);
    return g.reshape(g.gemm(flat, turned), x.shape);
  }
  const taps = Array.from({ length: kernel }, (_, tap) => {
    const seen = g.squeeze(g.slice(dy, 2, tap, tap + 1), 2);
    return g.pad(seen, 1, tap, kernel - 1 - tap);
  });
  return taps.reduce((a, b) => g.add(a, b));
}

/** True for a product without transposition by a matrix with one column per element of a window. */
function isKernelProduct({ attributes, inputs, outputs }: Node<"Gemm">, columns: Dim): boolean {
  const { transA, transB } = attributes;
  return !transA && !transB && inputs.length === 2 && outputs[0].shape[1] === columns;
}
