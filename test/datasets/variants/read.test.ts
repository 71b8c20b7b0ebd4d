import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readVariants } from "../../../src/datasets/variants/read.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { testWithSharedData } from "../../shared-data.ts";

const { write } = scratchFiles();
const tsv = (...lines: readonly (readonly (string | number)[])[]) =>
  `${lines.map((line) => line.join("\t")).join("\n")}\n`;

const CAQTL = ["chr_hg38", "pos_hg38", "allele1", "allele2", "snp_id", "label", "IsUsed", "pval", "beta"];
const DSQTL = [
  "var.chrom",
  "var.pos",
  "var.allele1",
  "var.allele2",
  "var.label",
  "var.isused",
  "obs.estimate",
];

describe("forms", () => {
  test("African caQTLs", async () => {
    const path = await write(
      "caqtl.tsv",
      tsv([...CAQTL, "in_peaks"], ["chr1", 101, "A", "G", "x", "True", "False", 1e-9, -0.25, "True"]),
    );
    const table = await readVariants(path);
    expect(table).toMatchObject({ form: "caqtl", favours: "alternative", leftOut: 0 });
    expect(table.rows).toEqual([
      {
        index: 0,
        line: 2,
        chrom: "chr1",
        position: 100,
        allele1: "A",
        allele2: "G",
        id: "x",
        significant: true,
        used: false,
        inPeaks: true,
        effect: -0.25,
        p: 1e-9,
      },
    ]);
  });

  test("Yoruban dsQTLs with labels 1 and -1, controls without effects, and extra columns", async () => {
    const path = await write(
      "dsqtl.tsv",
      tsv(
        [...DSQTL, "pred.logfc"],
        ["chr1", 5, "a", "g", 1, "True", 0.5, 0.75],
        ["chr2", 7, "C", "T", -1, "True", "NaN", -1.5],
      ),
    );
    const table = await readVariants(path, { extra: ["pred.logfc"] });
    expect(table).toMatchObject({ form: "dsqtl", favours: "allele1" });
    expect(table.rows.map(({ significant, effect }) => [significant, effect])).toEqual([
      [true, 0.5],
      [false, Number.NaN],
    ]);
    expect(table.rows[0]).toMatchObject({ allele1: "a", inPeaks: undefined, p: undefined });
    expect(table.extra.get("pred.logfc")).toEqual(["0.75", "-1.5"]);
    expect(table.labels).toEqual(
      new Map([
        ["1", 1],
        ["-1", 1],
      ]),
    );
  });

  test("tables of the ChromBPNet paper favour an allele by the effect's column name", async () => {
    const head = ["var.chr", "var.pos_hg19", "var.allele1", "var.allele2", "obs.label"];
    const row = ["chr1", 5, "A", "G", "True", 0.5];
    const beta = await readVariants(await write("beta.tsv", tsv([...head, "obs.beta"], row)));
    const estimate = await readVariants(await write("estimate.tsv", tsv([...head, "obs.estimate"], row)));
    expect([beta.form, beta.favours, estimate.favours]).toEqual(["variant-scorer", "allele2", "allele1"]);
  });

  test("accepts Windows line ends and compression", async () => {
    const text = tsv(["chr", "pos", "allele1", "allele2"], ["chr1", 5, "A", "G"]).replaceAll("\n", "\r\n");
    const table = await readVariants(await write("plain.tsv.gz", gzipSync(text)));
    expect(table.form).toBe("plain");
    expect(table.rows[0]).toMatchObject({ position: 4, allele2: "G", significant: undefined });
  });

  test("VCF: one row per alternative, without symbolic ones", async () => {
    const lines = [
      "##fileformat=VCFv4.2",
      tsv(
        ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL"],
        ["1", 10, "rs1", "A", "C,AT", "."],
        ["1", 20, ".", "G", "<DEL>,*,T", "."],
        ["1", 30, ".", "G", ".", "."],
        ["1", 40, ".", ".", "A,C", "."],
        ["1", 50, ".", "*", "A", "."],
        ["1", 60, ".", "<DUP>", "A", "."],
        ["1", 70, ".", "A", "A".repeat(1001), "."],
        ["1", 80, ".", "G".repeat(1001), "G", "."],
        ["1", 90, ".", "G", "G]2:70]", "."],
        ["1", 95, "long", "A", "A".repeat(1000), "."],
      ),
    ];
    const table = await readVariants(await write("some.vcf", lines.join("\n")));
    expect(table).toMatchObject({ form: "vcf", leftOut: 10 });
    expect(table.rows.at(-1)).toMatchObject({ index: 3, line: 12, id: "long" });
    expect(table.rows.slice(0, 3).map(({ index, line, allele2, id }) => [index, line, allele2, id])).toEqual([
      [0, 3, "C", "rs1"],
      [1, 3, "AT", "rs1"],
      [2, 4, "T", undefined],
    ]);
  });
});

