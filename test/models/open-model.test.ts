import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { genomeInMemory } from "../../src/dna/genome/genome.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { hyenadna } from "../../src/models/language/hyenadna.ts";
import { type Model, type QueryOptions, supports } from "../../src/models/model.ts";
import { openedModel, openModel } from "../../src/models/open-model.ts";
import { meanOverBases } from "../../src/models/queries/embeddings.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const context = { device: "cpu", trainChromosomes: [] } as const;

test("a checkpoint is named by its folder, and a snapshot of the hub's cache by its repository", async () => {
  const root = temporaryFolder();
  const commit = "0a629abf9c7f85b4ec9aa6a1aefa3adcf1907446";
  for (const [folder, name] of [
    [join(root, "mine"), "mine"],
    [join(root, "models--LongSafari--hyenadna-tiny", "snapshots", commit), "hyenadna-tiny"],
    [join(root, "models--gpt2", "snapshots", commit), "gpt2"],
  ] as const) {
    await mkdir(folder, { recursive: true });
    await initCheckpoint(hyenadna, { preset: "toy", seed: 0, folder });
    const model = await openModel(folder, context);
    expect(model.name).toBe(name);
    await model.close?.();
  }
});

test.each([
  ["hyenadna/large-1n", /did you mean hyenadna\/large-1m\?/],
  ["kmer-marcov", /did you mean kmer-markov\?/],
  ["toy:hyendna", /did you mean toy:hyenadna\?/],
])("the error for %s suggests the nearest name", async (text, hint) => {
  const error: unknown = await openModel(text, context).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).hint).toMatch(hint);
});

test("the error for a name like no other suggests none", async () => {
  const error = await openModel("enformer", context).catch((thrown: InputError) => thrown);
  expect((error as InputError).hint).toMatch(
    /^give a checkpoint's folder, hf:ORGANISATION\/NAME, or a name from/,
  );
});

test("a file that is not a model is an error", async () => {
  const file = join(temporaryFolder(), "weights.bin");
  await writeFile(file, "x");
  await expect(openModel(file, context)).rejects.toThrow(`${file} is a file`);
});

const SEQUENCES = ["ACGTTGCAACGTTGCAGGATCC", "GATTACA"];
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

describe.each(["hyenadna", "mistral-dna", "caduceus", "dnabert2", "nucleotide-transformer"])(
  "toy:%s without options",
  (family) => {
    test("log-probabilities of tokens cover the sequence and add up to its log-likelihood", async () => {
      await using model = await openModel(`toy:${family}`);
      const whole = await model.logLikelihood(SEQUENCES);
      const tokens = await model.tokenLogProbabilities(SEQUENCES);
      expect(tokens).toHaveLength(2);
      tokens.forEach(({ values, starts, ends }, i) => {
        expect(sum(values)).toBe(whole[i]);
        expect(Math.max(...values)).toBeLessThanOrEqual(0);
        expect(ends.at(-1)).toBe(SEQUENCES[i].length);
        expect([...starts.slice(1)]).toEqual([...ends.slice(0, -1)]);
      });
      // Tokens around some bases have the same log-probabilities, up to the rounding of another batch.
      const around = await model.tokenLogProbabilities(SEQUENCES, { within: [2, 5] });
      around.forEach(({ values, starts, ends }, i) => {
        expect(starts[0]).toBeLessThanOrEqual(2);
        expect(ends.at(-1)).toBeGreaterThanOrEqual(5);
        const first = tokens[i].starts.indexOf(starts[0]);
        values.forEach((value, k) => {
          expect(Math.abs(value - tokens[i].values[first + k])).toBeLessThan(1e-5);
        });
      });
      const counts = [around, tokens].map((all) => sum(all.map(({ values }) => values.length)));
      if (model.kind === "masked") expect(counts[0]).toBeLessThan(counts[1]);
    });

    test("embeddings, and their mean over the bases", async () => {
      await using model = await openModel(`toy:${family}`);
      const embeddings = await model.embed(SEQUENCES);
      expect(embeddings.map(({ width }) => width)).toEqual([model.width, model.width]);
      expect(await model.pool(SEQUENCES)).toEqual(embeddings.map(meanOverBases));
      expect(await model.embed([])).toEqual([]);
    });
  },
);

