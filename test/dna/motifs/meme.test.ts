import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError, type InputError } from "../../../src/base/errors.ts";
import { readMotifs } from "../../../src/dna/motifs/meme.ts";
import { consensus } from "../../../src/dna/motifs/motif.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const HOCOMOCO = "task2/H12CORE_meme_format.meme.gz";

testWithSharedData(
  "consensus sequences of HOCOMOCO v12 CORE equal the reference",
  "task2/consensus.golden.tsv",
  async (file) => {
    const { motifs, background } = await readMotifs(sharedData(HOCOMOCO)!);
    const [, ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(lines.length).toBe(1443);
    expect(motifs.map((motif, i) => [i, motif.name, motif.width, consensus(motif)].join("\t"))).toEqual(
      lines,
    );
    expect([...background]).toEqual([0.25, 0.25, 0.25, 0.25]);
  },
);

testWithSharedData("reads probabilities verbatim", "formats/expected.json", async (file) => {
  const { meme } = JSON.parse(readFileSync(file, "utf8")) as {
    meme: Record<string, { motifs: number; sum_width: number; first_rows: number[][][] }>;
  };
  const expected = meme[HOCOMOCO];
  const { motifs } = await readMotifs(sharedData(HOCOMOCO)!);
  expect(motifs.length).toBe(expected.motifs);
  expect(motifs.reduce((sum, { width }) => sum + width, 0)).toBe(expected.sum_width);
  expected.first_rows.forEach((rows, i) => {
    expect([...motifs[i].probabilities]).toEqual(rows.flat());
  });
  expect(motifs[0].sites).toBe(1003);
});

const HEAD = "MEME version 4\n\nALPHABET= ACGT\n\n";
const ROWS = "0.1 0.2 0.3 0.4\n0.25 0.25 0.25 0.25\n";
const MOTIF = `MOTIF m1 other\nletter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0\n${ROWS}`;

function read(text: string) {
  const file = join(temporaryFolder(), "motifs.meme");
  writeFileSync(file, text);
  return readMotifs(file);
}

test("reads a last motif at the end of the file, with and without a stated width", async () => {
  for (const header of ["alength=4 w=2", "alength= 4", ""]) {
    const { motifs } = await read(
      `${HEAD}${MOTIF}URL http://x\n\nMOTIF m2\nletter-probability matrix: ${header}\n${ROWS.trimEnd()}`,
    );
    expect(motifs.map(({ name, width, sites }) => ({ name, width, sites }))).toEqual([
      { name: "m1", width: 2, sites: 20 },
      { name: "m2", width: 2, sites: undefined },
    ]);
    expect([...motifs[1].probabilities]).toEqual([0.1, 0.2, 0.3, 0.4, 0.25, 0.25, 0.25, 0.25]);
  }
});

test("consensus takes the first of equally probable bases", async () => {
  const { motifs } = await read(`${HEAD}${MOTIF}`);
  expect(consensus(motifs[0])).toBe("TA");
});

test("reads a background over several lines and skips log-odds matrices", async () => {
  const full = `${HEAD}Background letter frequencies (from unknown source):\nA 0.3 C 0.2\nG 0.2 T 0.3\n\nMOTIF m1\nlog-odds matrix: alength= 4 w= 1\n-1 2 3 -4\nletter-probability matrix: alength= 4 w= 2\n${ROWS}\n`;
  const { motifs, background } = await read(full);
  expect(motifs.length).toBe(1);
  expect([...background]).toEqual([0.3, 0.2, 0.2, 0.3]);
});

describe("refuses invalid files, with the line", () => {
  test.each([
    ["MOTIF", /not a MEME file/],
    [HEAD, /no motif with a letter-probability matrix/],
    [`${HEAD}${MOTIF}${MOTIF}`, /:9: the motif m1 is already on line 5/],
    [`${HEAD}${MOTIF.replace("w= 2", "w= 3")}\n`, /:6: the matrix of m1 has 2 rows; its header states 3/],
    [`${HEAD}${MOTIF.replace("w= 2", "w= 0")}`, /the width "0"/],
    [`${HEAD}${MOTIF.replace("w= 2", "w= 2e9")}`, /the width "2e9"/],
    [`${HEAD}${MOTIF.replace("alength= 4", "alength= 20")}`, /20 letters/],
    [`${HEAD}${MOTIF.replace("0.3 0.4", "0.3")}`, /:7: "0.1 0.2 0.3" is not a row of four probabilities/],
    [`${HEAD}${MOTIF.replace("0.3 0.4", "0.3 0.5")}`, /:7: the row sums to 1.10/],
    [`${HEAD}${MOTIF.replace("0.3", "nan")}`, /:7: .*not a row of four/],
    [`${HEAD}letter-probability matrix: w= 2\n${ROWS}`, /:5: the matrix has no MOTIF line/],
    ["MEME version 4\nALPHABET= ACDEFGHIKLMNPQRSTVWY\n", /:2: the alphabet is/],
    [`${HEAD}Background letter frequencies\nA 0.5 C 0.5\n\n${MOTIF}`, /:7: the background has 2 frequencies/],
    [`${HEAD}Background letter frequencies\nA 0.5 G 0.1\n`, /:6: the background has "G 0.1"; expected C/],
  ])("%#", async (text, message) => {
    const found = await read(text).catch((error: InputError) => error.describe());
    expect(found).toMatch(message);
  });
});

test("any damaged file is refused or gives valid motifs", async () => {
  const text = `${HEAD}Background letter frequencies\nA 0.3 C 0.2 G 0.2 T 0.3\n\n${MOTIF}URL x\n\n${MOTIF.replace("m1", "m2")}`;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(text.length),
      fc.nat(12),
      fc.string({ unit: "binary", maxLength: 8 }),
      async (at, cut, put) => {
        const damaged = text.slice(0, at) + put + text.slice(at + cut);
        const result = await read(damaged).catch((error: unknown) => error);
        if (result instanceof Error) {
          expect(result).toBeInstanceOf(FormatError);
          return;
        }
        const { motifs } = result as Awaited<ReturnType<typeof read>>;
        for (const { width, probabilities } of motifs) {
          expect(probabilities.length).toBe(4 * width);
          expect(probabilities.every((p) => p >= 0 && p <= 1.02)).toBe(true);
        }
      },
    ),
    { numRuns: 300 },
  );
});
