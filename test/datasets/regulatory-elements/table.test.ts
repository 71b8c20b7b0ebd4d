import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import {
  readRegulatoryElements,
  readRegulatoryElementTable,
  writeRegulatoryElements,
} from "../../../src/datasets/regulatory-elements/table.ts";
import { genomeInMemory } from "../../../src/dna/genome/genome.ts";
import { scratchFiles } from "../../scratch-files.ts";

const files = scratchFiles();

const HEADER =
  "chr\tinput_start\tinput_end\tccre_start\tccre_end\tccre_relative_start\tccre_relative_end\treverse_complement";
const ROW = "chr1\t100\t450\t175\t375\t75\t275\tTrue";

const table = (...lines: string[]) => `${[HEADER, ...lines].join("\n")}\n`;

test("reads rows in any case, with any line ends, plain and compressed", async () => {
  const text = table(ROW, ROW.replace("chr1", "chrUn").replace("True", "FALSE"));
  for (const data of [text, text.replaceAll("\n", "\r\n"), gzipSync(text), text.trimEnd()]) {
    const rows = await readRegulatoryElements(await files.write("t.tsv", data));
    expect(rows).toEqual([
      {
        index: 0,
        chrom: "chr1",
        inputStart: 100,
        inputEnd: 450,
        elementStart: 175,
        elementEnd: 375,
        relativeStart: 75,
        relativeEnd: 275,
        reverseComplement: true,
      },
      expect.objectContaining({ index: 1, chrom: "chrUn", reverseComplement: false }),
    ]);
  }
});

test("columns return every row, beyond the first chunk too", async () => {
  const starts = Array.from({ length: 70_000 }, (_, i) => 7 * i);
  const lines = starts.map(
    (start) => `chr${start % 3}\t${start}\t${start + 350}\t${start}\t${start + 9}\t0\t9\tFalse`,
  );
  const rows = await readRegulatoryElementTable(await files.write("long.tsv", table(...lines)));
  expect([rows.length, [...rows].map(({ inputStart }) => inputStart)]).toEqual([70_000, starts]);
  for (const row of [0, 65_535, 65_536, 69_999]) {
    expect(rows.at(row)).toMatchObject({ index: row, chrom: `chr${(7 * row) % 3}`, elementEnd: 7 * row + 9 });
  }
});

test("an empty table has no rows", async () => {
  expect(await readRegulatoryElements(await files.write("none.tsv", `${HEADER}\n`))).toEqual([]);
});

test("reads a long table as written", async () => {
  const rows = Array.from({ length: 5000 }, (_, index) => ({
    index,
    chrom: index % 2 ? "chrX" : "chr1",
    inputStart: 3 * index,
    inputEnd: 3 * index + 350,
    elementStart: 3 * index - Math.min(3 * index, 9),
    elementEnd: 3 * index + 200,
    relativeStart: -Math.min(3 * index, 9),
    relativeEnd: 200,
    reverseComplement: index % 3 === 0,
  }));
  const path = files.path("written.tsv");
  await writeRegulatoryElements(path, rows);
  expect(await readRegulatoryElements(path)).toEqual(
    rows.map((row) => ({ ...row, relativeStart: row.relativeStart + 0 })),
  );
});

test.each([
  ["", "t.tsv: the table is empty"],
  ["chrom\tinput_start\n", 't.tsv:1: column 1 is "chrom"; expected "chr"'],
  [`${HEADER.replace("ccre_end", "elem_end")}\n`, 't.tsv:1: column 5 is "elem_end"; expected "ccre_end"'],
  [`${HEADER.slice(0, HEADER.lastIndexOf("\t"))}\n`, 't.tsv:1: column 8 is "missing"; expected'],
  [`${HEADER}\textra\n`, "t.tsv:1: the header has 9 columns; expected 8"],
  [table(ROW, "chr1\t100"), "t.tsv:3: the line has 2 fields; expected 8"],
  [table(ROW.replace("100", "-5")), 't.tsv:2: input_start "-5" is not from 0 to 4294967295'],
  [table(ROW.replace("375", "4294967296")), 't.tsv:2: ccre_end "4294967296" is not from 0 to 4294967295'],
  [table(ROW.replace("175", "175.0")), 't.tsv:2: ccre_start "175.0" is not a whole number'],
  [table(ROW.replace("True", "1")), 't.tsv:2: reverse_complement is "1"; expected True or False'],
  [table(ROW.replace("450", "100")), "t.tsv:2: input_end 100 is not after input_start 100"],
  [table(ROW.replace("375", "170")), "t.tsv:2: ccre_end 170 is before ccre_start 175"],
  [
    table(ROW.replace("\t75\t", "\t74\t")),
    "t.tsv:2: the relative positions are 74 and 275; expected 75 and 275",
  ],
  [table(ROW, ROW.replace("450", "451")), "t.tsv:3: the window has 351 bases, the first row's has 350"],
  [table("chr1\t100\t450\t450\t460\t350\t360\tTrue"), "t.tsv:2: the element lies outside its window"],
  [table("chr1\t100\t450\t90\t100\t-10\t0\tTrue"), "t.tsv:2: the element lies outside its window"],
  [table(ROW.replace("chr1", "")), "t.tsv:2: the chromosome's name is empty"],
])("rejects %j", async (text, message) => {
  const error = await readRegulatoryElements(await files.write("t.tsv", text)).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).describe()).toContain(message);
});

test("elements must lie in the genome; windows may extend beyond it", async () => {
  const genome = genomeInMemory("g.fa", new Map([["chr1", "A".repeat(375)]]));
  const path = await files.write("g.tsv", table(ROW));
  expect(await readRegulatoryElements(path, { genome })).toHaveLength(1);
  const short = genomeInMemory("g.fa", new Map([["chr1", "A".repeat(374)]]));
  await expect(readRegulatoryElements(path, { genome: short })).rejects.toThrow(
    "ccre_end 375 lies beyond the end of chr1, which has 374 bases in g.fa",
  );
  const ensembl = genomeInMemory("g.fa", new Map([["1", "A".repeat(375)]]));
  await expect(readRegulatoryElements(path, { genome: ensembl })).rejects.toThrow('but has "1"');
});
