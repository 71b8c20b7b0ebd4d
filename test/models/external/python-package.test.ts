import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openModel } from "../../../src/models/open-model.ts";
import { runCommand } from "../../cli/collecting-terminal.ts";
import { startServer } from "../../http-server.ts";
import { repository } from "../../source-files.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const corrected = { protocol: "corrected" } as const;
const source = join(repository, "python", "src");
const adapters = join(repository, "examples", "adapters");
const tiny = join(import.meta.dirname, "tiny_models.py");

/** `$DART_EVAL_TEST_PYTHON`, a Python with torch and transformers; default: python3. */
const python = process.env.DART_EVAL_TEST_PYTHON ?? "python3";
const hasPython =
  spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]).status === 0;
const hasTorch = spawnSync(python, ["-c", "import torch, transformers"]).status === 0;

beforeAll(() => {
  process.env.PYTHONPATH = source;
  process.env.HF_HUB_OFFLINE = "1";
});
afterAll(() => {
  delete process.env.PYTHONPATH;
  delete process.env.HF_HUB_OFFLINE;
});

async function open(command: string) {
  const model = await openModel(`stdio:${command}`);
  onTestFinished(() => model.close());
  return model;
}

const SERVER = `
from dart_eval_adapter import Refused, serve_functions
import array

def activity(sequences):
    print("this line goes to standard error")
    if "CCC" in sequences[0]: raise Refused("no such track")
    if "GGG" in sequences[0]: raise KeyError("track")
    if "TTT" in sequences[0]: return []
    return [float("nan") if "N" in s else len(s) / 4 for s in sequences]

def embeddings(sequences):
    return [((array.array("f", range(2 * len(s))).tobytes(), 2), range(len(s)), range(1, len(s) + 1)) for s in sequences]

serve_functions(name="é", identity="1", activity=activity, embeddings=embeddings, width=2, batch_size=3, tokens="one-letter")
`;

describe("the protocol, without torch", () => {
  beforeEach(({ skip }) => skip(!hasPython, "needs python3, at least 3.9"));

  test("functions are called, and their errors name the cause", async () => {
    const file = join(temporaryFolder(), "server.py");
    writeFileSync(file, SERVER);
    const model = await open(`python3 ${file}`);
    expect(model).toMatchObject({
      name: "é",
      identity: "adapter 1",
      batchSize: 3,
      width: 2,
      tokens: "one-letter",
    });
    expect([...(await model.predictActivity(["ACGT", "NN", "A"]))]).toEqual([1, Number.NaN, 0.25]);
    const [embedding] = await model.embed(["ACG"]);
    expect(embedding).toMatchObject({ tokens: 3, width: 2, starts: Int32Array.of(0, 1, 2) });
    expect([...embedding.states]).toEqual([0, 1, 2, 3, 4, 5]);
    await expect(model.predictActivity(["CCC"])).rejects.toThrow(/reports: no such track$/);
    await expect(model.predictActivity(["GGG"])).rejects.toThrow(/reports: KeyError: 'track'$/);
    await expect(model.predictActivity(["TTT"])).rejects.toThrow(/returned 0 results for 1 inputs/);
    await expect(model.logLikelihood(["ACG"])).rejects.toThrow(/does not implement logLikelihood/);
  });

  test("a GAME server is evaluated over HTTP by its example", async () => {
    const bodies: { readout: string; prediction_ranges: object }[] = [];
    const address = await startServer((request, response) => {
      let text = "";
      request.on("data", (part: Buffer) => {
        text += part.toString();
      });
      request.on("end", () => {
        const body = JSON.parse(text);
        bodies.push(body);
        const predictions = Object.fromEntries(
          Object.entries(body.sequences as Record<string, string>).map(([key, bases], i) => [
            key,
            i === 0 ? [bases.length] : bases.length,
          ]),
        );
        response.end(
          JSON.stringify({ prediction_tasks: [{ predictions, scale_prediction_actual: "linear" }] }),
        );
      });
    });
    const model = await open(`python3 ${join(adapters, "game_server.py")} ${address} K562`);
    const values = [...(await model.predictActivity(["A".repeat(2114), "C".repeat(1000)]))];
    expect(values[0]).toBeCloseTo(Math.log1p(2114), 12);
    expect(values[1]).toBeCloseTo(Math.log1p(1000), 12);
    expect(bodies[0]).toMatchObject({
      readout: "point",
      prediction_ranges: { s0: [557, 1556], s1: [0, 999] },
    });
  });

  test("AlphaGenome's example pads the window and sums its central 1,000 bases", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "adapter.py"), `${ALPHAGENOME}\nexec(open(sys.argv.pop(1)).read())\n`);
    const example = join(adapters, "alphagenome_adapter.py");
    process.env.ALPHAGENOME_API_KEY = "key";
    onTestFinished(() => void delete process.env.ALPHAGENOME_API_KEY);
    const model = await open(`python3 ${join(folder, "adapter.py")} ${example} EFO:1`);
    const window = `${"A".repeat(557)}${"G".repeat(300)}${"A".repeat(700)}${"G".repeat(557)}`;
    expect([...(await model.predictActivity([window]))][0]).toBeCloseTo(Math.log1p(300), 12);
  });

  test("every example has at most twenty lines and is valid Python", () => {
    const files = readdirSync(adapters).map((name) => join(adapters, name));
    expect(files).toHaveLength(6);
    for (const file of files)
      expect(readFileSync(file, "utf8").trimEnd().split("\n").length).toBeLessThan(21);
    execFileSync("python3", [
      "-c",
      "import ast, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]",
      ...files,
    ]);
    const remote = files.filter((file) => readFileSync(file, "utf8").includes("trust_remote_code=True"));
    expect(remote).toEqual([join(adapters, "nucleotide_transformer_v3.py")]);
  });

  test("its version is the product's", () => {
    const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
    expect(readFileSync(join(repository, "python", "pyproject.toml"), "utf8")).toContain(
      `\nversion = "${version}"\ndescription`,
    );
    expect(readFileSync(join(source, "dart_eval_adapter", "__init__.py"), "utf8")).toContain(
      `__version__ = "${version}"`,
    );
  });
});