test("kmer-markov is fitted to the training chromosomes of DART-Eval by default", async () => {
  const genome = genomeInMemory(
    "synthetic",
    new Map([
      ["chr1", "ACGTACGGTTACGATCGATCAGCATCAGC".repeat(20)],
      ["chr5", "A".repeat(500)],
    ]),
  );
  const model = await openModel("kmer-markov:order=2", { genome });
  const [whole] = Array.from(await model.logLikelihood(["ACGGTT"]));
  const [{ values, starts, ends }] = await model.tokenLogProbabilities(["ACGGTT"]);
  expect(sum(values)).toBeCloseTo(whole, 10);
  expect([[...starts], [...ends]]).toEqual([
    [0, 1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5, 6],
  ]);
  expect(Array.from(await model.logLikelihood(["AAAAAA"]))[0]).toBeLessThan(whole);
});

describe("a user's object", () => {
  /** Keeps its state in private fields, which a copy of the object would not have. */
  class Composition implements Model {
    #calls = 0;
    readonly options: QueryOptions[] = [];
    get name() {
      return "composition";
    }
    get calls() {
      return this.#calls;
    }
    logLikelihood(sequences: readonly string[], options: QueryOptions) {
      this.#calls++;
      this.options.push(options);
      return sequences.map((letters) => -letters.length);
    }
    tokenCount(sequence: string) {
      return sequence.length + this.#calls;
    }
  }

  test("keeps its private state under another name", async () => {
    const model = new Composition();
    const opened = openedModel(model, "renamed");
    expect([opened.name, model.name]).toEqual(["renamed", "composition"]);
    expect(await opened.logLikelihood(["ACGT"])).toEqual([-4]);
    expect(await opened.logLikelihood(["A"], { protocol: "paper" })).toEqual([-1]);
    expect(model.options).toEqual([{ protocol: "corrected" }, { protocol: "paper" }]);
    expect(opened.tokenCount?.("ACGT")).toBe(6);
    expect(opened).toBeInstanceOf(Composition);
    await opened.close();
  });

  test("may return its scores as any list", async () => {
    const scoring = (scores: unknown) =>
      openedModel({ name: "m", logLikelihood: () => scores as ArrayLike<number> }).logLikelihood(["A"]);
    expect(await scoring({ length: 1, 0: -2 })).toEqual([-2]);
    expect(await scoring(Float64Array.of(-2))).toEqual(Float64Array.of(-2));
    expect(await scoring(undefined)).toEqual([]);
  });

  test("names the queries that it lacks, which throw when used", async () => {
    const opened = openedModel(new Composition());
    expect(supports(opened, "logLikelihood")).toBe(true);
    for (const query of ["tokenLogProbabilities", "embed", "pool", "predictActivity"] as const) {
      expect(supports(opened, query)).toBe(false);
      const failed = opened[query](["ACGT"]);
      await expect(failed).rejects.toThrow(InputError);
      await expect(failed).rejects.toThrow(`the model "composition" does not implement ${query}`);
    }
    await expect(opened.compareAlleles([["A", "C"]])).rejects.toThrow(/does not implement compareAlleles/);
  });

  test("rejects letters that are no bases, and queries after it is closed", async () => {
    const model = openedModel(new Composition());
    await expect(model.logLikelihood(["ACGTN", "ACgT"])).rejects.toThrow(
      'sequence 1 has "g" at base 2; both are counted from 0',
    );
    await model.close();
    await expect(model.logLikelihood(["ACGT"])).rejects.toThrow('the model "composition" is closed');
  });

  test("with embeddings alone has their mean, and needs no new methods when frozen", async () => {
    const embed = (sequences: readonly string[]) =>
      sequences.map(() => ({
        states: Float32Array.of(1, 2, 3, 6),
        tokens: 2,
        width: 2,
        starts: Int32Array.of(0, 1),
        ends: Int32Array.of(1, 2),
      }));
    const opened = openedModel(Object.freeze({ name: "frozen", embed }));
    expect(supports(opened, "pool")).toBe(true);
    expect(await opened.pool(["AC"])).toEqual([Float64Array.of(2, 4)]);
  });
});
