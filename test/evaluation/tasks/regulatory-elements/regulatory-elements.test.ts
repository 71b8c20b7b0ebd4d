import { createReadStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../../../../src/base/errors.ts";
import { Pcg64 } from "../../../../src/base/pcg64.ts";
import { readRegulatoryElements } from "../../../../src/datasets/regulatory-elements/table.ts";
import { openGenome } from "../../../../src/dna/genome/genome.ts";
import { evaluate } from "../../../../src/evaluation/evaluate.ts";
import { mergeRun } from "../../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../../src/evaluation/runs/run-shard.ts";
import { readResults } from "../../../../src/evaluation/runs/stored-results.ts";
import { ofKind } from "../../../../src/evaluation/tasks/prediction.ts";
import { regulatoryElements } from "../../../../src/evaluation/tasks/regulatory-elements/regulatory-elements.ts";
import { sharedData, testWithSharedData } from "../../../shared-data.ts";

let root: string;
let genome: string;
let elements: string;
const HEADER =
  "chr\tinput_start\tinput_end\tccre_start\tccre_end\tccre_relative_start\tccre_relative_end\treverse_complement";

/**
 * Random bases on three chromosomes, with a stretch of N on chr10, and 300 elements, most of them on chr5.
 */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "dart-eval-task1-"));
  genome = join(root, "genome.fa");
  elements = join(root, "elements.tsv");
  const rng = new Pcg64(11);
  const bases = (n: number) => Array.from({ length: n }, () => "ACGT"[rng.nextUint32() & 3]).join("");
  const chr10 = `${bases(2000)}${"N".repeat(100)}${bases(6000)}`;
  const sequences = { chr5: bases(20_000), chr10, chr1: bases(5000) };
  await writeFile(
    genome,
    Object.entries(sequences)
      .map(([name, text]) => `>${name}\n${text}\n`)
      .join(""),
  );
  const rows = Array.from({ length: 300 }, (_, i) => {
    const chrom = i < 200 ? "chr5" : i < 250 ? "chr10" : "chr1";
    const start = 100 + Math.floor((i < 200 ? i : (i % 50) * 3) * 24);
    const flag = rng.nextUint32() & 1 ? "True" : "False";
    return [chrom, start, start + 350, start + 25, start + 325, 25, 325, flag].join("\t");
  });
  await writeFile(elements, `${[HEADER, ...rows].join("\n")}\n`);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Scores a sequence by its number of TATA. */
const model = {
  name: "tata",
  identity: "tata 1",
  logLikelihood: (sequences: readonly string[]) => sequences.map((bases) => bases.split("TATA").length - 300),
};
const inputs = () => ({ genome, elements });

