import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { sharedData, testWithSharedData } from "../shared-data.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { runCommand } from "./collecting-terminal.ts";

let folder: string;
let files: SyntheticFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-commands-"));
  files = await sharedGenome({ seed: 0, scale: 0.2 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (...parts: readonly string[]) => join(folder, ...parts);

/** `run` of task 1 over the synthetic genome. */
const timed = (out: string, ...more: readonly string[]) => [
  ...["run", "--task", "regulatory-elements", "--model", "kmer-markov:order=3"],
  ...["--genome", files.genome, "--data", files.regulatoryElements, "--out", at(out), ...more],
];

/** The same; timing takes as long as these runs. */
const markov = (out: string, ...more: readonly string[]) => timed(out, "--no-timing", ...more);

describe("build regulatory-elements", () => {
  testWithSharedData("writes the original's table, byte for byte", "task1/elements.bed", async (ccres) => {
    const out = at("elements.tsv");
    const { exitCode, said } = await runCommand([
      "build",
      "regulatory-elements",
      "--ccres",
      ccres,
      "--out",
      out,
    ]);
    expect(said).toContain(`wrote ${out}: 1,187 elements`);
    expect(exitCode).toBe(0);
    expect(await readFile(out, "utf8")).toBe(
      await readFile(sharedData("task1/elements_processed.tsv")!, "utf8"),
    );
  });

  testWithSharedData("with the defaults of the original's script", "task1/elements.bed", async (ccres) => {
    const out = at("elements-wide.tsv");
    const wide = ["--input-size", "2114", "--max-jitter", "500"];
    await runCommand(["build", "regulatory-elements", "--ccres", ccres, "--out", out, ...wide]);
    expect(await readFile(out, "utf8")).toBe(
      await readFile(sharedData("task1/elements_processed.2114_500.golden.tsv")!, "utf8"),
    );
  });

  test("names an invalid line and writes nothing", async () => {
    await writeFile(at("bad.bed"), "chr1\t900\t1200\nchr1\t900\t850\n");
    const out = at("bad.tsv");
    const words = ["build", "regulatory-elements", "--ccres", at("bad.bed"), "--out", out];
    const { exitCode, said } = await runCommand(words);
    expect(said).toContain(`${at("bad.bed")}:2: `);
    expect(exitCode).toBe(2);
    expect(await readdir(folder)).not.toContain("bad.tsv");
  });
});

describe("run", () => {
  test("--plan prints the plan and writes nothing", async () => {
    const { exitCode, printed } = await runCommand(timed("planned", "--plan"));
    expect(exitCode).toBe(0);
    expect(printed).toMatch(
      /regulatory-elements × kmer-markov-3 × zero-shot · corrected protocol · cell [0-9a-f]{8}/,
    );
    expect(printed).toMatch(/\n {2}rows +\d+\n/);
    expect(await readdir(folder)).not.toContain("planned");
    const json = JSON.parse((await runCommand(markov("planned", "--plan", "--json"))).printed);
    expect(json[0].cells[0].cell).toMatchObject({
      task: "regulatory-elements",
      protocol: "corrected",
      split: "test",
    });
  });

  test("several models, both protocols: a table, and a folder for each protocol", async () => {
    const words = timed("both", "--model", "kmer-markov:order=0", "--protocol", "both");
    const { exitCode, printed, said } = await runCommand(words);
    expect(said).toContain("done");
    expect(printed).toMatch(
      /kmer-markov-3 +corrected .*\nkmer-markov-3 +paper .*\nkmer-markov-0 +corrected .*\nkmer-markov-0 +paper /,
    );
    expect(exitCode).toBe(0);
    expect((await readdir(at("both"))).sort()).toEqual(["corrected", "paper"]);
  });

  test("merged shards give the result of the whole run", async () => {
    const whole = JSON.parse((await runCommand(markov("whole", "--json"))).printed);
    for (const part of ["2/3", "1/3"]) {
      const { printed, said } = await runCommand(markov("split", "--shard", part));
      expect(printed).toMatch(/cell [0-9a-f]{8} · shard \d of 3 · \d+ rows · paired accuracy 0\.\d+/);
      expect(said).toContain(`next: when all 3 shards are done, dart-eval merge ${at("split")}`);
    }
    const early = await runCommand(["merge", at("split")]);
    expect(early.exitCode).toBe(2);
    expect(early.said).toMatch(/3 of 3|3\/3/);
    await runCommand(markov("split", "--shard", "3/3"));
    const merged = await runCommand(["merge", at("split"), "--json"]);
    expect(merged.exitCode).toBe(0);
    const result = ([{ result }]: { result: object }[]) => result;
    expect(result(JSON.parse(merged.printed))).toEqual(result(whole));
  });

  test("leaves a folder with another run unchanged", async () => {
    await runCommand(markov("taken"));
    const { exitCode, said } = await runCommand(markov("taken", "--seed", "1"));
    expect(exitCode).toBe(2);
    expect(said).toContain("seed is 0 there, 1 here");
  });

  test.each([
    ["a missing genome", ["--genome", "no.fa"], /no\.fa/],
    ["a missing table", ["--data", "no.tsv"], /no\.tsv/],
    ["a model there is not", ["--model", "gpt"], /no model is called "gpt"/],
    [
      "a setting there is not",
      ["--setting", "few-shot"],
      /there is no setting "few-shot"\n {2}settings: zero-shot/,
    ],
  ])("%s is one message", async (_, change, message) => {
    const [option, value] = change;
    const words = markov("refused");
    const index = words.indexOf(option);
    if (index >= 0) words[index + 1] = value;
    else words.push(option, value);
    const { exitCode, said } = await runCommand(words);
    expect(said).toMatch(message);
    expect(said).not.toMatch(/^\s+at /m);
    expect(exitCode).toBe(2);
    expect(await readdir(folder)).not.toContain("refused");
  });
});

test("a custom model that throws is named; --verbose prints its stack", async () => {
  await writeFile(
    at("broken.mjs"),
    `export default { name: "b", logLikelihood() { throw new TypeError("no"); } };`,
  );
  const words = markov("broken", "--limit", "4");
  words[words.indexOf("--model") + 1] = at("broken.mjs");
  const plain = await runCommand(words);
  expect(plain.said).toContain("broken.mjs: the model b failed in logLikelihood: no");
  expect(plain.said).not.toMatch(/^\s+at /m);
  expect(plain.exitCode).toBe(2);
  const verbose = await runCommand(["--verbose", ...words]);
  expect(verbose.said).toMatch(/caused by: TypeError: no\n\s+at /);
  expect(verbose.exitCode).toBe(2);
});

describe("report", () => {
  beforeAll(() => runCommand(markov("reported", "--protocol", "both")));

  test.each([
    ["text", /^Regulatory elements, zero-shot\n\nmodel +protocol +paired accuracy ↑/],
    ["md", /^\*\*Regulatory elements, zero-shot\*\*\n\n\| model \| protocol \| paired accuracy ↑ \|/],
    ["latex", /^\\begin\{table\}\n\\centering\n\\caption\{Regulatory elements, zero-shot\}/],
  ])("as %s, to standard output", async (format, expected) => {
    const { exitCode, printed } = await runCommand(["report", at("reported"), "--format", format]);
    expect(printed).toMatch(expected);
    expect(exitCode).toBe(0);
  });

  test("the extension of --out selects the format", async () => {
    for (const [name, expected] of [
      ["r.md", /^\*\*Reg/],
      ["r.tex", /^\\begin/],
      ["r.json", /^\[/],
    ] as const) {
      await runCommand(["report", at("reported"), "--out", at(name)]);
      expect(await readFile(at(name), "utf8")).toMatch(expected);
    }
    const { exitCode, said } = await runCommand(["report", at("reported"), "--out", at("r.png")]);
    expect(said).toMatch(/r\.png: no report format has the ending "\.png"/);
    expect(exitCode).toBe(2);
  });

  test("as JSON: both protocols' results", async () => {
    const { printed } = await runCommand(["report", at("reported"), "--format", "json"]);
    const protocols = JSON.parse(printed).map(
      ({ result }: { result: { cell: { protocol: string } } }) => result.cell.protocol,
    );
    expect(protocols).toEqual(["corrected", "paper"]);
  });

  test("a run that is not merged is an error", async () => {
    await runCommand(markov("unmerged", "--shard", "1/2"));
    const { exitCode, said } = await runCommand(["report", at("unmerged")]);
    expect(exitCode).toBe(2);
    expect(said).toContain(`dart-eval merge ${at("unmerged")}`);
  });
});

describe("models", () => {
  test("list: published checkpoints, and what needs no download", async () => {
    const { printed } = await runCommand(["models", "list"]);
    expect(printed).toMatch(
      /^hyenadna\/large-1m \* +LongSafari\/hyenadna-large-1m-seqlen-hf +[0-9a-f]{8} +BSD-3-Clause +(yes|no)$/m,
    );
    expect(printed).toContain("kmer-markov: ");
    const { checkpoints } = JSON.parse((await runCommand(["models", "list", "--json"])).printed);
    expect(checkpoints.length).toBeGreaterThan(5);
  });

  test("init: the same seed gives the same bytes, and a run can use it", async () => {
    const init = (out: string, seed: string) =>
      runCommand(["models", "init", "hyenadna", "--preset", "toy", "--seed", seed, "--out", at(out)]);
    expect((await init("toy-a", "5")).printed).toMatch(/^wrote .*: [\d,]+ parameters, seed 5$/);
    await init("toy-b", "5");
    await init("toy-c", "6");
    const weights = (out: string) => readFile(at(out, "model.safetensors"));
    expect((await weights("toy-a")).equals(await weights("toy-b"))).toBe(true);
    expect((await weights("toy-a")).equals(await weights("toy-c"))).toBe(false);
    const words = markov("toy-run", "--limit", "6", "--device", "cpu", "--json");
    words[words.indexOf("--model") + 1] = at("toy-a");
    const [{ result }] = JSON.parse((await runCommand(words)).printed);
    expect(result.cell.model.name).toBe("toy-a");
    expect(result.rows.selected).toBe(6);
  });

  test.each([
    [
      ["models", "init", "gpt", "--preset", "toy", "--out", "x"],
      /no family of language models is called "gpt"/,
    ],
    [
      ["models", "init", "hyenadna", "--preset", "huge", "--out", "x"],
      /has no preset "huge"\n {2}choose one of /,
    ],
    [["models", "fetch", "gpt"], /no published checkpoint is called "gpt"/],
    [["models", "verify", "no-such-folder"], /no-such-folder/],
  ])("%j is one message", async (words, message) => {
    const { exitCode, said } = await runCommand(words);
    expect(said).toMatch(message);
    expect(said).not.toMatch(/^\s+at /m);
    expect(exitCode).toBe(2);
  });

  test("init: writes nothing if the tokenizer cannot be found", async () => {
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    vi.stubEnv("HF_HUB_CACHE", at("no-cache"));
    const words = ["models", "init", "dnabert2", "--preset", "117m", "--out", at("untrained-dnabert2")];
    const { exitCode, said } = await runCommand(words);
    vi.unstubAllEnvs();
    expect(said).toMatch(/the tokenizer of DNABERT-2 117m could not be taken .*\n.*--tokenizer/);
    expect(exitCode).toBe(2);
    expect(existsSync(at("untrained-dnabert2"))).toBe(false);
  });

  testWithSharedData(
    "init: with a tokenizer of the user's",
    "tokenizers/dnabert2/tokenizer.json",
    async (path) => {
      const words = ["models", "init", "mistral-dna", "--preset", "1m", "--out", at("untrained-mistral")];
      const { printed } = await runCommand([...words, "--tokenizer", path]);
      expect(printed).toMatch(/^wrote .*: 985,664 parameters, seed 0\ntokenizer from .*tokenizer.json$/);
      const copied = await readFile(at("untrained-mistral", "tokenizer.json"));
      expect(copied.equals(await readFile(path))).toBe(true);
    },
  );

  test("verify: weights without known states are an error", async () => {
    await runCommand(["models", "init", "hyenadna", "--preset", "toy", "--out", at("toy-verify")]);
    const { exitCode, said } = await runCommand(["models", "verify", at("toy-verify")]);
    expect(said).toMatch(/not a checkpoint with a known reference output/);
    expect(exitCode).toBe(2);
  });
});

test("tasks: questions and inputs", async () => {
  const { printed } = await runCommand(["tasks"]);
  expect(printed).toMatch(/^regulatory-elements: Regulatory elements\n {2}question +Is a regulatory element/);
  expect(JSON.parse((await runCommand(["tasks", "--json"])).printed)[0].name).toBe("regulatory-elements");
});

test("doctor: checks results and devices of this machine", async () => {
  const { exitCode, printed } = await runCommand(["doctor", "--device", "cpu", "--json"]);
  const { findings, machine, devices } = JSON.parse(printed);
  expect(findings).toHaveLength(4);
  expect(findings.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
  expect(machine["Node.js"]).toBe(process.versions.node);
  const state = (name: string) => devices.find(({ device }: { device: string }) => device === name);
  expect(state("cpu")).toMatchObject({ present: true, works: true, state: "works" });
  expect(state("cpu").precisions[0]).toBe("f32");
  const { present, works, state: webgpu, precisions } = state("webgpu");
  expect(precisions.length > 0).toBe(works);
  if (works) expect(webgpu).toBe("works");
  else
    expect(webgpu).toMatch(
      present ? /^no GPU found|^installed, but does not run|^wrong results/ : /^not installed/,
    );
  expect(exitCode).toBe(0);
});

describe("errors before long-running steps", () => {
  const refused = async (...words: readonly string[]) => {
    const { exitCode, printed, said } = await runCommand(words);
    expect([exitCode, printed]).toEqual([2, ""]);
    return said;
  };

  test("a missing table, before a model is fitted", async () => {
    // A model cannot be fitted to a genome without training chromosomes, which is found during fitting.
    await writeFile(at("other.fa"), ">other\nACGT\n");
    const run = ["run", "--task", "regulatory-elements", "--genome", at("other.fa"), "--out", at("early")];
    const data = await refused(...run, "--data", at("nope.tsv"), "--model", "kmer-markov");
    expect(data).toContain("nope.tsv: no such file");
    const real = [...run, "--data", files.regulatoryElements];
    expect(await refused(...real, "--model", "kmer-markov", at("nope"))).toContain("no model is called");
    expect(await refused(...real, "--model", "kmer-markov", "--setting", "nope")).toContain('setting "nope"');
  });

  test("a file as the folder of trained parameters", async () => {
    await writeFile(at("a-file"), "");
    expect(await refused(...markov("early", "--trained", at("a-file")))).toContain("a-file: this is a file");
    expect(await refused(...markov("early", "--embeddings", at("a-file", "x")))).toContain("a-file");
    expect(await refused("report", at("nope"), "--out", folder)).toContain("this is a folder");
  });

  test("build chromatin-activity: a file without peaks", async () => {
    await writeFile(at("no-peaks.bed"), "");
    const empty = at("no-peaks.bed");
    const build = ["build", "chromatin-activity", "--cell-line", "K562", "--peaks", empty, "--idr", empty];
    const said = await refused(...build, "--nonpeaks", empty, "--out", at("no-peaks"));
    expect(said).toBe(`error: ${empty}: the file has no peaks`);
  });

  test("build chromatin-activity writes no table if an input is missing", async () => {
    const build = ["build", "chromatin-activity", "--cell-line", "K562", "--out", at("task4-missing")];
    const { peaks } = files.cellLines.K562;
    const given = ["--peaks", peaks, "--idr", at("no.idr"), "--nonpeaks", peaks];
    expect(await refused(...build, ...given)).toContain("no.idr: no such file");
    await expect(readdir(at("task4-missing"))).rejects.toThrow("ENOENT");
  });
});

test("empty or unknown inputs are errors", async () => {
  const code = async (...words: readonly string[]) => (await runCommand(words)).exitCode;
  await writeFile(at("empty.bed"), "\n");
  const build = ["build", "regulatory-elements", "--ccres", at("empty.bed"), "--out", at("empty.tsv")];
  expect((await runCommand(build)).said).toContain("empty.bed: the file has no elements");
  await expect(readFile(at("empty.tsv"))).rejects.toThrow("ENOENT");
  expect(await code("published", "--task", "nope")).toBe(2);
  expect(await code("published", "--model", "nope", "--json")).toBe(2);
  expect(await code("data", "verify", "--data", at("nope"))).toBe(2);
  expect(await code("cache", "list", at("nope"))).toBe(2);
});

test("run --add-model repeats the options of the run, and --model and --add-model cannot be combined", async () => {
  expect((await runCommand(markov("grown", "--limit", "40"))).exitCode).toBe(0);
  const added = await runCommand(["run", "--add-model", "kmer-markov:order=2", "--out", at("grown")]);
  expect(added.exitCode, added.said).toBe(0);
  expect(added.printed).toMatch(/kmer-markov-2 .* 40 /);
  expect(added.printed).toMatch(/kmer-markov-3 .* 40 /);
  const both = await runCommand([...markov("grown"), "--add-model", "kmer-markov:order=1"]);
  expect(both).toMatchObject({ exitCode: 2, said: expect.stringContaining("cannot be combined") });
});

test("a run named twice is reported once", async () => {
  expect((await runCommand(markov("twice"))).exitCode).toBe(0);
  const once = await runCommand(["report", at("twice"), "--format", "md"]);
  const twice = await runCommand(["report", at("twice"), `${at("twice")}/`, "--format", "md"]);
  expect(twice.printed).toBe(once.printed);
});

test("a subcommand hints at its own help; defaults are text", async () => {
  expect((await runCommand(["models", "init", "hyenadna"])).said).toContain(
    "Try dart-eval models init --help.",
  );
  expect((await runCommand(["run", "--help"])).printed).toContain("(default: 1/1)");
});
