import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import type { InputError } from "../../../../src/base/errors.ts";
import type { SyntheticFiles } from "../../../../src/demo/synthetic/files.ts";
import { genomeInMemory, openGenome } from "../../../../src/dna/genome/genome.ts";
import { evaluate } from "../../../../src/evaluation/evaluate.ts";
import { whyNotComparable } from "../../../../src/evaluation/published/compare-published.ts";
import { asKind } from "../../../../src/evaluation/tasks/prediction.ts";
import { variantEffects } from "../../../../src/evaluation/tasks/variant-effects/variant-effects.ts";
import { initCheckpoint } from "../../../../src/models/checkpoints/init.ts";
import { languageModelCard } from "../../../../src/models/language/catalogue.ts";
import type { Model } from "../../../../src/models/model.ts";
import { openModel } from "../../../../src/models/open-model.ts";
import { scratchFiles } from "../../../scratch-files.ts";
import { sharedData, testWithSharedData } from "../../../shared-data.ts";
import { sharedGenome } from "../../../shared-genomes.ts";
import { oneHot, writeHdf5 } from "../../hdf5-file.ts";

const scratch = scratchFiles();
let files: SyntheticFiles;
let markov: Model;
beforeAll(async () => {
  files = await sharedGenome({ seed: 0, scale: 0.5 });
  await using genome = await openGenome(files.genome);
  markov = await openModel("kmer-markov:order=7", {
    device: "cpu",
    genome,
  });
});

const results = new Map<string, ReturnType<typeof evaluate>>();
/** The Markov model's result for a table; several tests read those of the same two tables. */
function markovOn(variants: string, protocol: "paper" | "corrected") {
  const key = `${protocol} ${variants}`;
  const known = results.get(key);
  if (known !== undefined) return known;
  const inputs = { variants, genome: files.genome };
  const result = evaluate({ task: "variant-effects", inputs, model: markov, protocol });
  results.set(key, result);
  return result;
}

const interval = (result: Awaited<ReturnType<typeof evaluate>>, name: string) =>
  result.metrics.find((metric) => metric.name === name)!.intervals[0];

describe("effect_size of DART-Eval's data.h5 applies to the African table", () => {
  /** As published: beta, and its opposite where allele 2 is the genome's. */
  async function exportedEffects(name: string, change: (effects: number[]) => void = () => {}) {
    const [header, ...lines] = (await readFile(files.africanVariants, "utf8")).trimEnd().split("\n");
    const at = (column: string) => header.split("\t").indexOf(column);
    await using genome = await openGenome(files.genome);
    const effects: number[] = [];
    for (const fields of lines.map((line) => line.split("\t"))) {
      const bases = await genome.chromosome(fields[at("chr_hg38")]);
      const reference = String.fromCharCode(bases[Number(fields[at("pos_hg38")]) - 1]);
      const turned = fields[at("allele2")].toUpperCase() === reference.toUpperCase();
      effects.push((turned ? -1 : 1) * Number(fields[at("beta")]));
    }
    change(effects);
    const [path, shape] = [scratch.path(name), [effects.length]];
    const sequences = oneHot(effects.map(() => "A"));
    await writeHdf5(path, {
      "Afr.CaQTLS/allele_1_seqs": sequences,
      "Afr.CaQTLS/allele_2_seqs": sequences,
      "Afr.CaQTLS/is_causal": { type: "uint8", shape, data: effects.map(() => 1) },
      "Afr.CaQTLS/effect_size": { type: "float32", shape, data: effects },
      "yoruban/allele_1_seqs": oneHot(["A"]),
      "yoruban/allele_2_seqs": oneHot(["C"]),
      "yoruban/is_causal": { type: "uint8", shape: [1], data: [1] },
      "yoruban/effect_size": { type: "float32", shape: [1], data: [1] },
    });
    return path;
  }
  const run = async (effects: string | undefined, protocol: "paper" | "corrected" = "corrected") => {
    const { africanVariants: variants, genome } = files;
    const result = await (effects === undefined
      ? markovOn(variants, protocol)
      : evaluate({
          task: "variant-effects",
          inputs: { variants, genome, effects },
          model: markov,
          protocol,
        }));
    const value = (name: string) => result.metrics.find((metric) => metric.name === name)!.value!;
    return { pearson: value("pearson"), auroc: value("auroc"), notes: result.notes.join("\n"), result };
  };

  test("with the same corrected numbers as beta negated where allele 2 is the reference", async () => {
    const [joined, turned] = [await run(await exportedEffects("effects.h5")), await run(undefined)];
    expect(joined.pearson).toBeCloseTo(turned.pearson, 6);
    expect(joined.auroc).toBe(turned.auroc);
    expect(joined.notes).toMatch(/negated where allele 2 is the reference\) in 0 of \d+ rows/);
    expect(joined.result.identity).not.toBe(turned.result.identity);
    const paper = [await run(scratch.path("effects.h5"), "paper"), await run(undefined, "paper")];
    expect(paper[0].pearson).toBe(paper[1].pearson);
  });

  test("with its own signs, also where they contradict the table's", async () => {
    const other = await exportedEffects("signs.h5", (effects) => {
      effects.forEach((effect, i) => {
        effects[i] = -effect;
      });
    });
    expect((await run(other)).pearson).toBeCloseTo(-(await run(undefined)).pearson, 6);
  });

  test("but is refused if sizes differ, rows are missing, or the table is another", async () => {
    const sizes = await exportedEffects("sizes.h5", (effects) => {
      effects[2] = 7;
    });
    await expect(run(sizes)).rejects.toMatchObject({
      message: expect.stringMatching(/^the effect is .*effect_size of entry 2 of sizes\.h5 is 7$/),
      place: { line: 4 },
    });
    const few = await exportedEffects("few.h5", (effects) => void effects.pop());
    await expect(run(few)).rejects.toThrow(/data\.h5 has no group for/);
    const { yorubanVariants: variants, genome } = files;
    await expect(variantEffects.open({ variants, genome, effects: sizes }, { seed: 0 })).rejects.toThrow(
      /applies to the African caQTLs only/,
    );
  });
});