/** Stand-in for the package alphagenome: two tracks, 0 and 2 for each G, whose mean is 1. */
const ALPHAGENOME = `
import sys, types

class Tracks(list):
    def __getitem__(self, part): return Tracks(list.__getitem__(self, part))
    def mean(self, axis): return Tracks(sum(row) / 2 for row in self)
    def sum(self): return sum(self)

class Client:
    def predict_sequence(self, sequence, requested_outputs, ontology_terms):
        assert (len(sequence), requested_outputs, ontology_terms) == (16384, ["DNASE"], ["EFO:1"])
        values = Tracks([0, 2 * (base == "G")] for base in sequence)
        return types.SimpleNamespace(dnase=types.SimpleNamespace(values=values))

models = types.ModuleType("alphagenome.models")
models.dna_client = types.SimpleNamespace(SEQUENCE_LENGTH_16KB=16384, create=lambda key: Client(), OutputType=types.SimpleNamespace(DNASE="DNASE"))
sys.modules.update({"alphagenome": types.ModuleType("alphagenome"), "alphagenome.models": models})
`;

/** Stand-in for the package evo2, whose logits are the ids of the last axis divided by 100, on the CPU. */
const EVO2 = `
import sys, types, torch

class Evo2:
    def __init__(self, name):
        self.tokenizer = types.SimpleNamespace(tokenize=lambda sequence: [ord(base) for base in sequence])
    def model(self, ids): return (torch.arange(512).expand(*ids.shape, 512) / 100, None)

device = torch.device
torch.device = lambda name: device("cpu" if name == "cuda:0" else name)
sys.modules["evo2"] = types.SimpleNamespace(Evo2=Evo2)
`;

/**
 * Stand-in for a repository of Nucleotide Transformer v3: bases with ids 6 to 9, and inputs of 128 tokens.
 */
