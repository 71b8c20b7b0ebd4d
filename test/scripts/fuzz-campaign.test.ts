import { join } from "node:path";
import { expect, test } from "vitest";
import { fuzz } from "../../scripts/fuzz/campaign.ts";
import { inputOf } from "../../scripts/fuzz/inputs.ts";
import { PARSERS, type Seed } from "../../scripts/fuzz/parsers.ts";
import { program } from "../compiled.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** Parsers that open a model, merge a run or start a library: an input takes 10 ms and more. */
const SLOW = /^config-|^run-folder|^results|hdf5|keras/;

test("each parser accepts mutated files, or refuses them with an InputError", async () => {
  const inputs = (parser: string) => (SLOW.test(parser) ? 4 : 20);
  const [, ...child] = program("scripts/fuzz/parse-child.ts");
  const reports = await fuzz({ folder: temporaryFolder(), inputs, seed: 1, child });
  expect(reports.map(({ parser }) => parser)).toEqual(PARSERS.map(({ name }) => name));
  for (const { parser, accepted, refused } of reports) expect(accepted + refused).toBe(inputs(parser));
  expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
}, 300_000);

test("an input depends on its parser, seed and number only", () => {
  const seeds: readonly Seed[] = ["ACGTACGTACGT", "{}"].map((text) => ({
    bytes: Buffer.from(text.repeat(20)),
    form: "bytes",
    files: (mutated) => ({ file: mutated }),
  }));
  const bytes = (name: string, seed: number, number: number) =>
    Buffer.from(inputOf({ name }, seeds, seed, number).file).toString("hex");
  expect(bytes("a", 0, 5)).toBe(bytes("a", 0, 5));
  const others = [bytes("b", 0, 5), bytes("a", 1, 5), bytes("a", 0, 6)];
  expect(others).not.toContain(bytes("a", 0, 5));
});

test("refuses a parser that is not known", async () => {
  await expect(
    fuzz({ folder: join(temporaryFolder(), "x"), only: ["nonsense"], inputs: 1, seed: 0 }),
  ).rejects.toThrow(/there is no parser nonsense; parsers: bed/);
});