describe("planted effects are recovered by a Markov model", () => {
  test("African form: recovers QTLs, and directions if beta is negated where allele 2 is the reference", async () => {
    const corrected = await markovOn(files.africanVariants, "corrected");
    // Its columns are those of the African study, its contents are not.
    expect(corrected.cell.dataset).toBe("african-caqtls");
    expect(corrected.origins).toEqual({
      variants: { file: "african-caqtls.tsv" },
      genome: { file: "genome.fa" },
    });
    expect(whyNotComparable(corrected)).toBe("custom data: african-caqtls.tsv, genome.fa");
    expect(interval(corrected, "auroc").low).toBeGreaterThan(0.5);
    expect(interval(corrected, "pearson").low).toBeGreaterThan(0.3);
    expect(interval(corrected, "direction-pearson").low).toBeGreaterThan(0.3);
    const paper = await markovOn(files.africanVariants, "paper");
    expect(interval(paper, "auroc")).toEqual(interval(corrected, "auroc"));
    expect(interval(paper, "pearson").value).toBeLessThan(interval(corrected, "pearson").value - 0.05);
  });

  test("Yoruban form: directions refer to allele 1, with the opposite sign in the original", async () => {
    const corrected = await markovOn(files.yorubanVariants, "corrected");
    expect(corrected.cell.dataset).toBe("yoruban-dsqtls");
    expect(interval(corrected, "auroc").low).toBeGreaterThan(0.5);
    expect(interval(corrected, "pearson").low).toBeGreaterThan(0.1);
    const paper = await markovOn(files.yorubanVariants, "paper");
    expect(interval(paper, "pearson").value).toBeCloseTo(-interval(corrected, "pearson").value, 12);
  });
});

const LETTERS = Array.from({ length: 6000 }, (_, i) => "ACGT"[(i * i + (i >> 3)) % 4]).join("");
const genome = genomeInMemory("bases.fa", new Map([["chr1", LETTERS]]));
const letter = (position: number) => LETTERS[position];
const rows = [3000, 3010, 200].map((position, index) => ({
  index,
  line: index + 2,
  chrom: "chr1",
  position,
  allele1: letter(position),
  allele2: letter(position) === "A" ? "C" : "A",
}));

