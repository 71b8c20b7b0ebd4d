import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { llama } from "../../src/models/language/llama.ts";
import { openModel } from "../../src/models/open-model.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { COMMIT, type FakeHub, startHub } from "./hub-server.ts";

let cache = "";
beforeEach(() => {
  cache = temporaryFolder();
  for (const name of ["HUGGINGFACE_HUB_CACHE", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"]) {
    vi.stubEnv(name, "");
  }
  vi.stubEnv("HF_TOKEN", "hf_secret");
  vi.stubEnv("HF_HOME", join(cache, "home"));
  vi.stubEnv("HF_HUB_CACHE", cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** A hub with a checkpoint of an architecture, under a name that no catalogue has. */
async function start(license?: string, { seed = 2, commit = COMMIT } = {}): Promise<FakeHub> {
  const folder = temporaryFolder();
  await initCheckpoint(llama, { preset: "toy", seed, folder });
  if (license !== undefined) writeFileSync(join(folder, "README.md"), `---\nlicense: ${license}\n---\n`);
  const files = Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]),
  );
  const repo = { name: "Some-Lab/dna-model", files, large: ["model.safetensors"], commit };
  const hub = await startHub(license === undefined ? repo : { ...repo, license });
  vi.stubEnv("HF_ENDPOINT", hub.endpoint);
  return hub;
}

async function open(spec: string, download = {}) {
  const model = await openModel(spec, { device: "cpu", threads: 1, download });
  onTestFinished(() => model.close());
  return model;
}

const problem = async (promise: Promise<unknown>) => {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).describe();
};

test("a repository is downloaded once, recorded with its commit, and used offline", async () => {
  const hub = await start("apache-2.0");
  const licences: unknown[] = [];
  const model = await open("hf:Some-Lab/dna-model", {
    onLicence: (...given: unknown[]) => licences.push(given),
  });
  expect([model.name, model.family, model.checkpoint]).toEqual([
    "dna-model",
    "llama",
    `Some-Lab/dna-model@${COMMIT}`,
  ]);
  expect(licences).toEqual([["Some-Lab/dna-model", "apache-2.0"]]);
  const [score] = await model.logLikelihood(["ACGTTGCA"]);
  // the token goes to the hub and not to the storage that it redirects to
  const storage = hub.requests.filter((request) => request.includes("storage/"));
  expect(storage.length).toBeGreaterThan(0);
  expect(storage.filter((request) => request.includes("hf_secret"))).toEqual([]);
  expect(hub.requests.filter((request) => request.includes("hf_secret")).length).toBe(
    hub.requests.length - storage.length,
  );

  const before = hub.requests.length;
  const onLicence = (...given: unknown[]) => licences.push(given);
  const pinned = await open(`mine=hf:Some-Lab/dna-model@${COMMIT}`, { onLicence });
  expect([pinned.name, pinned.checkpoint]).toEqual(["mine", `Some-Lab/dna-model@${COMMIT}`]);
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  const offline = await open("hf:Some-Lab/dna-model@main", { onLicence });
  expect(licences).toEqual(Array(3).fill(["Some-Lab/dna-model", "apache-2.0"]));
  expect(offline.checkpoint).toBe(`Some-Lab/dna-model@${COMMIT}`);
  expect((await offline.logLikelihood(["ACGTTGCA"]))[Symbol.iterator]().next().value).toBe(score);
  expect(hub.requests.length).toBe(before);
});

test("a moved branch is downloaded; the former commit stays and opens without a request", async () => {
  const scoreOf = async (spec: string) => {
    const model = await open(spec);
    const [score] = await model.logLikelihood(["ACGTTGCA"]);
    return { checkpoint: model.checkpoint, identity: model.identity, score };
  };
  await start();
  const before = await scoreOf("hf:Some-Lab/dna-model");
  const moved = COMMIT.replaceAll("1", "0");
  const hub = await start(undefined, { seed: 3, commit: moved });
  const after = await scoreOf("hf:Some-Lab/dna-model");
  expect(after.checkpoint).toBe(`Some-Lab/dna-model@${moved}`);
  expect(after.identity).not.toBe(before.identity);
  expect(after.score).not.toBe(before.score);
  const requests = hub.requests.length;
  expect(await scoreOf(`hf:Some-Lab/dna-model@${COMMIT}`)).toEqual(before);
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  expect(await scoreOf("hf:Some-Lab/dna-model")).toEqual(after);
  expect(hub.requests.length).toBe(requests);
  expect(await problem(open("hf:Some-Lab/dna-model@v2"))).toMatch(/at v2 is not in the hub cache/);
});

test("a repository without a licence, and with one that is not a name, is reported as such", async () => {
  const licences: unknown[] = [];
  await start();
  await open("hf:Some-Lab/dna-model", { onLicence: (_: string, licence: unknown) => licences.push(licence) });
  cache = temporaryFolder();
  vi.stubEnv("HF_HUB_CACHE", cache);
  await start("\u001b[31mred");
  await open("hf:Some-Lab/dna-model", { onLicence: (_: string, licence: unknown) => licences.push(licence) });
  expect(licences).toEqual([undefined, undefined]);
});

test.each([
  ["hf:", /"hf:" is not a hub repository.*\n.*hf:ORGANISATION\/NAME/],
  ["hf:a/b@", /is not a hub repository/],
  ["hf:../x", /is not the name of a hub repository/],
  ["hf:a/b@../c", /is not a revision of a\/b/],
  ["hf:Some-Lab/other", /has no Some-Lab\/other at this revision/],
])("%s is an error", async (spec, message) => {
  await start();
  expect(await problem(open(spec))).toMatch(message);
});

test("offline, a repository that is not in the cache is an error", async () => {
  const hub = await start();
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  expect(await problem(open("hf:Some-Lab/dna-model"))).toMatch(
    /Some-Lab\/dna-model at main is not in the hub cache, and HF_HUB_OFFLINE is set/,
  );
  expect(hub.requests).toEqual([]);
});

test("a repository that is known to need Python is refused before its download, with the adapter", async () => {
  expect(await problem(openModel("hf:RaphaelMourad/Jamba-DNA-v1-114M-hg38"))).toContain(
    'use --model "stdio:python3 -m dart_eval_adapter RaphaelMourad/Jamba-DNA-v1-114M-hg38", see docs/adapters.md',
  );
  expect(await problem(openModel("hf:arcinstitute/evo2_7b@main"))).toContain(
    "examples/adapters/evo2_adapter.py",
  );
  expect(await problem(openModel("hf:kuleshov-group/PlantCAD2-Small-l24-d0768"))).toContain(
    "an adapter that runs the repository's own code",
  );
});
