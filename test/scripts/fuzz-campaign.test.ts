import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fuzz } from "../../scripts/fuzz/campaign.ts";
import { inputOf } from "../../scripts/fuzz/inputs.ts";
import { PARSERS, type Seed } from "../../scripts/fuzz/parsers.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** Each input takes 20 ms and more: a model is opened, a run merged, the HDF5 library started. */
const SLOW = new Set(
  PARSERS.map(({ name }) => name).filter((name) => /^config-|^run-folder|^results|hdf5|keras/.test(name)),
);
const FAST = PARSERS.map(({ name }) => name).filter((name) => !SLOW.has(name));

const failuresOf = async (only: readonly string[], inputs: number) => {
  const reports = await fuzz({ folder: temporaryFolder(), only, inputs, seed: 1 });
  expect(reports.map(({ parser }) => parser)).toEqual(only);
  for (const { accepted, refused, failures } of reports)
    expect(accepted + refused + failures.length).toBe(inputs);
  return reports.flatMap(({ failures }) => failures);
};

describe("each parser accepts mutated files, or refuses them with an InputError", () => {
  test("fast parsers, 100 inputs each", async () => {
    expect(await failuresOf(FAST, 100)).toEqual([]);
  }, 300_000);

  test("slow parsers, 10 inputs each", async () => {
    expect(await failuresOf([...SLOW], 10)).toEqual([]);
  }, 300_000);
});

test("an input depends on its parser, seed and number only", () => {
  const seeds: readonly Seed[] = ["ACGTACGTACGT", "{}"].map((text) => ({
    bytes: Buffer.from(text.repeat(20)),
    form: "bytes",
    files: (mutated) => ({ file: mutated }),
  }));
  const bytes = (name: string, seed: number, number: number) =>
    Buffer.from(inputOf({ name }, seeds, seed, number).file!).toString("hex");
  expect(bytes("a", 0, 5)).toBe(bytes("a", 0, 5));
  const others = [bytes("b", 0, 5), bytes("a", 1, 5), bytes("a", 0, 6)];
  expect(others).not.toContain(bytes("a", 0, 5));
});

test("refuses a parser that is not known", async () => {
  await expect(
    fuzz({ folder: join(temporaryFolder(), "x"), only: ["nonsense"], inputs: 1, seed: 0 }),
  ).rejects.toThrow(/no parser is called nonsense; parsers: bed/);
});