const NTV3 = `
import sys, types, torch

class Tokenizer:
    mask_token_id, pad_token_id, unk_token_id, all_special_ids = 2, 1, 0, [0, 1, 2, 3, 4]
    def __call__(self, text, truncation): return {"input_ids": ["ACGT".index(base) + 6 for base in text]}
    def convert_ids_to_tokens(self, ids): return ["ACGT"[i - 6] for i in ids]

class Model(torch.nn.Module):
    def forward(self, ids):
        assert ids.shape[1] == 128, ids.shape
        return types.SimpleNamespace(logits=torch.arange(11).expand(*ids.shape, 11) / 10)

def from_pretrained(what):
    def load(name, revision, trust_remote_code):
        assert (name, revision, trust_remote_code) == ("org/name", "commit", True)
        return what()
    return types.SimpleNamespace(from_pretrained=load)

names = {"AutoModelForMaskedLM": from_pretrained(Model), "AutoTokenizer": from_pretrained(Tokenizer)}
sys.modules["transformers"] = types.SimpleNamespace(**names)
`;

interface Expected {
  readonly sequences: readonly string[];
  readonly pairs: readonly (readonly [string, string])[];
  readonly masked: readonly number[];
  readonly causal: readonly number[];
  readonly alleles: readonly (readonly [number, number])[];
  /** States of the first sequence, flattened. */
  readonly states: readonly number[];
}

