import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tokenizer } from "../../../src/dna/tokenizers/tokenizer.ts";
import type { Architecture, ForwardOutput } from "../../../src/models/language/architecture.ts";
import type { LanguageModelCard } from "../../../src/models/language/card.ts";
import type { DeclaredTensor } from "../../../src/models/language/parameters.ts";
import { maskedLogLikelihoods } from "../../../src/models/queries/masked-likelihood.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import { input } from "../../../src/net/graph/build.ts";
import type { Graph } from "../../../src/net/graph/graph.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import type { GoldenTensor } from "../golden-weights.ts";
import { deviation } from "../golden-weights.ts";
import { hashedArray, hashedWeights, withHashedLora } from "../hashed-weights.ts";
import { tinyQuery, tokensOf } from "../tiny-query.ts";

type Goldens = Readonly<Record<string, GoldenTensor>>;

/** Float64 golden values of a masked encoder's tiny model, and the tensors they belong to. */
export interface EncoderGolden {
  readonly title: string;
  readonly card: LanguageModelCard;
  readonly config: Readonly<Record<string, unknown>>;
  /** Rows of ids padded to one length, and their mask. */
  readonly rows: readonly (readonly number[])[];
  readonly mask: readonly (readonly (0 | 1)[])[];
  /** Weight of a tensor that is not the hash of its name. */
  readonly weight?: (tensor: DeclaredTensor) => NdArray;
  /** Tensors by name, of the masked and of the unmasked run. */
  tensors(graph: Graph, output: ForwardOutput): Readonly<Record<string, Sym>>;
  readonly masked: Goldens;
  readonly unmasked: Goldens;
  /** Names of tensors whose golden values exclude padding, as in the original. */
  readonly ofTokensOnly?: ReadonlySet<string>;
  /** Some values of one tensor, from an element on, in both runs. */
  readonly rowValues?: {
    readonly tensor: string;
    readonly start: number;
    readonly masked: readonly number[];
    readonly unmasked: readonly number[];
  };
  /** Three logits per row; those of the unmasked run for the second row, which attends to padding. */
  readonly classifier?: { readonly masked: readonly number[]; readonly unmaskedSecond?: readonly number[] };
  readonly special: Pick<Tokenizer, "special" | "before" | "after">;
  readonly pseudoLogLikelihoods: readonly number[];
  readonly lora?: {
    readonly adapt: (name: string) => boolean;
    readonly modules: number;
    readonly values: number;
    readonly masked: readonly number[];
    readonly unmaskedSecond?: readonly number[];
  };
}

/** float32 against float64 */
const TOLERANCE = 2e-6;
const LABELS = 3;

