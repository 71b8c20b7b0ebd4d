import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { repository } from "../source-files.ts";
import { compileAsUser } from "./compile-as-user.ts";

let folder: string;
let files: SyntheticFiles;

/** Compiles the examples in a folder in which the built package is installed as a link. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-examples-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(repository, join(folder, "node_modules", "dart-eval"), "junction");
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  files = await sharedGenome({ seed: 0, scale: 0.2 });
  expect(await compileAsUser(folder, "nodenext", { emit: true })).toBe("");
  await writeFile(join(folder, "server.js"), SERVER);
  examples = spawn(process.execPath, ["server.js"], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
  closed = once(examples, "close");
  replies = createInterface({ input: examples.stdout })[Symbol.asyncIterator]();
});
afterAll(async () => {
  // No example keeps the process alive.
  examples.stdin.end();
  expect(await closed).toEqual([0, null]);
  await rm(folder, { recursive: true, force: true });
});

/** Runs examples in one process, because starting one takes longer than most examples. */
let examples: ChildProcessByStdio<Writable, Readable, null>;
let replies: AsyncIterator<string, undefined>;
let closed: Promise<unknown[]>;

/** Program of the process: reads an example and its words per line, and writes what it prints. */
const SERVER = `
  for await (const line of (await import("node:readline")).createInterface({ input: process.stdin })) {
    const [example, ...words] = JSON.parse(line);
    const lines = [];
    console.log = (...values) => lines.push(values.join(" "));
    process.argv.splice(2, Infinity, ...words);
    const error = await import("./built/" + example + ".js").then(() => undefined, ({ stack }) => stack);
    process.stdout.write(JSON.stringify({ printed: lines.join("\\n") + "\\n", error }) + "\\n");
  }`;

async function printedBy(example: string, ...words: string[]): Promise<string> {
  examples.stdin.write(`${JSON.stringify([example, ...words])}\n`);
  const { value } = await replies.next();
  const { printed, error } = JSON.parse(value ?? '{ "error": "the process has ended" }');
  if (error !== undefined) throw new Error(error);
  return printed;
}

/** Numbers of a line that the pattern captures. */
function numbersIn(printed: string, pattern: RegExp): number[] {
  const found = pattern.exec(printed);
  expect(found, `${pattern} in ${printed}`).not.toBeNull();
  return (found ?? []).slice(1).map(Number);
}

test("every example is tested", async () => {
  const tests = await readFile(import.meta.filename, "utf8");
  const examples = readdirSync(join(repository, "examples")).filter((name) => name.endsWith(".ts"));
  expect(examples.length).toBeGreaterThan(8);
  for (const example of examples) expect(tests).toContain(`printedBy("${example.replace(".ts", "")}"`);
});

test("score-sequences: a log-likelihood per sequence", async () => {
  const lines = (await printedBy("score-sequences", "toy:hyenadna", "ACGTACGT", "GATTACA"))
    .trim()
    .split("\n");
  const [[first], [second]] = [
    numbersIn(lines[0], /^ACGTACGT (-\d+\.\d{3}) nats$/),
    numbersIn(lines[1], /^GATTACA (-\d+\.\d{3}) nats$/),
  ];
  // Near to the entropy of uniform bases, 8 ln 4 and 7 ln 4.
  expect(first).toBeGreaterThan(-16);
  expect(second).toBeGreaterThan(-14);
});

test("token-log-probabilities: tokens in order, which cover the sequence", async () => {
  const printed = await printedBy("token-log-probabilities", "toy:dnabert2", "ACGTACGTACGTGATTACA");
  const tokens = printed
    .trim()
    .split("\n")
    .map((line) => /^(\d+)-(\d+) ([ACGT]+) (-\d+\.\d{3})$/.exec(line) ?? []);
  expect(tokens.map(([, , , bases]) => bases).join("")).toBe("ACGTACGTACGTGATTACA");
  expect(tokens.slice(1).map(([, start]) => start)).toEqual(tokens.slice(0, -1).map(([, , end]) => end));
});

test("embed-sequences: states of all tokens and their mean", async () => {
  const printed = await printedBy("embed-sequences", "toy:caduceus", "ACGTACGT", "GATTACA");
  const line = /^([ACGT]+) states \[(\d+), (\d+)\], mean \[(-?\d+\.\d{3}, ){3}\.\.\.\]$/gm;
  const found = [...printed.matchAll(line)].map(([, letters, tokens]) => [letters, Number(tokens)]);
  expect(found).toEqual([
    ["ACGTACGT", 9],
    ["GATTACA", 8],
  ]);
});

test("metrics: intervals over blocks are longer, and the better model is found", async () => {
  const printed = await printedBy("metrics");
  const value = String.raw`(\d\.\d{3}) \[(\d\.\d{3}), (\d\.\d{3})\]`;
  const [alone, low, high] = numbersIn(printed, new RegExp(`^auroc ${value} delong$`, "m"));
  const [same, lower, higher] = numbersIn(
    printed,
    new RegExp(`^auroc ${value} genomic-block-jackknife$`, "m"),
  );
  expect(same).toBe(alone);
  expect(higher - lower).toBeGreaterThan(high - low);
  expect(numbersIn(printed, /^p (\S+)$/m)[0]).toBeLessThan(0.01);
});