describe("rows", () => {
  test("a row has both windows and its facts", async () => {
    const open = await variantEffects.open({ variants: rows, genome, dataset: "mine" }, { seed: 0 });
    expect([open.dataset, open.notes]).toEqual(["mine", []]);
    const selected = open.select({ split: "all", purpose: "evaluate", limit: null });
    expect(selected).toMatchObject({ inTable: 3, perChromosome: new Map([["chr1", 3]]) });
    const examples = await open.examples(selected.rows.slice());
    const [first] = examples[0].sequences;
    expect(first).toBe(LETTERS.slice(3000 - 1057, 3000 + 1057));
    expect(examples[0].codes).toBeUndefined();
    expect(examples[0].facts).toEqual({
      chrom: "chr1",
      start: 3000,
      end: 3001,
      allele1: rows[0].allele1,
      allele2: rows[0].allele2,
      reference: 1,
      original: "ok",
      form: "plain",
      favours: "allele2",
      unknown: 0,
    });
    expect(examples[2].facts).toMatchObject({ original: "refused", unknown: 857 });
    expect(examples[2].codes![0].filter((code) => code === 4).length).toBe(857);
    // The second time from memory.
    for (const _ of [1, 2]) {
      const known = await open.examples(selected.rows.slice().toReversed(), { bases: false });
      expect(known.map(({ row, facts }) => [row, facts])).toEqual(
        examples.toReversed().map(({ row, facts }) => [row, facts]),
      );
      expect(known.flatMap(({ sequences }) => sequences).join("")).toBe("");
    }
    await open.close();
  });

  test("a change of a row, of a label or of an effect is another data set", async () => {
    const digestOf = async (change: object) => {
      const changed = rows.map((row, i) => (i === 1 ? { ...row, ...change } : row));
      const open = await variantEffects.open({ variants: changed, genome }, { seed: 0 });
      return open.digests.variants;
    };
    const digests = [{}, { position: 3011 }, { allele2: "T" }, { significant: true }, { effect: 1 }];
    expect(new Set(await Promise.all(digests.map(digestOf))).size).toBe(digests.length);
  });

  test("variants off the genome are refused with their line", async () => {
    const elsewhere = [{ ...rows[0], chrom: "1" }];
    const open = await variantEffects.open({ variants: elsewhere, genome }, { seed: 0 });
    expect(open.notes!.join()).toContain("chromosome-names");
    expect(() => open.select({ split: "all", purpose: "evaluate", limit: null })).toThrow(/but has "chr1"/);
    const beyond = await variantEffects.open(
      { variants: [{ ...rows[0], position: 6000 }], genome },
      { seed: 0 },
    );
    expect(() => beyond.select({ split: "all", purpose: "evaluate", limit: null })).toThrow(
      "row 0: no base of the variant chr1:6000-6001 lies on the chromosome, which has 6000",
    );
  });

  test("refuses DART-Eval's data.h5, which has neither labels nor positions", async () => {
    const variants = scratch.path("data.h5");
    await writeHdf5(variants, {
      "Afr.CaQTLS/allele_1_seqs": oneHot(["ACG", "ACG"]),
      "Afr.CaQTLS/allele_2_seqs": oneHot(["ATG", "ACC"]),
      "Afr.CaQTLS/is_causal": { type: "uint8", shape: [2], data: [1, 0] },
      "Afr.CaQTLS/effect_size": { type: "float32", shape: [2], data: [0.25, -1] },
    });
    const refusal = await variantEffects
      .open({ variants, genome: files.genome }, { seed: 0 })
      .catch((error: InputError) => error.describe());
    expect(refusal).toMatch(/is_causal states which variants are used.*has no positions/);
    expect(refusal).toMatch(/give the table itself, Afr.CaQTLS.tsv or yoruban.dsqtls.benchmarking.tsv/);
    expect(refusal).toContain(variants);
  });

  test("rows in memory must be numbered", async () => {
    await expect(variantEffects.open({ variants: [rows[1], rows[0]], genome }, { seed: 0 })).rejects.toThrow(
      /entry 1 of the variants has the index 0/,
    );
  });
});

describe("zero-shot compares two alleles", () => {
  const insertion = { ...rows[1], allele2: `${rows[1].allele1}TT` };
  const variants = [rows[0], insertion];
  const asked: string[] = [];
  const model: Model = {
    name: "bases",
    tokens: "one-letter",
    compareAlleles(pairs, { protocol, origins }) {
      asked.push(`${pairs.length} ${protocol} ${origins![0].row}`);
      return pairs.map(([first, second]) => ({ first: first.length, second: second.length + 1 }));
    },
    logLikelihood: (sequences) => sequences.map((_, i) => 1 - i),
  };

  test("masks the differing bases, and compares an insertion by whole windows", async () => {
    const { predictions, counts } = await evaluate({
      task: variantEffects,
      inputs: { variants, genome },
      model,
    });
    expect(predictions.map((each) => asKind("likelihood", each).values)).toEqual([
      [2114, 2115],
      [1, 0],
    ]);
    expect(predictions.map(({ facts }) => facts.compared)).toEqual(["hidden", "windows"]);
    expect(asked).toEqual(["1 corrected 0"]);
    expect(counts).toMatchObject({ rowsComparedByWholeWindows: 1, rows: 2 });
  });

  test("byte pairs: refused under paper, whole windows under corrected", async () => {
    const pairs: Model = { ...model, tokens: "bpe" };
    const inputs = { variants, genome };
    await expect(evaluate({ task: variantEffects, inputs, model: pairs, protocol: "paper" })).rejects.toThrow(
      /its tokens are byte pairs/,
    );
    const { counts } = await evaluate({ task: variantEffects, inputs, model: pairs });
    expect(counts.rowsComparedByWholeWindows).toBe(2);
  });

  test("refuses a model without likelihoods, and names invalid scores", async () => {
    const inputs = { variants, genome };
    const none: Model = { name: "none", embed: () => [] };
    await expect(evaluate({ task: variantEffects, inputs, model: none })).rejects.toThrow(
      /neither compares alleles/,
    );
    const wrong: Model = { ...model, compareAlleles: () => [{ first: Number.NaN, second: 0 }] };
    await expect(evaluate({ task: variantEffects, inputs, model: wrong })).rejects.toThrow(
      /returned NaN and 0 as log-likelihoods of the alleles of row 0/,
    );
    const short: Model = { ...model, compareAlleles: () => [] };
    await expect(evaluate({ task: variantEffects, inputs, model: short })).rejects.toThrow(
      /returned 0 comparisons for 1 pairs of alleles/,
    );
    const { logLikelihood: _, ...hiding } = model;
    await expect(evaluate({ task: variantEffects, inputs, model: hiding })).rejects.toThrow(
      /row 1 is an insertion or deletion/,
    );
  });

  test("under paper, leaves out the insertion at which the original stops, with a note", async () => {
    const { counts, notes } = await evaluate({
      task: variantEffects,
      inputs: { variants, genome },
      model,
      protocol: "paper",
    });
    expect(counts.rowsRefusedByOriginal).toBe(1);
    expect(notes.join(" ")).toContain("left out of all metrics");
  });
});