describe("a PyTorch model", () => {
  let folder: string;
  let expected: Expected;
  beforeAll(async () => {
    if (!hasTorch) return;
    folder = await mkdtemp(join(tmpdir(), "dart-eval-python-"));
    expected = JSON.parse(execFileSync(python, [tiny, folder], { encoding: "utf8" }));
  });
  afterAll(() => (hasTorch ? rm(folder, { recursive: true, force: true }) : undefined));
  beforeEach(({ skip }) => skip(!hasTorch, "needs $DART_EVAL_TEST_PYTHON with torch and transformers"));

  test("masked: likelihoods, alleles and states are those of transformers", async () => {
    const model = await open(`${python} -m dart_eval_adapter ${join(folder, "masked")} --batch-size 3`);
    expect(model).toMatchObject({
      name: "masked",
      kind: "masked",
      tokens: "one-letter",
      width: 16,
      batchSize: 3,
    });
    expect(model.identity).toMatch(/^adapter masked float32 [0-9a-f]{16}$/);
    const scores = await model.logLikelihood(expected.sequences, corrected);
    expect([...scores]).toEqual(expected.masked.map((value) => expect.closeTo(value, 4)));
    const alleles = await model.compareAlleles(expected.pairs, corrected);
    expect(alleles.map(({ first, second }) => [first, second])).toEqual(
      expected.alleles.map((pair) => pair.map((value) => expect.closeTo(value, 4))),
    );
    const [embedding] = await model.embed([expected.sequences[0]], corrected);
    expect([...embedding.states]).toEqual(expected.states.map((value) => expect.closeTo(value, 4)));
    expect([...embedding.starts]).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 0]);
    await expect(model.logLikelihood(["A".repeat(399)], corrected)).rejects.toThrow(/at most 398/);
    await expect(model.logLikelihood(["ACNT"], corrected)).rejects.toThrow(/but one contains 'N'/);
  });

  test("causal: likelihoods are those of transformers' loss, also in half precision", async () => {
    const command = `${python} ${join(adapters, "causal_lm.py")} ${join(folder, "causal")}`;
    const model = await open(command);
    expect(model).toMatchObject({ kind: "causal", tokens: "bpe", width: 16 });
    const scores = await model.logLikelihood(expected.sequences, corrected);
    expect([...scores]).toEqual(expected.causal.map((value) => expect.closeTo(value, 4)));
    const half = await open(`${command} bfloat16`);
    expect(half.identity).not.toBe(model.identity);
    const rounded = [...(await half.logLikelihood(expected.sequences, corrected))];
    expect(rounded).toEqual(expected.causal.map((value) => expect.closeTo(value, 0)));
    expect(rounded).not.toEqual([...scores]);
  });

  test("a checkpoint has the same scores through transformers and natively", async () => {
    const toy = join(repository, "toys", "mistral-dna");
    const [bridged, native] = [await open(`${python} ${tiny} serve ${toy}`), await openModel(toy)];
    onTestFinished(() => native.close());
    const sequences = ["ACGTTGCATTGACCATGACGATATCGAC", "TTGACA", "GATTACAGATTACA"];
    const scores = [...(await native.logLikelihood(sequences, corrected))];
    expect([...(await bridged.logLikelihood(sequences, corrected))]).toEqual(
      scores.map((value) => expect.closeTo(value, 3)),
    );
  });

  test.each([
    [
      "evo2_adapter.py",
      EVO2,
      "evo2_7b",
      { kind: "causal" },
      { ids: [65, 67, 71, 84], step: 100, size: 512, first: 1 },
    ],
    [
      "nucleotide_transformer_v3.py",
      NTV3,
      "org/name commit",
      { kind: "masked" },
      { ids: [6, 7, 8, 9], step: 10, size: 11, first: 0 },
    ],
  ] as const)("%s scores the bases of a sequence", async (example, standIn, args, facts, expectedOf) => {
    const { ids, step, size, first } = expectedOf;
    const file = join(temporaryFolder(), "adapter.py");
    writeFileSync(file, `${standIn}\nexec(open(sys.argv.pop(1)).read())\n`);
    const model = await open(`${python} ${file} ${join(adapters, example)} ${args}`);
    expect(model).toMatchObject({ ...facts, tokens: "one-letter" });
    const total = Math.log(
      Array.from({ length: size }, (_, id) => Math.exp(id / step)).reduce((a, b) => a + b),
    );
    const [score] = await model.logLikelihood(["GATTACA"], corrected);
    const bases = [..."GATTACA"].slice(first).map((base) => ids["ACGT".indexOf(base)]);
    expect(score).toBeCloseTo(
      bases.reduce((sum, id) => sum + id / step - total, 0),
      4,
    );
  });

  test("overlapping k-mers have the same scores through transformers and natively", async () => {
    const at = join(folder, "overlapping");
    const [bridged, native] = [
      await open(`${python} -m dart_eval_adapter ${at} --batch-size 7`),
      await openModel(at),
    ];
    onTestFinished(() => native.close());
    expect(bridged).toMatchObject({ kind: "masked", tokens: "k-mer", width: 16 });
    const sequences = ["ACGTTGCATTGACCATG", "TTGACA", "GAT", "CA", "", "TTGACG"];
    const likelihoods = [...(await native.logLikelihood(sequences, corrected))];
    expect([...(await bridged.logLikelihood(sequences, corrected))]).toEqual(
      likelihoods.map((value) => expect.closeTo(value, 4)),
    );
    const pairs = [
      ["ACGTTGCA", "ACGATGCT"],
      ["GATTACAA", "GATTACAA"],
      ["CCGAT", "ACGAT"],
    ] as const;
    const alleles = await native.compareAlleles(pairs, corrected);
    expect(await bridged.compareAlleles(pairs, corrected)).toEqual(
      alleles.map(({ first, second }) => ({
        first: expect.closeTo(first, 4),
        second: expect.closeTo(second, 4),
      })),
    );
    const [[own], [theirs]] = [await bridged.embed(sequences), await native.embed(sequences)];
    expect([...own.states]).toEqual([...theirs.states].map((value) => expect.closeTo(value, 4)));
    expect([own.starts, own.ends]).toEqual([theirs.starts, theirs.ends]);
    await expect(bridged.logLikelihood(["A".repeat(101)])).rejects.toThrow(/at most 100/);
  });

  test.each(["masked", "overlapping"])(
    "conforms: %s",
    async (name) => {
      const command = `stdio:${python} ${join(adapters, "masked_lm.py")} ${join(folder, name)}`;
      const { exitCode, printed, said } = await runCommand(["models", "conform", command]);
      expect(printed).not.toContain("FAULT");
      expect(printed.match(/^ {2}ok/gm)!.length).toBeGreaterThan(15);
      expect(said).toBe("");
      expect(exitCode).toBe(0);
    },
    240_000,
  );
});
