import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { hyenadna } from "../../src/models/language/hyenadna.ts";
import { openModel } from "../../src/models/open-model.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const context = { device: "cpu", trainChromosomes: [] } as const;
const options = { protocol: "corrected" } as const;

test("a renamed model of a class with private fields scores under its new name", async () => {
  const file = join(temporaryFolder(), "mine.mjs");
  await writeFile(
    file,
    `class Mine {
      name = "mine";
      #score = -2;
      get batchSize() { return -this.#score; }
      logLikelihood(sequences) { return sequences.map((s) => this.#score * s.length); }
    }
    export default Object.freeze(new Mine());`,
  );
  const model = await openModel(`yours=${file}`, context);
  expect(model.name).toBe("yours");
  expect(model.batchSize).toBe(2);
  expect(await model.logLikelihood!(["ACG"], options)).toEqual([-6]);
});

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
  expect((error as InputError).hint).toMatch(/^give a checkpoint's folder or a name from/);
});

test("a file that is not a model is an error", async () => {
  const file = join(temporaryFolder(), "weights.bin");
  await writeFile(file, "x");
  await expect(openModel(file, context)).rejects.toThrow(`${file} is a file`);
});