test("zero-shot: a Markov model finds the planted elements", async () => {
  const printed = await printedBy("zero-shot", files.genome, files.regulatoryElements);
  const [value, low, high] = numbersIn(printed, /^kmer-markov-5: ([\d.]+) \[([\d.]+), ([\d.]+)\]/);
  expect(value).toBeGreaterThan(0.55);
  expect(low).toBeLessThan(value);
  expect(high).toBeGreaterThan(value);
});

test("own-model: composition alone ties on every pair", async () => {
  const printed = await printedBy("own-model", files.genome, files.regulatoryElements);
  const [value, pairs, ties] = numbersIn(printed, /paired accuracy ([\d.]+) over (\d+) pairs, (\d+) ties/);
  expect(pairs).toBeGreaterThan(50);
  expect(ties).toBe(pairs);
  expect(value).toBe(0.5);
});

test("own-task: a Markov model prefers one direction of reading", async () => {
  const printed = await printedBy("own-task", files.genome, files.elements);
  const [value, low, high, rows] = numbersIn(
    printed,
    /^paired accuracy ([\d.]+) \[([\d.]+), ([\d.]+)\] over (\d+) windows/,
  );
  expect(rows).toBeGreaterThan(50);
  expect(low).toBeGreaterThan(0.5); // CpG and the like are read in one direction
  expect(value).toBeLessThan(high);
});

test("own-setting: a language model scores both strands", async () => {
  const printed = await printedBy("own-setting", files.genome, files.regulatoryElements);
  const [one] = numbersIn(printed, /^zero-shot: paired accuracy ([\d.]+)$/m);
  const [both] = numbersIn(printed, /^both-strands: paired accuracy ([\d.]+)$/m);
  expect(one).toBeGreaterThan(0.7);
  expect(both).toBeGreaterThan(0.7);
});

test("own-family: random weights predict bases worse than uniform ones", async () => {
  const printed = await printedBy("own-family", join(folder, "bigram"), "ACGTACGT", "A");
  const [eight, one] = numbersIn(printed, /^ACGTACGT (-[\d.]+) nats\nA (-?[\d.]+) nats$/m);
  expect(eight).toBeLessThan(-7 * Math.log(4));
  expect(one).toBeCloseTo(0); // a causal model without a start token has no prediction of the first base
});

test("own-metric: a share with its interval over blocks", async () => {
  const printed = await printedBy("own-metric");
  const [value, low, high, blocks] = numbersIn(
    printed,
    /^precision in the top tenth (0\.\d+) \[(0\.\d+), (0\.\d+)\] over (\d+) blocks$/m,
  );
  expect(value).toBeGreaterThan(0.2); // the share among all rows
  expect(low).toBeLessThan(value);
  expect(high).toBeGreaterThan(value);
  expect(blocks).toBeGreaterThan(5);
});

test("windows-and-controls: the control keeps its dinucleotides", async () => {
  const printed = await printedBy("windows-and-controls", files.genome);
  expect(printed).toContain("control differs: true, equal dinucleotide counts: true");
});

test("graph: rows of a softmax add up to one", async () => {
  const lines = (await printedBy("graph")).trim().split("\n").slice(-2);
  for (const line of lines) {
    const shares = line.split("  ").map(Number);
    expect(shares).toHaveLength(3);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 3);
  }
});

test("train-step: the loss falls from that of a coin to near zero", async () => {
  const printed = await printedBy("train-step");
  const losses = [...printed.matchAll(/^batch \d+: loss ([\d.]+)$/gm)].map(([, loss]) => Number(loss));
  expect(losses).toHaveLength(6);
  expect(losses[0]).toBeCloseTo(Math.LN2, 3);
  expect(losses.at(-1)).toBeLessThan(0.1);
  expect(printed).toContain("weights 48 × 2");
});

test("report: three models on one page", async () => {
  const printed = await printedBy("report", files.genome, files.regulatoryElements, folder);
  expect(printed.trim().split("\n")).toHaveLength(3);
  const page = await readFile(join(folder, "report.html"), "utf8");
  expect(page).toMatch(/<h1[^>]*>Markov models<\/h1>/);
  for (const order of [2, 5, 8]) expect(page).toContain(`<th scope="row">kmer-markov-${order}</th>`);
});

test("an example without its arguments prints its usage", async () => {
  const words = [join("built", "zero-shot.js")];
  const { code, stderr } = await promisify(execFile)(process.execPath, words, { cwd: folder }).catch(
    (error) => error,
  );
  expect(code).toBe(2);
  expect(stderr).toBe("usage: npx tsx examples/zero-shot.ts genome.fa regulatory-elements.tsv\n");
});

test("every usage is that of the comment above the code", async () => {
  let withUsage = 0;
  for (const name of readdirSync(join(repository, "examples")).filter((each) => each.endsWith(".ts"))) {
    const source = await readFile(join(repository, "examples", name), "utf8");
    const [, command] = /^\/\/ {3}(npx tsx examples\/\S+\.ts.*)$/m.exec(source) ?? [];
    expect(command, name).toContain(name);
    if (!source.includes("process.argv")) continue;
    expect(source, name).toContain(`console.error("usage: ${command}");\n  process.exit(2);`);
    withUsage++;
  }
  expect(withUsage).toBeGreaterThan(5);
});
