import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MOTIFS, memeText } from "../../../src/demo/synthetic/motifs.ts";
import { readMotifs } from "../../../src/dna/motifs/meme.ts";
import { MotifScanner } from "../../../src/dna/motifs/scanner.ts";
import { codesOf } from "../../../src/dna/sequence/encoding.ts";
import { openModel } from "../../../src/models/open-model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

function motifFile(motifs = MOTIFS): string {
  const file = join(temporaryFolder(), "motifs.meme");
  writeFileSync(file, memeText(motifs));
  return file;
}

/** CTCF, and GATA on the other strand. */
const LETTERS = `ACGATTACGATCCACCAGGGGGCGCGTTACGATACCTTATCTACGATTAGA`;

describe("a vector of counts", () => {
  test("has one number per motif: its hits on both strands", async () => {
    const file = motifFile();
    const model = await openModel(`motif-counts:${file}`);
    const options = { protocol: "corrected", over: "bases" } as const;
    const [counts, none] = await model.pool([LETTERS, "A".repeat(60)], options);
    const scanner = new MotifScanner((await readMotifs(file)).motifs, { threshold: 1e-5 });
    const hits = scanner.hits([codesOf(LETTERS)]);
    expect(hits.map(({ motif }) => MOTIFS[motif].name)).toContain("CTCF");
    expect(counts.length).toBe(20);
    expect([...counts]).toEqual(MOTIFS.map((_, motif) => hits.filter((hit) => hit.motif === motif).length));
    expect(none.every((count) => count === 0)).toBe(true);
  });

  test("has more hits at a larger threshold", async () => {
    const file = motifFile();
    const total = async (spec: string) => {
      const [counts] = await (await openModel(spec)).pool([LETTERS], {
        protocol: "paper",
        over: "row",
      });
      return counts.reduce((a, b) => a + b);
    };
    expect(await total(`motif-counts:p=1e-3,${file}`)).toBeGreaterThan(await total(`motif-counts:${file}`));
  });
});

test("the identity depends on motifs and threshold, not on the file's path", async () => {
  const identity = async (spec: string) => (await openModel(spec)).identity;
  const first = await identity(`motif-counts:${motifFile()}`);
  expect(await identity(`motif-counts:${motifFile()}`)).toBe(first);
  expect(await identity(`motif-counts:p=1e-4,${motifFile()}`)).not.toBe(first);
  expect(await identity(`motif-counts:${motifFile(MOTIFS.slice(0, 9))}`)).not.toBe(first);
});

test.each([
  ["motif-counts", /needs a file of motifs/],
  ["motif-counts:", /needs a file of motifs/],
  ["motif-counts:p=often,motifs.meme", /ENOENT|no such file|motifs.meme/],
])("%s is an error", async (spec, message) => {
  await expect(openModel(spec)).rejects.toThrow(message);
});

test("a threshold outside 0 to 1 is an error", async () => {
  await expect(openModel(`motif-counts:p=often,${motifFile()}`)).rejects.toThrow(/p-value threshold is NaN/);
});