/** Tests a family's equations, its likelihood and its classifier against the published modules in float64. */
export function describeEncoder(golden: EncoderGolden): void {
  const { title, card, config, rows } = golden;
  const model = card.architecture(config, "config.json");
  const { weight = ({ name, shape }: DeclaredTensor) => hashedArray(name, shape) } = golden;
  const weights = new Map(model.tensors.map((tensor) => [tensor.name, weight(tensor)]));
  const head = model.classifier(LABELS);
  const headWeights = hashedWeights(head.tensors);
  const tokens = rows[0].length;
  const shape = [rows.length, tokens];
  const ids: NdArray = { dtype: "int32", shape, data: Int32Array.from(rows.flat()) };
  const maskOf = (values: readonly number[]): NdArray => ({
    dtype: "float32",
    shape,
    data: Float32Array.from(values),
  });
  const mask = maskOf(golden.mask.flat());
  const ones = maskOf(golden.mask.flat().map(() => 1));

  const given = { ids: input("ids", "int32", ["b", "t"]), mask: input("mask", "float32", ["b", "t"]) };
  const output = model.forward(given, "t");
  const classes = head.logits(output, given);

  const tokenRows = golden.mask.flat().flatMap((real, row) => (real === 1 ? [row] : []));
  const stated = (name: string, array: NdArray) =>
    golden.ofTokensOnly?.has(name) ? pickRows(array, tokenRows, rows.length * tokens) : array;

  describe(title, () => {
    let masked: Readonly<Record<string, NdArray>>;
    let unmasked: Readonly<Record<string, NdArray>>;

    beforeAll(async () => {
      const graph = graphOf({ logits: output.logits });
      const outputs = { ...golden.tensors(graph, output), classes };
      const program = await openProgram(outputs, new Map([...weights, ...headWeights]));
      masked = await program.run({ ids, mask });
      unmasked = await program.run({ ids, mask: ones });
      await program.close();
    });

    test.each(Object.keys(golden.masked))("%s agrees with float64 to 2e-6", (name) => {
      expect(deviation(stated(name, masked[name]), golden.masked[name])).toBeLessThan(TOLERANCE);
    });

    test.each(Object.keys(golden.unmasked))("%s with padding seen agrees with float64 to 2e-6", (name) => {
      expect(deviation(unmasked[name], golden.unmasked[name])).toBeLessThan(TOLERANCE);
    });

    if (golden.rowValues !== undefined) {
      test("padding changes a token's state only if it is attended to", () => {
        const { tensor, start, ...stated } = golden.rowValues!;
        expect(largest(from(masked[tensor], start), stated.masked)).toBeLessThan(TOLERANCE);
        expect(largest(from(unmasked[tensor], start), stated.unmasked)).toBeLessThan(TOLERANCE);
      });
    }

    if (golden.classifier !== undefined) {
      test("classifier logits", () => {
        expect(largest(masked.classes, golden.classifier!.masked)).toBeLessThan(TOLERANCE);
        const { unmaskedSecond } = golden.classifier!;
        if (unmaskedSecond === undefined) return;
        expect(largest(second(unmasked.classes), unmaskedSecond)).toBeLessThan(TOLERANCE);
      });
    }

    if (golden.lora !== undefined) {
      test("classifier logits with LoRA factors merged into every adapted weight", async () => {
        const { adapt, modules, values, ...expected } = golden.lora!;
        const lora = withHashedLora(weights, model.tensors, { rank: 2, scale: 2, adapt });
        expect([lora.modules, lora.values]).toEqual([modules, values]);
        const program = await openProgram({ classes }, new Map([...lora.merged, ...headWeights]));
        const seen = await program.run({ ids, mask });
        const all = await program.run({ ids, mask: ones });
        await program.close();
        expect(largest(seen.classes, expected.masked)).toBeLessThan(TOLERANCE);
        if (expected.unmaskedSecond === undefined) return;
        expect(largest(second(all.classes), expected.unmaskedSecond)).toBeLessThan(TOLERANCE);
      });
    }

    const query = tinyQuery(model, weights, golden.special);
    afterAll(() => query.close());

    test("masked pseudo-log-likelihoods", async () => {
      const unpadded = rows.map((row, i) => tokensOf(row.filter((_, j) => golden.mask[i][j] === 1)));
      const totals = await maskedLogLikelihoods(query, unpadded, { protocol: "corrected" });
      golden.pseudoLogLikelihoods.forEach((value, i) => {
        expect(Math.abs(totals[i] - value)).toBeLessThan(1e-5);
      });
    });
  });
}

/** Rows of [rows, …], or of [b, t, …] flattened to rows. */
function pickRows(array: NdArray, picked: readonly number[], rows: number): NdArray {
  const width = array.data.length / rows;
  const values = array.data as Float32Array;
  const data = Float32Array.from(
    picked.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]),
  );
  return { ...array, shape: [picked.length, width], data };
}

const from = (array: NdArray, start: number) => ({
  ...array,
  data: (array.data as Float32Array).subarray(start),
});

const second = (classes: NdArray) => from(classes, LABELS);

/** Largest deviation of the first values from the golden ones. */
const largest = ({ data }: NdArray, stated: readonly number[]) =>
  Math.max(...stated.map((value, i) => Math.abs(value - (data[i] as number))));

export function parameterCount({ tensors }: Architecture): number {
  return tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}
