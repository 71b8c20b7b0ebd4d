import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import { LoraAdapters } from "../../../src/models/language/lora.ts";
import { bindParameters } from "../../../src/models/language/parameters.ts";
import { causalLogLikelihoods } from "../../../src/models/queries/causal-likelihood.ts";
import { maskedLogLikelihoods } from "../../../src/models/queries/masked-likelihood.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import type { Checkpoint } from "../../../src/net/arrays/checkpoint.ts";
import { input } from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import { crossEntropy } from "../../../src/net/nn/losses.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { deviation, type GoldenTensor } from "../golden-weights.ts";
import { outputOf } from "../graph-nodes.ts";
import { hashedArray, hashedWeights } from "../hashed-weights.ts";
import { tinyQuery, tokensOf } from "../tiny-query.ts";

/** By scripts/golden/architectures.py: classes of Transformers in float64. */
interface Golden {
  readonly kind: "causal" | "masked";
  readonly config: Readonly<Record<string, unknown>>;
  readonly rows: readonly (readonly number[])[];
  readonly mask: readonly (readonly number[])[];
  /** Names and shapes in the checkpoint. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  readonly masked: Readonly<Record<string, GoldenTensor>>;
  readonly unmasked: Readonly<Record<string, GoldenTensor>>;
  readonly classes: readonly number[];
  readonly likelihoods: readonly number[];
  readonly lora: {
    readonly modules: number;
    readonly values: number;
    readonly classes: readonly number[];
    readonly loss: number;
    readonly gradients: Readonly<Record<string, Readonly<Record<"A" | "B", GoldenTensor>>>>;
  };
}

const folder = new URL("../../golden/architectures/", import.meta.url);
const GOLDENS = readdirSync(folder).map((file): readonly [string, Golden] => [
  file.replace(".json", ""),
  JSON.parse(readFileSync(new URL(file, folder), "utf8")),
]);

/** float32 against float64 */
const TOLERANCE = 2e-6;
const SPECIAL = { special: { cls: 1, sep: 2, pad: 3, mask: 4 }, before: [1], after: [2] };

test("covers every family without a trained toy", () => {
  const families = GOLDENS.map(([, { config }]) => LANGUAGE_MODELS.find((card) => card.recognises(config)));
  const without = LANGUAGE_MODELS.filter(({ toy }) => toy === undefined);
  expect(new Set(families)).toEqual(new Set(without));
});

describe.each(GOLDENS)("%s", (_, golden) => {
  const card = LANGUAGE_MODELS.find((each) => each.recognises(golden.config))!;
  const model = card.architecture(golden.config, "config.json");
  const weights = hashedWeights(model.tensors);
  const derived = async () => (await model.derive?.(tokens, async (name) => weights.get(name)!)) ?? [];
  const labels = golden.classes.length / golden.rows.length;
  const head = model.classifier(labels);
  const headWeights = hashedWeights(head.tensors);
  const tokens = golden.rows[0].length;
  const length = model.fixedLength ? tokens : "t";
  const given = {
    ids: input("ids", "int32", ["b", length]),
    ...(model.takesMask ? { mask: input("mask", "float32", ["b", length]) } : {}),
  };
  const feed = (mask: readonly number[]): Readonly<Record<string, NdArray>> => ({
    ids: { dtype: "int32", shape: [2, tokens], data: Int32Array.from(golden.rows.flat()) },
    ...(model.takesMask
      ? { mask: { dtype: "float32", shape: [2, tokens], data: Float32Array.from(mask) } }
      : {}),
  });
  const [seen, all] = [feed(golden.mask.flat()), feed(golden.mask.flat().map(() => 1))];

  test("the tensors of the checkpoint are those of the model", () => {
    const arrays = Object.entries(golden.tensors).map(([name, shape]) => [
      name,
      { name, shape, dtype: "float32", file: "model.safetensors" },
    ]);
    const checkpoint = { files: ["model.safetensors"], arrays: new Map(arrays as never) };
    const bound = bindParameters(model.tensors, checkpoint as unknown as Checkpoint, model.ignored);
    expect(bound.size).toBe(model.tensors.length);
  });

  describe("a padded batch", () => {
    const { hiddenStates, logits } = model.forward(given, length);
    const states = Object.fromEntries(hiddenStates.map((state, i) => [`hidden${i}`, state]));
    const classes = head.logits(model.forward(given, length), given);
    let masked: Readonly<Record<string, NdArray>>;
    let unmasked: Readonly<Record<string, NdArray>>;

    beforeAll(async () => {
      const program = await openProgram<string>(
        { ...states, logits, classes },
        new Map([...weights, ...headWeights, ...(await derived())]),
      );
      masked = await program.run(seen);
      unmasked = await program.run(all);
      await program.close();
    });

    test.each(Object.keys(golden.masked))("%s agrees with float64 to 2e-6", (name) => {
      expect(deviation(masked[name], golden.masked[name])).toBeLessThan(TOLERANCE);
      expect(deviation(unmasked[name], golden.unmasked[name])).toBeLessThan(TOLERANCE);
    });

    test("logits of the classifier", () => {
      expect(furthest(masked.classes, golden.classes)).toBeLessThan(TOLERANCE);
    });
  });

  describe("likelihoods", () => {
    const query = tinyQuery(model, weights, SPECIAL, golden.kind);
    afterAll(() => query.close());

    test("log-likelihoods of both rows", async () => {
      expect(card.kind).toBe(golden.kind);
      const score = golden.kind === "masked" ? maskedLogLikelihoods : causalLogLikelihoods;
      const rows = golden.rows.map((row, i) => tokensOf(row.filter((_, j) => golden.mask[i][j] === 1)));
      const totals = await score(query, rows, { protocol: "corrected" });
      golden.likelihoods.forEach((value, i) => {
        expect(Math.abs(totals[i] - value)).toBeLessThan(1e-5);
      });
    });
  });

  test("loss and gradients of a step with LoRA factors", async () => {
    const { lora } = golden;
    const factors = new LoraAdapters({ rank: 2, alpha: 4, dropout: 0 }, model.adaptedModules, true);
    const adapted = model.withLora(factors);
    const pairs = factors.weights.flatMap(({ weight, a, b }) => [
      { weight, which: "A" as const, factor: a },
      { weight, which: "B" as const, factor: b },
    ]);
    const size = ({ factor }: (typeof pairs)[number]) => factor.shape.reduce((x, y) => x * y, 1);
    expect([factors.weights.length, pairs.reduce((sum, each) => sum + size(each), 0)]).toEqual([
      lora.modules,
      lora.values,
    ]);
    const classes = head.logits(adapted.forward(given, length), given);
    const loss = crossEntropy(classes, input("labels", "int32", ["b"]));
    const used = new Map(
      graphOf({ loss }).parameters.map((node) => [node.attributes.name, outputOf(node as never)]),
    );
    const trained = pairs.filter(({ factor }) => used.has(factor.name));
    expect(trained.map(({ weight, which }) => `${weight} ${which}`).toSorted()).toEqual(
      Object.entries(lora.gradients)
        .flatMap(([weight, pair]) => Object.keys(pair).map((which) => `${weight} ${which}`))
        .toSorted(),
    );
    const flows = gradientsOf(
      loss,
      trained.map(({ factor }) => used.get(factor.name)!),
    );
    const program = await openProgram<string>(
      { loss, classes, ...Object.fromEntries(flows.map((flow, i) => [`d${i}`, flow])) },
      new Map([
        ...hashedWeights(adapted.tensors),
        ...headWeights,
        ...(await derived()),
        ...pairs.map(
          ({ weight, which, factor }) =>
            [factor.name, hashedArray(`${weight}:${which}`, factor.shape)] as const,
        ),
      ]),
    );
    const results = await program.run({
      ...seen,
      labels: { dtype: "int32", shape: [2], data: Int32Array.of(1, 0) },
    });
    await program.close();
    expect(furthest(results.classes, lora.classes)).toBeLessThan(2 * TOLERANCE);
    expect(furthest(results.loss, [lora.loss])).toBeLessThan(2 * TOLERANCE);
    trained.forEach(({ weight, which }, i) => {
      expect(
        deviation(results[`d${i}`], lora.gradients[weight][which]),
        `gradient of ${weight} ${which}`,
      ).toBeLessThan(5 * TOLERANCE);
    });
  });
});

const furthest = ({ data }: NdArray, stated: readonly number[]) =>
  Math.max(...stated.map((value, i) => Math.abs(value - (data[i] as number))));