describe("task 1, zero-shot", () => {
  test("scores the test chromosomes in memory", async () => {
    await using opened = await openGenome(genome);
    const result = await evaluate({
      task: "regulatory-elements",
      inputs: { genome: opened, elements: await readRegulatoryElements(elements) },
      model,
    });
    const [accuracy] = result.metrics;
    expect(accuracy.value).toBeGreaterThan(0.3);
    expect(accuracy.intervals[0].low).toBeLessThan(accuracy.value!);
    expect(result.counts).toMatchObject({ rows: 250, rowsInTable: 300 });
    expect(result.predictions.map(({ row }) => row)).toEqual(Array.from({ length: 250 }, (_, i) => i));
    // 100 Ns of chr10, under elements of 300 every 72 bases.
    expect(result.counts.rowsWithUnknownBases).toBeGreaterThan(2);
    expect(result.notes.join()).toContain("Q27");
  });

  test("writes the original's files, with the same numbers as in memory", async () => {
    for (const protocol of ["paper", "corrected"] as const) {
      const folder = join(root, protocol);
      const plan = await planRun({
        tasks: [{ task: "regulatory-elements", inputs: inputs() }],
        models: [model],
        protocol,
        folder,
      });
      expect(plan.cells[0].estimate.seconds).not.toBeNull();
      await runShard(plan);
      await plan.close();
      const [result] = await mergeRun(folder);
      const { predictions, ...inMemory } = await evaluate({
        task: "regulatory-elements",
        inputs: inputs(),
        model,
        protocol,
      });
      expect(inMemory).toEqual(result);
      const cell = (await readdir(folder)).find((name) => name !== "plan.json")!;
      const metrics = JSON.parse(await readFile(join(folder, cell, "metrics.json"), "utf8"));
      expect(Object.keys(metrics).slice(0, 9)).toEqual(
        "acc pval signed_rank_sum mean_diff median_diff q05_diff q25_diff q75_diff q95_diff".split(" "),
      );
      expect(metrics.protocol).toBe(protocol);
      const [header, ...lines] = (await readFile(join(folder, cell, "scores.tsv"), "utf8"))
        .trimEnd()
        .split("\n");
      expect(header).toBe("idx\tseq_score\tctrl_score");
      expect(lines).toEqual(
        ofKind("likelihood", predictions).map(({ row, values }) => [row, ...values].join("\t")),
      );
    }
  });

  test("the paper's protocol differs from the corrected one by ties and trials alone", async () => {
    const [paper, corrected] = await Promise.all(
      (["paper", "corrected"] as const).map((protocol) =>
        evaluate({ task: "regulatory-elements", inputs: inputs(), model, protocol }),
      ),
    );
    expect(paper.predictions).toEqual(corrected.predictions);
    expect(paper.counts.ties).toBeGreaterThan(0);
    expect(corrected.published.acc! - paper.published.acc!).toBeCloseTo(paper.counts.ties / 2 / 250, 12);
    expect(paper.metrics[0].intervals[0]).toMatchObject({ method: "wald", n: 600 });
    expect(paper.identity).not.toBe(corrected.identity);
  });

  test("the model's rounding is part of the cell, decides ties of both protocols and is printed", async () => {
    // Scores of equal words, apart by less than float32 rounds; every tenth pair differs by more.
    const rounded = (scoreRounding?: number) => ({
      name: "rounded",
      identity: "rounded 1",
      ...(scoreRounding === undefined ? {} : { scoreRounding }),
      logLikelihood: (sequences: readonly string[]) =>
        sequences.map((bases) => {
          const digest = [...bases].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1009, 7);
          return -480 - digest * 1e-9 - (digest % 10 === 0 ? 1 : 0);
        }),
    });
    const run = async (protocol: "paper" | "corrected", scoreRounding?: number) => {
      const folder = join(root, `rounded-${protocol}-${scoreRounding}`);
      const tasks = [{ task: "regulatory-elements", inputs: inputs() }];
      const plan = await planRun({ tasks, models: [rounded(scoreRounding)], protocol, folder });
      await runShard(plan);
      await plan.close();
      const [result] = await mergeRun(folder);
      const cell = (await readdir(folder)).find((name) => name !== "plan.json")!;
      const read = (name: string) => readFile(join(folder, cell, name), "utf8");
      return {
        result,
        metrics: JSON.parse(await read("metrics.json")),
        scores: await read("scores.tsv"),
      };
    };
    const float32 = await run("corrected", 2 ** -23);
    expect(float32.result.cell.model.scoreRounding).toBe(2 ** -23);
    expect(float32.metrics.ties).toEqual(float32.result.ties);
    expect(float32.result.ties!.tolerance / (2 ** -23 * 2 * 481)).toBeCloseTo(1, 2);
    expect(float32.result.counts.ties).toBeGreaterThan(150);
    const [stored] = await readResults(join(root, `rounded-corrected-${2 ** -23}`));
    expect(stored.result).toEqual(float32.result);
    const unstated = await run("corrected");
    expect(unstated.result.identity).not.toBe(float32.result.identity);
    expect(unstated.result.ties!.rounding).toBe(350 * 2 ** -53);
    expect(unstated.result.counts.ties).toBeLessThan(10);
    const paper = await run("paper", 2 ** -23);
    expect(paper.metrics).not.toHaveProperty("ties");
    expect(paper.result.counts.ties).toBe(float32.result.counts.ties);
    const values = paper.scores
      .trimEnd()
      .split("\n")
      .slice(1)
      .flatMap((line) => line.split("\t").slice(1).map(Number));
    expect(values.every((value) => Math.fround(value) === value)).toBe(true);
    expect((await run("paper")).result.counts.ties).toBe(unstated.result.counts.ties);
  });

  test("another seed changes the controls and not the elements", async () => {
    const [zero, one] = await Promise.all(
      [0, 1].map((seed) => evaluate({ task: "regulatory-elements", inputs: inputs(), model, seed })),
    );
    const column = (run: typeof zero, member: number) =>
      ofKind("likelihood", run.predictions).map(({ values }) => values[member]);
    expect(column(zero, 0)).toEqual(column(one, 0));
    expect(column(zero, 1)).not.toEqual(column(one, 1));
  });

  test("a limit picks rows from the whole table", async () => {
    const { predictions } = await evaluate({
      task: "regulatory-elements",
      inputs: inputs(),
      model,
      limit: 40,
    });
    expect(predictions).toHaveLength(40);
    expect(new Set(predictions.map(({ facts }) => facts.chrom))).toEqual(new Set(["chr5", "chr10"]));
  });
});

describe("the digests of the inputs", () => {
  const digests = async (input: Record<string, unknown>) => {
    const opened = await regulatoryElements.open({ ...inputs(), ...input } as never, { seed: 0 });
    await opened.close();
    return opened.digests;
  };

  test("cover the table's values, not its file format", async () => {
    const text = await readFile(elements, "utf8");
    const zipped = join(root, "elements.tsv.gz");
    const windows = join(root, "elements.crlf.tsv");
    await writeFile(zipped, gzipSync(text));
    await writeFile(windows, text.replaceAll("\n", "\r\n"));
    const expected = await digests({});
    expect(await digests({ elements: zipped })).toEqual(expected);
    expect(await digests({ elements: windows })).toEqual(expected);
    expect(await digests({ elements: await readRegulatoryElements(elements) })).toEqual(expected);
    const changed = join(root, "changed.tsv");
    await writeFile(changed, text.replace("True", "False"));
    expect((await digests({ elements: changed })).elements).not.toBe(expected.elements);
    expect((await digests({ elements: changed })).genome).toBe(expected.genome);
  });
});

