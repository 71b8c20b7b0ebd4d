import { withInputs } from "./apply.ts";
import {
  add,
  gather,
  matMul,
  minimum,
  mul,
  range,
  reduceMax,
  reshape,
  scan,
  softmax,
  transpose,
} from "./build.ts";
import { chunksOf, multiplyDims } from "./dim.ts";
import { ancestorsOf, capturedBy } from "./graph.ts";
import { isOp, type Node, type Sym } from "./sym.ts";

// axes: b batch · h heads · q queries · t tokens · c width of a head

/** Queries of a block. Measured in docs/decisions/0022. */
const BLOCK = 256;

/**
 * A graph whose attention, softmax(q·kᵀ·s + bias)·v, is a loop over blocks of 256 queries, so that its memory
 * grows with the tokens and not with their square. Each value is the same sum as before. Attention whose
 * weights or scores have another reader stays: gradients read the weights. So does attention of few queries.
 *
 * @returns the outputs, in their order
 */
export function withAttentionInBlocks(outputs: readonly Sym[]): readonly Sym[] {
  const order = ancestorsOf(outputs);
  const uses = new Map<Node, number>();
  for (const { node } of [...outputs, ...order.flatMap((node) => [...node.inputs, ...capturedBy(node)])]) {
    uses.set(node, (uses.get(node) ?? 0) + 1);
  }
  const rebuilt = new Map<Node, readonly Sym[]>();
  const renewed = (sym: Sym): Sym => rebuilt.get(sym.node)?.[sym.output] ?? sym;
  for (const node of order) {
    const found = attentionOf(node);
    if (found?.inner.every((sym) => uses.get(sym.node) === 1)) {
      const [q, keys, v] = [found.q, found.keys, found.v].map(renewed);
      rebuilt.set(node, [inBlocks({ ...found, q, keys, v, bias: found.bias && renewed(found.bias) })]);
    } else {
      const made = withInputs(node, renewed);
      if (made !== undefined) rebuilt.set(node, made);
    }
  }
  return outputs.map(renewed);
}

/** The tensors of softmax(q·kᵀ·s + bias)·v. */
interface Attention {
  /** [b, h, q, c] */
  readonly q: Sym;
  /** kᵀ: [b, h, c, t] */
  readonly keys: Sym;
  readonly scale: Sym;
  /** Broadcasts to [b, h, q, t]. */
  readonly bias: Sym | undefined;
  /** [b, h, t, c] */
  readonly v: Sym;
  /** Scores to weights: [b, h, q, t] */
  readonly inner: readonly Sym[];
}

/** Attention with the node as its last product. */
function attentionOf(node: Node): Attention | undefined {
  if (!isOp(node, "MatMul")) return undefined;
  const [weights, v] = node.inputs;
  if (!isOp(weights.node, "Softmax") || weights.node.attributes.axis !== -1) return undefined;
  const biased = weights.node.inputs[0];
  const [scaled, bias] = isOp(biased.node, "Add") ? biased.node.inputs : [biased];
  if (!isOp(scaled.node, "Mul")) return undefined;
  const [scores, scale] = scaled.node.inputs;
  if (!isOp(scores.node, "MatMul") || scale.shape.length > 0) return undefined;
  const [q, keys] = scores.node.inputs;
  const queries = q.shape[2];
  if (q.shape.length !== 4 || (typeof queries === "number" && queries <= BLOCK)) return undefined;
  return { q, keys, scale, bias, v, inner: [...new Set([scores, scaled, biased, weights])] };
}

/** The last block repeats the last query; its surplus is left out at the end. */
function inBlocks({ q, keys, scale, bias, v }: Attention): Sym {
  const [batch, heads, queries, width] = q.shape;
  const count = chunksOf(queries, BLOCK);
  const covered = multiplyDims(count, BLOCK);
  const last = reduceMax(range(queries), [0]);
  const blocks = reshape(minimum(range(covered), last), [count, BLOCK]);
  const { emitted } = scan([], [blocks], (_, [rows]) => {
    const ofBlock = (x: Sym) => {
      const axis = x.shape.length - 2;
      return x.shape[axis] === 1 ? x : gather(x, rows, axis);
    };
    const scores = mul(matMul(ofBlock(q), keys), scale);
    const weights = softmax(bias === undefined ? scores : add(scores, ofBlock(bias)));
    return { states: [], emit: [matMul(weights, v)] };
  });
  const joined = reshape(transpose(emitted[0], [1, 2, 0, 3, 4]), [batch, heads, covered, width]);
  return gather(joined, range(queries), 2);
}
