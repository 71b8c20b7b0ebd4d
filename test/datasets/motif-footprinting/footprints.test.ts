import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { InputError } from "../../../src/base/errors.ts";
import {
  backgroundRows,
  readBackgrounds,
  writeBackgrounds,
} from "../../../src/datasets/motif-footprinting/backgrounds.ts";
import {
  footprintsOf,
  readFootprints,
  writeFootprints,
} from "../../../src/datasets/motif-footprinting/footprint-file.ts";
import { buildFootprints } from "../../../src/datasets/motif-footprinting/footprints.ts";
import { readMotifs } from "../../../src/dna/motifs/meme.ts";
import type { Motif } from "../../../src/dna/motifs/motif.ts";
import { reverseComplement } from "../../../src/dna/sequence/reverse-complement.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const hocomoco = async () => (await readMotifs(sharedData("task2/H12CORE_meme_format.meme.gz")!)).motifs;
const textOf = (lines: ReturnType<typeof buildFootprints>) =>
  [...lines].map(({ key, sequence }) => `${key}\t${sequence}\n`);

/** A motif whose consensus is the name. */
function motif(name: string): Motif {
  const probabilities = Float64Array.from(
    [...name].flatMap((letter) => [..."ACGT"].map((l) => (l === letter ? 1 : 0))),
  );
  return { name, width: name.length, probabilities };
}

describe("DART-Eval's file", () => {
  testWithSharedData(
    "3 backgrounds and 40 motifs: every byte",
    "task2/footprint.golden.tsv.gz",
    async (file) => {
      const backgrounds = await readBackgrounds(sharedData("task2/raw_seqs_350.txt")!);
      const lines = textOf(buildFootprints(backgrounds, (await hocomoco()).slice(0, 40)));
      expect(lines.length).toBe(486);
      expect(lines.join("")).toBe(gunzipSync(readFileSync(file)).toString());
    },
  );

  testWithSharedData(
    "3 backgrounds and all 1,443 motifs: the digest",
    "task2/raw_seqs_350.txt",
    async (file) => {
      const digest = createHash("sha256");
      const lines = textOf(buildFootprints(await readBackgrounds(file), await hocomoco()));
      for (const line of lines) digest.update(line);
      expect(lines.length).toBe(17_322);
      expect(digest.digest("hex")).toBe("1d3a80d021db3f53b4ef44c0974377b4eb5ab2cb6e53f6bf3f723c8d147f2b5d");
    },
  );
});

describe("buildFootprints", () => {
  const backgrounds = ["ACGTACGTACG", "TTTTTGGGGGC"];
  const lines = [...buildFootprints(backgrounds, [motif("GATA"), motif("CCG")])];
  const at = new Map(lines.map(({ key, sequence }) => [key, sequence]));

  test("inserts motif and shuffle in the middle; the other strand is the reverse complement", () => {
    expect(lines.slice(0, 6).map(({ key }) => key)).toEqual([
      "0_raw_forward",
      "0_raw_reverse",
      "0_GATA_forward_true",
      "0_GATA_forward_shuffled",
      "0_GATA_reverse_true",
      "0_GATA_reverse_shuffled",
    ]);
    expect(lines.length).toBe(2 * (2 + 4 * 2));
    // floor(11 / 2) − floor(4 / 2) bases precede the motif.
    expect(at.get("0_GATA_forward_true")).toBe("ACGGATATACG");
    expect(at.get("1_CCG_forward_true")).toBe("TTTTCCGGGGC");
    for (const { key, sequence } of lines) {
      expect(at.get(key.replace("forward", "reverse")), key).toBe(
        key.includes("forward") ? reverseComplement(sequence) : sequence,
      );
    }
  });

  test("a shuffle permutes the motif's bases", () => {
    for (const [key, sequence] of at) {
      if (!key.endsWith("forward_shuffled")) continue;
      const original = at.get(key.replace("shuffled", "true"))!;
      expect(sequence, key).not.toBe(original);
      expect([...sequence].sort(), key).toEqual([...original].sort());
    }
  });

  test.each([
    [["ACGT"], [motif("ACGTA")], /motif ACGTA has 5 bases and the backgrounds have 4/],
    [["ACGT"], [motif("AAA")], /the consensus of AAA is AAA, which equals all of its shuffles/],
    [["ACGN"], [motif("AC")], /background 0 has "N" as base 4/],
    [["ACGT", "ACG"], [motif("AC")], /background 1 has 3 bases, and background 0 has 4/],
    [[], [motif("AC")], /no background/],
    [["ACGT"], [], /no motif/],
  ])("rejects invalid input: %#", (some, motifs, message) => {
    expect(() => [...buildFootprints(some, motifs)]).toThrow(message);
  });
});

