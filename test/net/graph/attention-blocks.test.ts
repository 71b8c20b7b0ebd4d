import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import { LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import { withAttentionInBlocks } from "../../../src/net/graph/attention-blocks.ts";
import { input, reduceSum } from "../../../src/net/graph/build.ts";
import { ancestorsOf, graphOf } from "../../../src/net/graph/graph.ts";
import { peakValues } from "../../../src/net/graph/peak-values.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { attention, causalBias, LOWEST, paddingBias } from "../../../src/net/nn/attention.ts";
import { alibi } from "../../../src/net/nn/position-encoding.ts";
import { everyToken } from "../../../src/net/nn/queries.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";

const [ROWS, HEADS, WIDTH] = [2, 3, 4];
const of = (name: string) => input(name, "float32", ["b", HEADS, "t", WIDTH]);
const [q, k, v] = [of("q"), of("k"), of("v")];
const mask = input("mask", "float32", ["b", "t"]);
const { positions } = everyToken("t");

const BIASES: Readonly<Record<string, Sym | undefined>> = {
  none: undefined,
  padding: paddingBias(mask, LOWEST),
  "distances and padding": alibi(HEADS, positions, "t"),
  "a sliding window": causalBias(everyToken("t"), "t", { mask, window: 100 }),
};

function feedsOf(tokens: number): Readonly<Record<string, NdArray>> {
  const rng = new Pcg64(7);
  const random = (): NdArray => ({
    dtype: "float32",
    shape: [ROWS, HEADS, tokens, WIDTH],
    data: Float32Array.from({ length: ROWS * HEADS * tokens * WIDTH }, () => normal(rng)),
  });
  const present = Float32Array.from({ length: ROWS * tokens }, (_, i) => Number(i < 1.8 * tokens));
  return {
    q: random(),
    k: random(),
    v: random(),
    mask: { dtype: "float32", shape: [ROWS, tokens], data: present },
  };
}

test.each(Object.entries(BIASES))("attention in blocks is attention: bias %s", async (_, bias) => {
  const whole = attention(q, k, v, bias);
  const [blocked] = withAttentionInBlocks([whole]);
  expect(ancestorsOf([blocked]).filter(({ op }) => op === "Softmax" || op === "Scan")).toHaveLength(1);
  const program = await openProgram({ whole, blocked });
  for (const tokens of [1, 256, 600]) {
    const results = await program.run(feedsOf(tokens));
    expect(results.blocked.shape).toEqual([ROWS, HEADS, tokens, WIDTH]);
    const expected = results.whole.data as Float32Array;
    const worst = (results.blocked.data as Float32Array).map((value, i) => Math.abs(value - expected[i]));
    expect(Math.max(...worst)).toBeLessThan(1e-6);
  }
  await program.close();
});

test("memory grows with the tokens, not with their pairs", () => {
  const whole = attention(q, k, v, paddingBias(mask, LOWEST));
  const blocked = withAttentionInBlocks([whole]);
  const sizes = (t: number) => ({ b: 1, t });
  expect(peakValues([whole], sizes(8192))).toBeGreaterThan(2 * HEADS * 8192 ** 2);
  expect(peakValues(blocked, sizes(8192))).toBeLessThan(3 * HEADS * 256 * 8192);
  expect(peakValues(blocked, sizes(8192))).toBeGreaterThan(2 * HEADS * 256 * 8192);
});

test("many layers, each of which reads the loops of those before, are walked in a moment", () => {
  const layers = Array.from({ length: 30 }).reduce<Sym>((x) => attention(x, x, x), q);
  const [blocked] = withAttentionInBlocks([layers]);
  expect(peakValues([blocked], { b: 1, t: 2048 })).toBeGreaterThan(0);
  expect(graphOf({ blocked }).inputs).toHaveLength(1);
});

test("attention that is differentiated stays", () => {
  const loss = reduceSum(attention(q, k, v), [0, 1, 2, 3]);
  const outputs = [loss, ...gradientsOf(loss, [q])];
  expect(withAttentionInBlocks(outputs).every((sym, i) => sym === outputs[i])).toBe(true);
});

const TOYS = LANGUAGE_MODELS.flatMap((card) =>
  Object.entries(card.toys).map(([name, config]) => [`${card.name}, ${name}`, card, config] as const),
);

test.each(TOYS)("no %s keeps the weights of all pairs of tokens", (_, card, config) => {
  const model = card.architecture(config, "config.json");
  const tokens = model.fixedLength ? 2048 : "t";
  const given = {
    ids: input("ids", "int32", ["b", tokens]),
    ...(model.takesMask ? { mask: input("mask", "float32", ["b", tokens]) } : {}),
    loops: true,
  };
  const { logits } = model.forward(given, tokens);
  const squares = (outputs: readonly Sym[]) =>
    ancestorsOf(outputs).filter(({ op, outputs: [{ shape }] }) => {
      return op === "Softmax" && shape.at(-1) === tokens && shape.at(-2) === tokens;
    }).length;
  const loops = (outputs: readonly Sym[]) => ancestorsOf(outputs).filter(({ op }) => op === "Scan").length;
  const blocked = withAttentionInBlocks([logits]);
  expect(squares(blocked)).toBe(0);
  expect(loops(blocked)).toBe(loops([logits]) + squares([logits]));
});