describe("errors name file and line", () => {
  const refused: readonly [string, string, RegExp][] = [
    ["an unknown header", tsv(["a", "b"]), /^\S+:1: the header has a, b/],
    ["a position of 0", tsv(CAQTL, ["chr1", 0, "A", "G", "x", "True", "True", 1, 1]), /:2: pos_hg38 "0"/],
    ["an allele", tsv(CAQTL, ["chr1", 5, "A", "-", "x", "True", "True", 1, 1]), /:2: allele2 "-"/],
    [
      "a label",
      tsv(CAQTL, ["chr1", 5, "A", "C", "x", "yes", "True", 1, 1]),
      /:2: label "yes" is not a label/,
    ],
    ["a flag", tsv(CAQTL, ["chr1", 5, "A", "C", "x", "True", "2", 1, 1]), /:2: IsUsed is "2"/],
    ["an effect", tsv(CAQTL, ["chr1", 5, "A", "C", "x", "True", "True", 1, "big"]), /:2: beta "big"/],
    ["a short line", tsv(CAQTL, ["chr1", 5, "A"]), /:2: the line has 3 fields, the header 9/],
    ["a VCF without its header", "##fileformat=VCFv4.2\nchr1\t5\n", /:2: the header is/],
    [
      "characters that are not bases",
      tsv(["#CHROM", "POS", "ID", "REF", "ALT"], ["1", 10, ".", "A", "AQ"]),
      /:2: ALT "AQ" is not a DNA sequence/,
    ],
    ["nothing", "", /the table is empty/],
  ];
  test.each(refused)("%s", async (name, text, message) => {
    const path = await write(`${name.replaceAll(" ", "-")}.tsv`, text);
    await expect(readVariants(path)).rejects.toSatisfy((error) => message.test(error.describe()));
  });
});

describe("real files", () => {
  testWithSharedData("African form", "task5/caqtl_format.tsv", async (path) => {
    const { form, rows } = await readVariants(path);
    expect([form, rows.length]).toEqual(["caqtl", 111]);
    expect(rows.filter(({ significant }) => significant).length).toBe(18);
  });
  testWithSharedData("Yoruban form", "task5/dsqtl_format.tsv", async (path) => {
    const { form, rows } = await readVariants(path);
    expect([form, rows.length]).toEqual(["dsqtl", 97]);
  });
  testWithSharedData(
    "variant-scorer's form with scores",
    "task5/african_caqtl.true10.hg38.tsv",
    async (path) => {
      const column = "pred.chrombpnet.encsr000emt.variantscore.logfc";
      const { form, rows, extra } = await readVariants(path, { extra: [column] });
      expect([form, rows.length, extra.get(column)![0]]).toEqual(["variant-scorer", 10, "0.0821274204"]);
    },
  );
  testWithSharedData("1000 Genomes, bgzip", "formats/vcf/1000g_chr20_1mb.vcf.gz", async (path) => {
    const { rows, leftOut } = await readVariants(path);
    // Counted with awk over the fifth column.
    expect([rows.length, leftOut]).toEqual([29120, 24]);
  });
});
