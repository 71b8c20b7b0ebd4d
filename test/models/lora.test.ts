import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { chunks } from "../../src/models/language/collate.ts";
import type { NdArray } from "../../src/net/arrays/array.ts";
import { input } from "../../src/net/graph/build.ts";
import { graphOf } from "../../src/net/graph/graph.ts";
import { gradientsOf } from "../../src/net/graph/reverse.ts";
import type { Sym } from "../../src/net/graph/sym.ts";
import { crossEntropy } from "../../src/net/nn/losses.ts";
import { openProgram } from "../../src/net/runtime/program.ts";
import { openTrainStep } from "../../src/net/train/train-step.ts";
import { evaluate, valuesOf } from "../net/graph/reference.ts";
import { ADAPTED_FAMILIES, adaptedClasses, mergedWeights } from "./adapted-families.ts";
import { outputOf } from "./graph-nodes.ts";

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const furthest = ({ data }: NdArray, stated: ArrayLike<number>) =>
  Math.max(...Array.from(stated, (value, i) => Math.abs(value - (data[i] as number))));

async function run(
  outputs: Readonly<Record<string, Sym>>,
  parameters: ReadonlyMap<string, NdArray>,
  feeds: Readonly<Record<string, NdArray>>,
) {
  const program = await openProgram(outputs, parameters);
  const results = await program.run(feeds);
  await program.close();
  return results;
}

describe.each(ADAPTED_FAMILIES.map((family) => [family.title, family] as const))(
  "%s, adapted",
  (_, family) => {
    test("equals the original with its factors, and the model with merged weights", async () => {
      const { classes, factors, head, frozen, trained, feeds, given } = await adaptedClasses(family);
      expect(factors.weights.length).toBe(family.modules);
      const values = factors.weights.map(({ a, b }) => count(a.shape) + count(b.shape));
      expect(values.reduce((a, b) => a + b, 0)).toBe(family.values);
      const adapted = await run({ classes }, new Map([...frozen, ...trained]), feeds);
      expect(furthest(adapted.classes, family.classes)).toBeLessThan(family.tolerance);

      const { model, weights } = await mergedWeights(family, factors.weights);
      const length = given.ids.shape[1];
      const merged = head.logits(model.forward(given, length), given);
      const headWeights = head.tensors.map((tensor) => [tensor.name, family.weight(tensor)] as const);
      const results = await run({ merged }, new Map([...weights, ...headWeights]), feeds);
      expect(furthest(adapted.classes, results.merged.data as Float32Array)).toBeLessThan(family.tolerance);
    });

    test("gradients equal difference quotients, with dropout", async () => {
      const { classes, factors, frozen, trained, feeds } = await adaptedClasses(family, {
        dropout: 0.3,
        training: true,
        tokens: Math.min(family.rows[0].length, 9),
      });
      const labels: NdArray = { dtype: "int32", shape: [2], data: Int32Array.of(1, 0) };
      const loss = crossEntropy(classes, input("labels", "int32", ["b"]));
      const all = { ...feeds, labels, ...factors.drawMasks(3, { epoch: 0, batch: 0 }) };
      const { parameters } = graphOf({ loss });
      const used = parameters.filter(({ attributes }) => trained.has(attributes.name));
      expect(used.length).toBeGreaterThan(20);
      const flows = gradientsOf(
        loss,
        used.map((node) => outputOf(node as Parameters<typeof outputOf>[0])),
      );
      const outputs = Object.fromEntries(flows.map((flow, i) => [`d${i}`, flow]));
      const gradients = await run(outputs, new Map([...frozen, ...trained]), all);

      const exact = Object.fromEntries(
        Object.entries({ ...all, ...Object.fromEntries([...frozen, ...trained]) }).map(([name, each]) => [
          name,
          valuesOf(each),
        ]),
      );
      const rng = new Pcg64(5);
      const directions = used.map(({ attributes: { name } }, i) => {
        const gradient = Float64Array.from(gradients[`d${i}`].data as Float32Array);
        const size = Math.hypot(...gradient);
        const random = gradient.map(() => normal(rng) / Math.sqrt(gradient.length));
        const direction = gradient.map((g, at) => (size > 0 ? g / size : 0) + random[at]);
        return { name, size, direction, slope: gradient.reduce((sum, g, k) => sum + g * direction[k], 0) };
      });
      // several tensors at a time, each along its own gradient and a random vector
      for (const together of chunks(directions, 4)) {
        const at = (h: number) => {
          const moved = together.map(({ name, direction }) => {
            const { shape, data } = exact[name];
            return [name, { shape, data: data.map((value, k) => value + h * direction[k]) }] as const;
          });
          return evaluate([loss], { ...exact, ...Object.fromEntries(moved) })[0].data[0];
        };
        const quotient = (at(1e-5) - at(-1e-5)) / 2e-5;
        const sum = (of: "slope" | "size") => together.reduce((total, each) => total + each[of], 0);
        const names = together.map(({ name }) => name).join(" ");
        expect(Math.abs(sum("slope") - quotient) / Math.max(sum("size"), 1e-6), names).toBeLessThan(1e-4);
      }
    }, 120_000);

    test("learns to distinguish two sequences in a few steps of AdamW", async () => {
      const { classes, factors, frozen, trained, feeds } = await adaptedClasses(family, {
        dropout: 0.05,
        training: true,
      });
      const loss = crossEntropy(classes, input("labels", "int32", ["b"]));
      const used = new Set(graphOf({ loss }).parameters.map(({ attributes }) => attributes.name));
      const step = await openTrainStep({
        loss,
        trained: new Map([...trained].filter(([name]) => used.has(name))),
        frozen,
        optimizer: { learningRate: 1e-2, weightDecay: 0.01 },
        program: { threads: 1 },
      });
      const labels: NdArray = { dtype: "int32", shape: [2], data: Int32Array.of(1, 0) };
      const losses: number[] = [];
      for (let batch = 0; batch < 12; batch++) {
        const masks = factors.drawMasks(3, { epoch: 0, batch });
        losses.push(Number((await step.run({ ...feeds, ...masks, labels })).loss.data[0]));
      }
      await step.close();
      expect(losses.at(-1)!).toBeLessThan(losses[0] / 2);
    });
  },
);