describe("planning refuses invalid inputs", () => {
  const refusal = async (input: Record<string, unknown>) => {
    const error = await planRun({
      tasks: [{ task: "regulatory-elements", inputs: { ...inputs(), ...input } as never }],
      models: [model],
    }).catch((error) => error);
    expect(error).toBeInstanceOf(InputError);
    return error.describe() as string;
  };

  test("nothing given", async () => {
    expect(await refusal({ elements: undefined })).toMatch(
      /needs "elements"\n.*dart-eval build regulatory-elements/,
    );
    expect(await refusal({ genome: undefined })).toMatch(/needs "genome"\n.*FASTA/);
  });

  test("no such file", async () => {
    expect(await refusal({ genome: join(root, "none.fa") })).toMatch(/none\.fa: no such file/);
    expect(await refusal({ elements: join(root, "none.tsv") })).toMatch(/none\.tsv: no such file/);
  });

  test("a chromosome with another name in the genome", async () => {
    const other = join(root, "ensembl.fa");
    await writeFile(other, (await readFile(genome, "utf8")).replaceAll(">chr", ">"));
    expect(await refusal({ genome: other })).toMatch(/has no sequence "chr5", but has "5"/);
  });

  test("a table of another genome's size", async () => {
    const far = join(root, "far.tsv");
    await writeFile(far, `${HEADER}\nchr5\t900000\t900350\t900025\t900325\t25\t325\tTrue\n`);
    expect(await refusal({ elements: far })).toMatch(
      /row 0: no base of the element chr5:900025-900325 lies on the chromosome, which has 20000/,
    );
  });

  test("rows without their numbers", async () => {
    const rows = await readRegulatoryElements(elements);
    expect(await refusal({ elements: [rows[1], rows[0]] })).toMatch(
      /entry 1 of the elements has the index 0/,
    );
    expect(await refusal({ elements: [{ chrom: "chr5" }] })).toMatch(
      /entry 0 of the elements has the index undefined/,
    );
  });
});

testWithSharedData(
  "every control of the original's is the one that is scored",
  "task1/controls.all.golden.tsv.gz",
  async (file) => {
    const opened = await regulatoryElements.open(
      { genome: sharedData("genome/mini.hg38.fa.gz"), elements: sharedData("task1/elements_processed.tsv")! },
      { seed: 0 },
    );
    const { rows } = opened.select({ split: "all", purpose: "evaluate", limit: null });
    const examples = new Map(
      (await opened.examples(rows.slice().toReversed())).map((example) => [example.row, example]),
    );
    let compared = 0;
    for await (const line of createInterface({ input: createReadStream(file).pipe(createGunzip()) })) {
      const [idx, chrom, , , start, end, , element, control] = line.split("\t");
      if (idx === "idx") continue;
      expect(examples.get(Number(idx))).toEqual({
        row: Number(idx),
        sequences: [element, control],
        facts: { chrom, start: Number(start), end: Number(end), unknown: expect.any(Number), same: 0 },
      });
      compared++;
    }
    expect(compared).toBe(1187);
    await opened.close();
  },
);

testWithSharedData(
  "rows at the edges of what can be are scored like any other",
  "task1/edge_processed.tsv",
  async (table) => {
    const result = await evaluate({
      task: "regulatory-elements",
      inputs: { genome: sharedData("genome/mini.hg38.fa.gz"), elements: table },
      model,
      split: "all",
    });
    expect(result.counts.rows).toBe(26);
    expect(result.counts.rowsWithUnknownBases).toBeGreaterThan(2);
    // Cores of one to three bases have one order only.
    expect(result.counts.rowsWithEqualSequences).toBeGreaterThan(0);
  },
);

testWithSharedData(
  "positions without a base are given together with the bases, and nowhere else",
  "task1/edge_processed.tsv",
  async (table) => {
    const inputs = { genome: sharedData("genome/mini.hg38.fa.gz"), elements: table };
    const opened = await regulatoryElements.open(inputs, { seed: 0 });
    const { rows } = opened.select({ split: "all", purpose: "evaluate", limit: null });
    const examples = await opened.examples(rows.slice());
    let hidden = 0;
    for (const { sequences, codes } of examples) {
      if (codes === undefined) continue;
      hidden++;
      codes.forEach((member, i) => {
        expect([...member].map((code) => "ACGTA"[code]).join("")).toBe(sequences[i]);
      });
      expect(codes.some((member) => member.includes(4))).toBe(true);
    }
    const known = ({ row, facts }: (typeof examples)[number]) => ({ row, facts });
    expect((await opened.examples(rows.slice(), { bases: false })).map(known)).toEqual(examples.map(known));
    // Of this table some windows hold N or lie over an end, others do not.
    expect(hidden).toBeGreaterThan(3);
    expect(hidden).toBeLessThan(examples.length);
    await opened.close();
  },
);