test("a model's own prediction of activity: log fold change relative to allele 1 under both protocols", async () => {
  // What it predicts is what a perfect model of the Yoruban table would.
  const table = (await readFile(files.yorubanVariants, "utf8")).trimEnd().split("\n").slice(1);
  const effects = table.map((line) => Number(line.split("\t")[7]));
  const model: Model = {
    name: "perfect",
    predictActivity: (sequences, { origins }) =>
      sequences.map((_, i) => {
        const { row, member } = origins![i];
        return member === 0 ? effects[row] || 0.01 : 0;
      }),
    expectRows() {},
  };
  const inputs = { variants: files.yorubanVariants, genome: files.genome };
  for (const protocol of ["paper", "corrected"] as const) {
    const result = await evaluate({
      task: "variant-effects",
      inputs,
      model,
      protocol,
      setting: "predicted",
    });
    expect(result.predictions.every(({ kind }) => kind === "activity")).toBe(true);
    const value = (name: string) => result.metrics.find((metric) => metric.name === name)!.value;
    expect(value("pearson")).toBeCloseTo(1, 12);
    expect(value("direction-pearson")).toBeCloseTo(1, 12);
    expect(value("auroc")).toBe(1);
    expect(result.quirks.map(({ label }) => label)).toEqual(["Q23"]);
  }
});

testWithSharedData(
  "a language model of k-mers on real variants, hidden and by embeddings, both protocols",
  "task5/caqtl_format.tsv",
  async (variants) => {
    const folder = scratch.path("toy");
    await initCheckpoint(languageModelCard("nucleotide-transformer"), { preset: "toy", folder, seed: 0 });
    const model = await openModel(folder, { device: "cpu" });
    const inputs = { variants, genome: sharedData("genome/mini.hg38.fa.gz")! };
    const differences: number[][] = [];
    for (const protocol of ["paper", "corrected"] as const) {
      const given = { task: variantEffects, inputs, model, protocol, limit: 2 };
      const { predictions } = await evaluate(given);
      differences.push(
        predictions.map((each) => {
          const [first, second] = asKind("likelihood", each).values;
          return second - first;
        }),
      );
      const embedded = await evaluate({ ...given, setting: "zero-shot-embedding" });
      for (const each of embedded.predictions) {
        expect(asKind("distance", each).values[0]).toBeGreaterThanOrEqual(0);
        expect(asKind("distance", each).values[0]).toBeLessThan(0.1);
      }
    }
    // Sums over all tokens under paper, over those that differ under corrected: the same but for rounding
    // (quirk Q16).
    differences[0].forEach((difference, i) => {
      expect(difference).toBeCloseTo(differences[1][i], 3);
      expect(difference).not.toBe(0);
    });
    await model.close?.();
  },
);

test("leaves out VCF alternatives without bases, with a note", async () => {
  const lines = ["chr1\t5\t.\tA\tC", "chr1\t6\t.\tC\t<DEL>,G", "chr1\t7\t.\tG\t*"];
  const text = ["##fileformat=VCFv4.3", "#CHROM\tPOS\tID\tREF\tALT", ...lines].join("\n");
  const variants = await scratch.write("symbolic.vcf", `${text}\n`);
  const genome = genomeInMemory("made.fa", new Map([["chr1", "ACGTACGTACGT"]]));
  const open = await variantEffects.open({ variants, genome }, { seed: 0 });
  expect(open.select({ split: "all", purpose: "evaluate", limit: null }).rows).toHaveLength(2);
  expect(open.notes).toContain(
    "symbolic.vcf: 2 alternatives without a sequence, such as <DEL>, or of more than 1,000 bases left out.",
  );
  await open.close();
});
