import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { choice, normal } from "../../../src/base/random.ts";
import { checkVariants, SCORE_COLUMN } from "../../../src/datasets/variants/check.ts";
import { readVariants } from "../../../src/datasets/variants/read.ts";
import { genomeInMemory, openGenome } from "../../../src/dna/genome/genome.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";

const { write } = scratchFiles();
const LETTERS = ["A", "C", "G", "T"];

/**
 * Random genome with variants: reference first, every fifth a QTL, effects together with a model's scores.
 */
function planted(rows = 400) {
  const rng = new Pcg64(7);
  const sequences = new Map(
    ["chr1", "chr2"].map((name) => [
      name,
      Array.from({ length: 30_000 }, () => choice(rng, LETTERS)).join(""),
    ]),
  );
  const variants = Array.from({ length: rows }, (_, i) => {
    const chrom = i % 2 === 0 ? "chr1" : "chr2";
    const position = 100 + 60 * i;
    const reference = sequences.get(chrom)![position % 30_000];
    const others = LETTERS.filter((letter) => letter !== reference);
    const effect = normal(rng, 0, 1);
    return {
      chrom,
      position: (position % 30_000) + 1,
      allele1: reference,
      allele2: choice(rng, others),
      label: i % 5 === 0 ? "True" : "False",
      used: "True",
      pval: i % 5 === 0 ? 1e-6 : 0.5,
      effect: String(effect),
      score: String(effect + normal(rng, 0, 0.3)),
    };
  });
  return { genome: genomeInMemory("random.fa", sequences), variants };
}

type Planted = ReturnType<typeof planted>["variants"][number];

const { genome, variants } = planted();

const SCORES = "chrombpnet.encsr000emt.variantscore.logfc";
const FORMS = {
  caqtl: ["chr_hg38", "pos_hg38", "allele1", "allele2", "label", "IsUsed", "pval", "beta", SCORES],
  dsqtl: [
    "var.chrom",
    "var.pos",
    "var.allele1",
    "var.allele2",
    "var.label",
    "var.isused",
    "pval",
    "obs.estimate",
    SCORES,
  ],
};

let tables = 0;
async function tableOf(variants: readonly Planted[], form: keyof typeof FORMS = "caqtl", scores = false) {
  const columns = FORMS[form].slice(0, scores ? 9 : 8);
  const lines = variants.map((variant) => {
    const { chrom, position, allele1, allele2, label, used, pval, effect, score } = variant;
    const coded = form === "dsqtl" ? { True: "1", False: "-1" }[label] : label;
    const fields = [chrom, position, allele1, allele2, coded ?? label, used, pval, effect, score];
    return fields.slice(0, columns.length).join("\t");
  });
  const path = await write(`table-${tables++}.tsv`, `${[columns.join("\t"), ...lines].join("\n")}\n`);
  return readVariants(path, { extra: SCORE_COLUMN });
}

const swapped = (variant: Planted): Planted => ({
  ...variant,
  allele1: variant.allele2,
  allele2: variant.allele1,
});
const turned = (variant: Planted): Planted => ({ ...variant, effect: String(-Number(variant.effect)) });
const complement = (letter: string) => "TGCA"["ACGT".indexOf(letter)];

/** Number of rows with neither allele at their position. */
async function mismatchesOf(rows: readonly Planted[]): Promise<number> {
  const letters = await Promise.all(
    rows.map(({ chrom, position }) => genome.sequence({ chrom, start: position - 1, end: position })),
  );
  return rows.filter(({ allele1, allele2 }, i) => allele1 !== letters[i] && allele2 !== letters[i]).length;
}

describe("a clean table has no finding", () => {
  test("African form, with scores and without", async () => {
    for (const scores of [false, true]) {
      const check = await checkVariants(await tableOf(variants, "caqtl", scores), genome);
      expect(check).toMatchObject({
        rows: 400,
        significant: 80,
        controls: 320,
        reference: { allele1: 400, allele2: 0, neither: 0, unknown: 0 },
        findings: [],
        comparedWith: scores ? SCORES : undefined,
      });
    }
  });

  test("Yoruban form, with both orders of alleles", async () => {
    const either = variants.map((variant, i) => (i % 2 === 0 ? variant : swapped(variant)));
    const check = await checkVariants(await tableOf(either, "dsqtl", true), genome);
    expect(check.reference).toMatchObject({ allele1: 200, allele2: 200 });
    expect(check.findings).toEqual([]);
  });

  testWithSharedData("the real Yoruban form", "task5/dsqtl_format.tsv", async (path) => {
    await using mini = await openGenome(sharedData("genome/mini.hg38.fa.gz")!);
    const check = await checkVariants(await readVariants(path), mini);
    expect(check.reference).toMatchObject({ neither: 0, unknown: 0 });
    expect(check.findings).toEqual([]);
  });
});

