import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import {
  type BaseTokens,
  type ProbingHead,
  probingHead,
  probingInputs,
  probingLogits,
} from "../../../src/models/training/probing-head.ts";
import * as g from "../../../src/net/graph/build.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { FreshLayers, initialValues, parameterCount } from "../../../src/net/nn/init.ts";
import { linear } from "../../../src/net/nn/linear.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { evaluate, type Values, valuesOf } from "../../net/graph/reference.ts";

test.each([
  ["HyenaDNA", 256, 8, 24_738],
  ["DNABERT-2 and Mistral-DNA", 768, 8, 41_122],
  ["GENA-LM and Nucleotide Transformer", 1024, 8, 49_314],
  ["Caduceus", 512, 3, 22_690],
])("the head on %s has the original's number of parameters", (_, width, kernel, two) => {
  const count = (outputs: number) => {
    const layers = new FreshLayers();
    probingHead(layers, { width, kernel, outputs });
    return parameterCount(layers.tensors);
  };
  expect([count(2), count(5), count(1)]).toEqual([two, two + 99, two - 33]);
});

const rng = new Pcg64(21);
const WIDTH = 6;
const LENGTH = 24;

/** The definition, step by step on bases and channels first: gather, then three padded convolutions. */
function naiveLogits(head: ProbingHead, onBases: Sym): Sym {
  const x = g.swapLast(onBases);
  const convolved = [head.conv1, head.conv2, head.conv3].reduce(
    (state, { weight, bias }) => g.relu(g.conv(state, weight, bias, { pads: [1, 1] })),
    x,
  );
  return linear(head.output, g.reduceSum(convolved, [2]));
}

/** Tokens at each position, selected explicitly. */
function onBases(tokens: Values, basesOf: BaseTokens, index: Values | undefined): Values {
  const [batch, count, width] = tokens.shape;
  const rows = Array.from({ length: batch }, (_, b) => {
    if (basesOf.kind === "ends") return [0, basesOf.length];
    return Array.from({ length: basesOf.length }, (_x, i) =>
      basesOf.kind === "slice" ? i : index!.data[b * basesOf.length + i],
    );
  });
  const data = rows.flatMap((places, b) =>
    places.flatMap((t) => [...tokens.data.subarray((b * count + t) * width, (b * count + t + 1) * width)]),
  );
  return { shape: [batch, rows[0].length, width], data: Float64Array.from(data) };
}

const tokensOf = { gather: 9, slice: LENGTH + 1, ends: LENGTH + 1 };
const kinds = ["gather", "slice", "ends"] as const;

describe.each(kinds)("%s", (kind) => {
  const basesOf: BaseTokens = { kind, length: LENGTH };
  const layers = new FreshLayers();
  const head = probingHead(layers, { width: WIDTH, kernel: kind === "ends" ? 3 : 8, outputs: 5 });
  const values = initialValues(layers.tensors, 4);
  const { tokens, index } = probingInputs(WIDTH, basesOf);
  const embedding: Values = {
    shape: [2, tokensOf[kind], WIDTH],
    data: Float64Array.from({ length: 2 * tokensOf[kind] * WIDTH }, () => Math.fround(normal(rng))),
  };
  // spans of the tokens 1 to 7; nothing points at the first, the last or the padding
  const spans = {
    shape: [2, LENGTH],
    data: Float64Array.from({ length: 2 * LENGTH }, (_, i) => 1 + Math.floor((i % LENGTH) / 3.5)),
  };
  const feeds = {
    ...Object.fromEntries([...values].map(([name, array]) => [name, valuesOf(array)])),
    embedding,
    index: spans,
    bases: onBases(embedding, basesOf, spans),
  };
  const ours = probingLogits(head, tokens, basesOf, index);
  const theirs = naiveLogits(head, g.input("bases", "float32", ["b", feeds.bases.shape[1], WIDTH]));

  test("the first convolution on tokens equals the definition on bases", () => {
    const [a, b] = evaluate([ours, theirs], feeds);
    expect(a.shape).toEqual([2, 5]);
    a.data.forEach((value, i) => {
      expect(value).toBeCloseTo(b.data[i], 10);
    });
  });

  test("gradients equal those of the definition", () => {
    const parameters = layers.tensors.map(({ name, shape }) => [name, shape] as const);
    const gradients = (logits: Sym) => {
      const bent = g.mul(logits, g.sin(logits));
      const loss = g.reduceSum(bent, [0, 1]);
      const symbols = [head.conv1, head.conv2, head.conv3, head.output].flatMap((l) => [l.weight, l.bias!]);
      return gradientsOf(loss, symbols);
    };
    const all = evaluate([...gradients(ours), ...gradients(theirs)], feeds);
    parameters.forEach(([name, shape], i) => {
      expect(all[i].shape, name).toEqual(shape);
      const { data: expected } = all[i + parameters.length];
      expect(
        all[i].data.filter((value, at) => !(Math.abs(value - expected[at]) < 5e-9)),
        name,
      ).toHaveLength(0);
    });
  });

  test("ONNX Runtime agrees", async () => {
    const program = await openProgram({ ours }, values);
    const array = Float32Array.from(embedding.data);
    const { ours: came } = await program.run({
      embedding: { dtype: "float32", shape: embedding.shape, data: array },
      index: { dtype: "int32", shape: spans.shape, data: Int32Array.from(spans.data) },
    });
    await program.close();
    const [expected] = evaluate([ours], feeds);
    expected.data.forEach((value, i) => {
      expect(came.data[i]).toBeCloseTo(value, 4);
    });
  });
});
