import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import { comparePaths } from "../../../src/evaluation/comparison/compare-paths.ts";
import { verdictOf } from "../../../src/evaluation/comparison/verdict.ts";
import { compare, estimate } from "../../../src/metrics/estimate.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder();
});

const rng = new Pcg64(9);
const ROWS = 200;
const labels = Array.from({ length: ROWS }, (_, i) => (i % 4 === 0 ? 1 : 0));
const positions = labels.map((_, i) => ({ chrom: `chr${i % 3}`, start: 9e5 * i, end: 9e5 * i + 350 }));
const [good, bad] = [2, 0.3].map((shift) => labels.map((label) => shift * label + normal(rng)));

type Columns = Readonly<Record<string, readonly (string | number)[]>>;

async function tableOf(name: string, columns: Columns): Promise<string> {
  const path = join(root, `${name}.tsv`);
  const lists = Object.values(columns);
  const lines = lists[0].map((_, i) => lists.map((list) => list[i]).join("\t"));
  await writeFile(path, `${Object.keys(columns).join("\t")}\n${lines.join("\n")}\n`);
  return path;
}

const placed = {
  chrom: positions.map(({ chrom }) => chrom),
  start: positions.map(({ start }) => start),
  end: positions.map(({ end }) => end),
};

describe("tables of scores", () => {
  test("have the numbers of `compare` and `estimate`", async () => {
    const a = await tableOf("good", { ...placed, score: good, label: labels });
    const b = await tableOf("bad", { label: labels, score: bad, ...placed });
    const [group] = (await comparePaths([b, a])).groups;
    expect(group.metric.name).toBe("auroc");
    expect(group.models.map(({ label }) => label)).toEqual(["good", "bad"]);
    expect(group.models[0].estimate).toEqual(estimate("auroc", good, labels, { positions }));
    expect(group.pairs[0].difference).toEqual(compare("auroc", good, bad, labels, { positions }).difference);
    expect(group.pairs[0].p).toBeLessThan(0.001);
    const interval = String.raw`0\.\d+ \[0\.\d+, 0\.\d+\]`;
    expect(verdictOf(group)?.sentence).toMatch(
      new RegExp(`^good has the highest AUROC, ${interval}, ahead of bad by ${interval}$`),
    );
  });

  test("pairs of element and control, and blocks by name, in another order of rows", async () => {
    const idx = labels.map((_, i) => i);
    const block = idx.map((i) => `b${i % 40}`);
    const a = await tableOf("a", { idx, seq_score: good, ctrl_score: bad, block });
    const b = await tableOf("b", {
      idx: idx.toReversed(),
      seq_score: bad.toReversed(),
      ctrl_score: good.toReversed(),
      block: block.toReversed(),
    });
    const [group] = (await comparePaths([a, b])).groups;
    expect(group).toMatchObject({
      metric: { name: "paired-accuracy" },
      rows: { compared: ROWS, blocks: 40 },
    });
    expect(group.models[0].value! + group.models[1].value!).toBeCloseTo(1, 12);
  });

  test("are compared on shared rows, by another metric", async () => {
    const idx = labels.map((_, i) => i);
    const a = await tableOf("a", { idx, score: good, label: labels });
    const some = idx.filter((i) => i % 2 === 0);
    const pick = (list: readonly number[]) => some.map((i) => list[i]);
    const b = await tableOf("b", { idx: some, score: pick(bad), label: pick(labels) });
    const [group] = (await comparePaths([a, b], { metric: "average-precision" })).groups;
    expect(group.rows).toMatchObject({ compared: 100, shared: true });
    expect(group.models[0].value).toBeCloseTo(
      estimate("average-precision", pick(good), pick(labels)).value,
      12,
    );
  });

  test.each([
    ["other labels", { score: bad, label: labels.map((label) => 1 - label) }, /label is 0, but 1 on line 2/],
    [
      "positions in one of them",
      { score: bad, label: labels, ...placed },
      /one of this table and .* has positions/,
    ],
    [
      "other columns",
      { seq_score: good, ctrl_score: bad },
      /has seq_score and ctrl_score; .* has score and label/,
    ],
    [
      "a row twice",
      { idx: labels.map((_, i) => i >> 1), score: bad, label: labels },
      /idx "0" is also on line 2/,
    ],
    ["no scores", { name: labels, label: labels }, /the header is name, label/],
  ] as const)("with %s are refused", async (_, columns: Columns, message) => {
    const a = await tableOf("a", { score: good, label: labels });
    await expect(comparePaths([a, await tableOf("b", columns)])).rejects.toThrow(message);
  });
});

test("refuses missing paths, a single table and a mixture of tables and folders", async () => {
  const a = await tableOf("a", { score: good, label: labels });
  await expect(comparePaths([a, join(root, "none")])).rejects.toThrow(/no such file or folder/);
  await expect(comparePaths([a])).rejects.toThrow(/no two of these models can be compared/);
  await expect(comparePaths([a, root])).rejects.toThrow(/compared with other tables only/);
});