describe("a planted fault gives exactly one finding", () => {
  const some = (change: (variant: Planted) => Planted, every: number) => () =>
    variants.map((variant, i) => (i % every === 1 ? change(variant) : variant));
  const all = (change: (variant: Planted) => Planted) => () => variants.map(change);
  const move = (by: number) => (variant: Planted) => ({ ...variant, position: variant.position + by });
  const faults: readonly {
    readonly name: string;
    readonly kind: string;
    readonly count: number | "mismatches";
    readonly form?: "dsqtl";
    readonly scores?: boolean;
    readonly rows: () => readonly Planted[];
  }[] = [
    {
      name: "chromosomes without chr",
      kind: "chromosome-names",
      count: 400,
      rows: all((v) => ({ ...v, chrom: v.chrom.slice(3) })),
    },
    { name: "another assembly", kind: "other-assembly", count: "mismatches", rows: all(move(235)) },
    { name: "positions counted from 0", kind: "shifted-positions", count: "mismatches", rows: all(move(-1)) },
    { name: "positions one too far", kind: "shifted-positions", count: "mismatches", rows: all(move(1)) },
    {
      name: "a tenth of the positions from 0",
      kind: "shifted-positions",
      count: "mismatches",
      rows: some(move(-1), 10),
    },
    {
      name: "the other strand",
      kind: "other-strand",
      count: "mismatches",
      rows: all((v) => ({ ...v, allele1: complement(v.allele1), allele2: complement(v.allele2) })),
    },
    {
      name: "a few wrong positions",
      kind: "reference-mismatch",
      count: "mismatches",
      rows: some(move(11), 40),
    },
    { name: "a fifth of the alleles exchanged", kind: "allele-order", count: 80, rows: some(swapped, 5) },
    {
      name: "a fifth of the alleles exchanged, their scores too, not their effects",
      kind: "effect-orientation",
      count: 40,
      scores: true,
      rows: () =>
        variants.map((v, i) => (i % 10 === 0 ? { ...swapped(v), score: String(-Number(v.score)) } : v)),
    },
    {
      name: "effects turned in the rows of one order",
      kind: "effect-orientation",
      count: 40,
      form: "dsqtl",
      scores: true,
      rows: () => variants.map((v, i) => (i % 10 === 0 ? turned(swapped(v)) : v)),
    },
    { name: "all effects turned", kind: "effect-orientation", count: 80, scores: true, rows: all(turned) },
    {
      name: "rows twice",
      kind: "duplicate-variants",
      count: 3,
      form: "dsqtl",
      rows: () => [...variants, ...variants.slice(10, 12), swapped(variants[20])],
    },
    {
      name: "several variants at one place",
      kind: "multi-allelic-places",
      count: 1,
      rows: () => [
        ...variants,
        {
          ...variants[3],
          allele2: LETTERS.find((l) => l !== variants[3].allele1 && l !== variants[3].allele2)!,
        },
      ],
    },
    {
      name: "labels 1 and 0 for 1 and -1",
      kind: "label-coding",
      count: 400,
      form: "dsqtl",
      rows: all((v) => ({ ...v, label: v.label === "True" ? "1" : "0" })),
    },
    {
      name: "labels in two ways",
      kind: "label-coding",
      count: 400,
      rows: some((v) => ({ ...v, label: v.label === "True" ? "1" : "0" }), 3),
    },
    {
      name: "labels the wrong way round",
      kind: "label-coding",
      count: 400,
      rows: all((v) => ({ ...v, label: v.label === "True" ? "False" : "True" })),
    },
    {
      name: "controls alone",
      kind: "label-coding",
      count: 400,
      rows: all((v) => ({ ...v, label: "False" })),
    },
    {
      name: "one allele twice, in either case",
      kind: "equal-alleles",
      count: 10,
      rows: some((v) => ({ ...v, allele2: v.allele1.toLowerCase() }), 40),
    },
    {
      name: "a tenth of the labels not known",
      kind: "missing-labels",
      count: 40,
      rows: some((v) => ({ ...v, label: "NaN" }), 10),
    },
    { name: "no label known", kind: "missing-labels", count: 400, rows: all((v) => ({ ...v, label: "" })) },
    { name: "a place beyond the end", kind: "beyond-end", count: 10, rows: some(move(30_000), 40) },
    {
      name: "QTLs without effects",
      kind: "missing-effects",
      count: 80,
      rows: all((v) => ({ ...v, effect: "NaN" })),
    },
  ];
  test.each(faults)("$name: $kind", async ({ kind, count, form, scores, rows }) => {
    const table = await tableOf(rows(), form, scores ?? false);
    const expected = count === "mismatches" ? await mismatchesOf(rows()) : count;
    const { findings } = await checkVariants(table, genome);
    expect(findings.map((found) => [found.kind, found.count])).toEqual([[kind, expected]]);
    const [found] = findings;
    expect(found.examples.length).toBe(Math.min(3, expected));
    expect(found.examples[0].line).toBe(found.examples[0].row + 2);
    expect(found.fix).not.toBe("");
  });

  test("the fix for shifted positions depends on the share of shifted rows", async () => {
    const fixOf = async (rows: readonly Planted[]) =>
      (await checkVariants(await tableOf(rows), genome)).findings[0].fix;
    expect(await fixOf(all(move(-1))())).toMatch(/^add 1 to the positions, .* as in BED$/);
    expect(await fixOf(some(move(-1), 5)())).toMatch(
      /^add 1 to the positions, .*, only in the part of the table/,
    );
  });

  test("a position beyond the end is not scored", async () => {
    const beyond = variants.map((variant, i) => (i === 3 ? { ...variant, position: 30_001 } : variant));
    const { findings } = await checkVariants(await tableOf(beyond), genome);
    expect(findings[0].what).toBe("1 of 400 variants lie beyond the end of their chromosome");
    expect(findings[0].examples[0].text).toMatch(/; chr2 has 30000 bases$/);
    expect(findings[0].fix).toContain("a run stops at the first of them");
  });

  test("counts evaluated African variants: used and in peaks", async () => {
    const lines = variants.map(({ chrom, position, allele1, allele2, label }, i) =>
      [chrom, position, allele1, allele2, label, i % 4 !== 0, i % 2 === 0].map(String).join("\t"),
    );
    const header = ["chr_hg38", "pos_hg38", "allele1", "allele2", "label", "IsUsed", "in_peaks"].join("\t");
    const table = await readVariants(await write("in-peaks.tsv", `${[header, ...lines].join("\n")}\n`));
    // every fourth row from the third on, of which every fifth is a QTL
    const check = await checkVariants(table, genome);
    expect([check.significant, check.controls]).toEqual([20, 80]);
  });

  test("rejects a table without variants", async () => {
    await expect(checkVariants(await tableOf([]), genome)).rejects.toThrow(
      "there is no variant in the table",
    );
  });

  testWithSharedData("the one such row of the real African form", "task5/caqtl_format.tsv", async (path) => {
    await using mini = await openGenome(sharedData("genome/mini.hg38.fa.gz")!);
    const { findings } = await checkVariants(await readVariants(path), mini);
    expect(findings.map(({ kind, count }) => [kind, count])).toEqual([["allele-order", 1]]);
    expect(findings[0].examples).toEqual([{ row: 110, line: 112, text: "chr6:707763 C T" }]);
  });

  test("exchanged REF and ALT of a VCF file", async () => {
    const lines = variants.map(({ chrom, position, allele1, allele2 }, i) =>
      [chrom, position, ".", ...(i < 4 ? [allele2, allele1] : [allele1, allele2])].join("\t"),
    );
    const text = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT", ...lines].join("\n");
    const { findings } = await checkVariants(await readVariants(await write("swapped.vcf", text)), genome);
    expect(findings.map(({ kind, count }) => [kind, count])).toEqual([["allele-order", 4]]);
    expect(findings[0].examples[0].line).toBe(3);
  });
});

testWithSharedData(
  "every row of a table of the original's size is checked",
  "genome/mini.hg38.fa.gz",
  async (path) => {
    await using mini = await openGenome(path);
    const rng = new Pcg64(1);
    const chromosomes = await Promise.all(
      ["chr2", "chr20", "chr22"].map(async (name) => ({ name, letters: await mini.chromosome(name) })),
    );
    const lines = Array.from({ length: 219_382 }, (_, i) => {
      const { name, letters } = chromosomes[Math.floor((i * 3) / 219_382)];
      const position = 12_000 + 4 * (i % 73_128);
      const reference = String.fromCharCode(letters[position]);
      const other = choice(
        rng,
        LETTERS.filter((letter) => letter !== reference),
      );
      return [
        name,
        position + 1,
        reference,
        other,
        i % 12 === 0 ? "True" : "False",
        "True",
        0.5,
        0.25,
        0.1,
      ].join("\t");
    });
    const file = await write("large.tsv", `${[FORMS.caqtl.join("\t"), ...lines].join("\n")}\n`);
    const check = await checkVariants(await readVariants(file, { extra: SCORE_COLUMN }), mini);
    expect(check.reference.allele1 + check.reference.neither).toBe(219_382);
  },
);