test("rows of Task 1 that are the benchmark's backgrounds", () => {
  const rows = backgroundRows(2_348_854);
  expect(rows.length).toBe(100);
  expect(rows.slice(0, 20)).toEqual([
    ...[567, 1018423, 103991, 1054263, 1072695, 1091127, 1109559, 11831, 1146423, 1164855],
    ...[1183287, 1201719, 1220151, 1238583, 1257015, 1275447, 1293879, 1312311, 1331767, 1349175],
  ]);
  expect(rows.slice(55, 60)).toEqual([2013751, 2032183, 2615, 2068023, 2086455]);
  expect(rows.slice(-6)).toEqual([618039, 636471, 655927, 674359, 692791, 711223]);
  expect(rows.reduce((sum, row) => sum + row, 0)).toBe(SUM_OF_ROWS);
});

/** Sum of the 100 row numbers, computed independently of this code. */
const SUM_OF_ROWS = 131127676;

test("a small table gives fewer backgrounds, a tiny one an error", () => {
  expect(backgroundRows(1187)).toEqual([567]);
  expect(backgroundRows(50 * 1024).length).toBe(3);
  expect(() => backgroundRows(567)).toThrow(/no row 567/);
});

describe("footprint file", () => {
  const lines = [...buildFootprints(["ACGTACGTACG", "TTTTTGGGGGC", "ACGTACGTACC"], [motif("GATA")])];

  test("reads what it writes", async () => {
    const file = join(temporaryFolder(), "footprints.txt");
    await writeFootprints(file, lines);
    const footprints = await readFootprints(file);
    expect(footprints).toMatchObject({ backgrounds: 3, motifs: ["GATA"], length: 11, lines: lines.length });
    expect(lines.map((_, line) => footprints.sequence(line))).toEqual(lines.map(({ sequence }) => sequence));
    expect(footprintsOf(lines).digest).toBe(footprints.digest);
    expect(footprintsOf(lines.slice(0, 6))).toMatchObject({ backgrounds: 1, lines: 6 });
  });

  const changed = (line: number, text: string) =>
    lines.map((each, i) => (i === line ? { ...each, ...(JSON.parse(text) as object) } : each));
  test.each([
    [lines.slice(0, 5), /:5: the lines end within background 0/],
    [lines.slice(0, 11), /:11: the lines end within background 1/],
    [lines.slice(0, 2), /:2: the lines end within background 0/],
    [[], /there is no line/],
    [lines.slice(1), /:1: the key is "0_raw_reverse"; expected 0_raw_forward/],
    [changed(3, '{"key":"0_GATA_forward_false"}'), /:4: .*expected 0_GATA_forward_shuffled/],
    [changed(8, '{"key":"1_TATA_forward_true"}'), /:9: .*expected 1_GATA_forward_true/],
    [changed(4, '{"sequence":"ACGT"}'), /:5: the sequence has 4 bases, and the first has 11/],
    [changed(4, '{"sequence":"ACGTACGTACN"}'), /:5: the sequence has "N" as base 11/],
    [changed(4, '{"sequence":""}'), /:5: the sequence has no base/],
  ])("errors name the line: %#", async (some, message) => {
    const file = join(temporaryFolder(), "footprints.txt");
    writeFileSync(file, some.map(({ key, sequence }) => `${key}\t${sequence}\n`).join(""));
    expect(await readFootprints(file).catch((error: InputError) => error.describe())).toMatch(message);
  });
});

describe("backgrounds", () => {
  test("reads what it writes", async () => {
    const file = join(temporaryFolder(), "raw.txt");
    await writeBackgrounds(file, ["ACGT", "CCCC"]);
    expect(await readBackgrounds(file)).toEqual(["ACGT", "CCCC"]);
  });
  test.each([
    ["ACGT\nACGN\n", /:2: base 4 is "N"/],
    ["ACGT\nACG\n", /:2: the sequence has 3 bases, and the first has 4/],
    ["\n", /no sequence/],
  ])("errors name the line: %#", async (text, message) => {
    const file = join(temporaryFolder(), "raw.txt");
    writeFileSync(file, text);
    expect(await readBackgrounds(file).catch((error: InputError) => error.describe())).toMatch(message);
  });
});
