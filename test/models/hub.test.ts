import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { getHFHubCachePath, getRepoFolderName } from "@huggingface/hub";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sha256Hex } from "../../src/base/digest.ts";
import { InputError } from "../../src/base/errors.ts";
import { fetchFromHub, type HubProgress } from "../../src/models/checkpoints/hub.ts";
import { findInHubCache, hubCacheFolder } from "../../src/models/checkpoints/hub-cache.ts";
import { openCheckpoint } from "../../src/net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../src/net/arrays/safetensors.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { COMMIT, type FakeRepo, gitBlobId, startHub, tree } from "./hub-server.ts";

const text = (value: string) => new TextEncoder().encode(value);
const weights = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7) % 256);
const repo: FakeRepo = {
  name: "LongSafari/hyenadna-tiny",
  files: {
    "config.json": text('{"d_model": 128}'),
    "README.md": text("# a model"),
    "modeling.py": text("import os"),
    "vocab.txt": text("A\nC\n"),
    "model.safetensors": weights,
    "pytorch_model.bin": text("older"),
    "onnx/a file #1.json": text("{}"),
  },
  large: ["model.safetensors", "pytorch_model.bin"],
};
const checkpoint = ["README.md", "config.json", "vocab.txt", "model.safetensors"];
const retries = { attempts: 3, initialDelayMs: 1 };

let cache = "";
beforeEach(() => {
  cache = temporaryFolder();
  for (const name of [
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HF_TOKEN_PATH",
  ]) {
    vi.stubEnv(name, "");
  }
  vi.stubEnv("HF_HUB_OFFLINE", "");
  vi.stubEnv("HF_HOME", join(cache, "home"));
  vi.stubEnv("HF_HUB_CACHE", cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function start(changed: Partial<FakeRepo> = {}) {
  const hub = await startHub({ ...repo, ...changed });
  vi.stubEnv("HF_ENDPOINT", `${hub.endpoint}/`);
  return hub;
}

const fetchTiny = (more = {}) => fetchFromHub({ repo: repo.name, revision: COMMIT, retries, ...more });

async function problem(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).describe();
}

describe("a download", () => {
  test("stores weights, configuration and vocabulary in the layout of the shared cache, without code", async () => {
    await start();
    const { folder, revision } = await fetchTiny({ revision: "main" });
    const home = join(cache, "models--LongSafari--hyenadna-tiny");
    expect([folder, revision]).toEqual([join(home, "snapshots", COMMIT), COMMIT]);
    expect(readdirSync(folder).sort()).toEqual([...checkpoint].sort());
    expect(readFileSync(join(folder, "model.safetensors")).equals(weights)).toBe(true);
    expect(readlinkSync(join(folder, "model.safetensors"))).toBe(
      join("..", "..", "blobs", sha256Hex(weights)),
    );
    expect(readdirSync(join(home, "blobs")).sort()).toEqual(
      [
        sha256Hex(weights),
        ...["README.md", "config.json", "vocab.txt"].map((name) => gitBlobId(repo.files[name])),
      ].sort(),
    );
    expect(readFileSync(join(home, "refs", "main"), "utf8")).toBe(COMMIT);
  });

  test("fetches only the named files, also those in folders", async () => {
    const hub = await start();
    const { folder } = await fetchTiny({ files: ["onnx/a file #1.json"] });
    expect(readdirSync(folder)).toEqual(["onnx"]);
    expect(readFileSync(join(folder, "onnx", "a file #1.json"), "utf8")).toBe("{}");
    expect(hub.requests.at(-1)).toBe(`GET /${repo.name}/resolve/${COMMIT}/onnx/a%20file%20%231.json`);
  });

  test("reports bytes of all files together", async () => {
    await start();
    const seen: HubProgress[] = [];
    await fetchTiny({ onProgress: (progress: HubProgress) => seen.push(progress) });
    const total = checkpoint.reduce((sum, name) => sum + repo.files[name].length, 0);
    expect(seen.at(-1)).toEqual({ file: "model.safetensors", done: total, total });
    expect(seen.every(({ done }, i) => i === 0 || done >= seen[i - 1].done)).toBe(true);
  });

  test("a repeated fetch downloads nothing, and sends no request for named files", async () => {
    const hub = await start();
    await fetchTiny();
    const before = hub.requests.length;
    await fetchTiny();
    expect(hub.requests.slice(before)).toEqual([`GET /api/models/${repo.name}/tree/${COMMIT}`]);
    await fetchTiny({ files: checkpoint, sha256: { "model.safetensors": sha256Hex(weights) } });
    expect(hub.requests.length).toBe(before + 1);
  });

  test("restores a damaged or unlinked file", async () => {
    await start();
    const { folder } = await fetchTiny();
    writeFileSync(join(folder, "model.safetensors"), weights.with(0, 99));
    rmSync(join(folder, "config.json"));
    await fetchTiny();
    expect(readFileSync(join(folder, "model.safetensors")).equals(weights)).toBe(true);
    expect(lstatSync(join(folder, "config.json")).isSymbolicLink()).toBe(true);
  });

  test("fetches the index and all shards, not the other format", async () => {
    const files = Object.fromEntries(
      [
        "config.json",
        "model.safetensors.index.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "pytorch_model.bin.index.json",
        "pytorch_model-00001-of-00001.bin",
        "model.fp16.safetensors",
      ].map((name) => [name, text(name)]),
    );
    await start({ files, large: [] });
    const fetched = await fetchTiny();
    expect(readdirSync(fetched.folder).sort()).toEqual(Object.keys(files).slice(0, 4).sort());
  });

  test("is opened as a checkpoint through the links", async () => {
    const path = join(temporaryFolder(), "model.safetensors");
    const data = Float32Array.of(1, 2, 3);
    await writeSafetensors(path, [{ name: "w", dtype: "float32", shape: [3], data }]);
    await start({ files: { ...repo.files, "model.safetensors": readFileSync(path) } });
    const { folder } = await fetchTiny();
    await using opened = await openCheckpoint(folder);
    expect((await opened.read("w")).data).toEqual(data);
    expect(opened.files[0]).toMatch(/blobs.[0-9a-f]{64}$/);
  });
});

describe("an unreliable connection", () => {
  test("resumes with a new redirect and sends the token to the hub only", async () => {
    vi.stubEnv("HF_TOKEN", "hf_secret");
    const hub = await start();
    let cuts = 0;
    hub.intercept = ({ url, headers: { range } }, response) => {
      if (url !== "/model.safetensors" || cuts >= 2) return false;
      cuts++;
      const start = Number(/\d+/.exec(range ?? "0")![0]);
      const whole = weights.subarray(start);
      response.setHeader("content-length", whole.length);
      if (start > 0)
        response.setHeader("content-range", `bytes ${start}-${weights.length - 1}/${weights.length}`);
      response.writeHead(start > 0 ? 206 : 200);
      response.write(whole.subarray(0, 50_000), () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    const { folder } = await fetchTiny();
    expect(readFileSync(join(folder, "model.safetensors")).equals(weights)).toBe(true);
    const resolve = `GET /${repo.name}/resolve/${COMMIT}/model.safetensors`;
    expect(hub.requests.slice(-6)).toEqual([
      `${resolve} Bearer hf_secret`,
      "GET storage/model.safetensors",
      `${resolve} bytes=50000- Bearer hf_secret`,
      "GET storage/model.safetensors bytes=50000-",
      `${resolve} bytes=100000- Bearer hf_secret`,
      "GET storage/model.safetensors bytes=100000-",
    ]);
  });

  test("retries a busy hub", async () => {
    const hub = await start();
    const asked = new Set<string | undefined>();
    hub.intercept = ({ url }, response) => {
      if (asked.has(url)) return false;
      asked.add(url);
      response.writeHead(429, { "retry-after": "0" }).end();
      return true;
    };
    expect(readdirSync((await fetchTiny()).folder).sort()).toEqual([...checkpoint].sort());
  });

  test("fails with advice if the hub stays busy", async () => {
    const hub = await start();
    hub.intercept = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    expect(await problem(fetchTiny())).toMatch(
      /responded with status 503 for LongSafari\/hyenadna-tiny\n {2}try again later/,
    );
  });

  test("names a missing network and the alternatives", async () => {
    vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
    expect(await problem(fetchTiny())).toMatch(
      /127.0.0.1:9 cannot be reached: .*\n {2}check the network connection/,
    );
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await problem(fetchTiny())).toMatch(/HF_HUB_OFFLINE is set/);
  });
});

describe("unexpected contents are errors", () => {
  test("wrong bytes from the storage", async () => {
    const hub = await start();
    hub.intercept = ({ url }, response) => {
      if (url !== "/model.safetensors") return false;
      response.end(weights.with(3, 0));
      return true;
    };
    expect(await problem(fetchTiny())).toMatch(/has the SHA-256 [0-9a-f]{64}; expected [0-9a-f]{64}/);
    expect(existsSync(join(cache, "models--LongSafari--hyenadna-tiny", "blobs", sha256Hex(weights)))).toBe(
      false,
    );
    expect(await findInHubCache({ repo: repo.name, revision: COMMIT })).toBeUndefined();
  });

  test("wrong bytes of a small file", async () => {
    const hub = await start();
    hub.intercept = ({ url }, response) => {
      if (!url!.endsWith("/config.json")) return false;
      response.end('{"d_model": 129}');
      return true;
    };
    expect(await problem(fetchTiny())).toMatch(/has the Git object id [0-9a-f]{40}; expected [0-9a-f]{40}/);
  });

  test("another digest than expected, before any download", async () => {
    const hub = await start();
    const sha256 = { "model.safetensors": "0".repeat(64) };
    expect(await problem(fetchTiny({ sha256 }))).toMatch(/expected 0{64}\n.*Nothing was downloaded/);
    expect(hub.requests.length).toBe(1);
    expect(await problem(fetchTiny({ sha256: { "config.json": "0".repeat(64) } }))).toMatch(/expected 0{64}/);
  });

  test.each([
    ["a name that climbs", { path: "../../.bashrc" }, /unusable entry "..\/..\/.bashrc": a path that leaves/],
    ["an absolute name", { path: "/etc/passwd" }, /a path that leaves the folder/],
    ["a Windows name", { path: "C:\\a.json" }, /a path that leaves the folder/],
    ["a digest that is a path", { oid: "../../../x" }, /unusable entry "config.json"/],
    ["an odd size", { size: -1 }, /unusable entry "config.json"/],
  ])("a list of files with %s", async (_, wrong, message) => {
    const hub = await start();
    hub.intercept = ({ url }, response) => {
      if (!url!.includes("/tree/")) return false;
      const [folder, first, ...rest] = tree(repo);
      response.end(JSON.stringify([folder, { ...(first as object), ...wrong }, ...rest]));
      return true;
    };
    expect(await problem(fetchTiny())).toMatch(message);
  });

  test("a next page on another host, which would receive the token", async () => {
    const hub = await start();
    hub.intercept = ({ url }, response) => {
      if (!url!.includes("/tree/")) return false;
      response.setHeader("link", '<http://elsewhere.invalid/tree>; rel="next"');
      response.end(JSON.stringify(tree(repo)));
      return true;
    };
    expect(await problem(fetchTiny())).toMatch(/refers to http:\/\/elsewhere.invalid\/tree/);
  });

  test.each([
    ["a missing file", { files: ["model.gguf"] }, /has no file "model.gguf".*\n {2}it has config.json/],
    ["a branch that is not there", { revision: "dev" }, /at this revision \(404\)/],
    ["a missing repository", { repo: "LongSafari/none" }, /no LongSafari\/none at this revision \(404\)/],
    ["a repository that climbs", { repo: "../x" }, /"..\/x" is not the name of a hub repository/],
    [
      "an address",
      { repo: "https://huggingface.co/a/b" },
      /is not the name of a hub repository\n {2}write it as/,
    ],
    ["a revision that climbs", { revision: "../../x" }, /is not a revision/],
  ])("%s", async (_, request, message) => {
    await start();
    expect(await problem(fetchTiny(request))).toMatch(message);
  });

  test("a repository without weights", async () => {
    await start({ files: { "config.json": text("{}"), "tf_model.h5": text("") }, large: [] });
    expect(await problem(fetchTiny())).toMatch(
      /neither model.safetensors nor pytorch_model.bin\n.*config.json, tf_model.h5/,
    );
  });

  test("a repository behind a login, without and with a token", async () => {
    const hub = await start();
    hub.intercept = (_, response) => {
      response.writeHead(401, { "x-error-code": "GatedRepo" }).end();
      return true;
    };
    expect(await problem(fetchTiny())).toMatch(/has no public repository .* \(401\)\n {2}set HF_TOKEN/);
    mkdirSync(join(cache, "home"));
    writeFileSync(join(cache, "home", "token"), "hf_from_login\n");
    expect(await problem(fetchTiny())).toMatch(/is the token correct/);
    expect(hub.requests.at(-1)).toMatch(/Bearer hf_from_login$/);
    vi.stubEnv("HF_TOKEN", "secret");
    expect(await problem(fetchTiny())).toMatch(/^the token in HF_TOKEN does not begin with hf_\n/);
  });
});

describe("the cache", () => {
  test.each([
    [{}, join(homedir(), ".cache/huggingface/hub")],
    [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
    [{ XDG_CACHE_HOME: "/x", HF_HOME: "/h" }, "/h/hub"],
    [{ HF_HOME: "/h", HUGGINGFACE_HUB_CACHE: "/old" }, "/old"],
    [{ HF_HUB_CACHE: "/c", HUGGINGFACE_HUB_CACHE: "/old" }, "/c"],
  ])("has the folder of the hub's library: %j", (environment, folder) => {
    for (const name of ["XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"])
      vi.stubEnv(name, undefined);
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    expect(hubCacheFolder()).toBe(folder);
    expect(getHFHubCachePath()).toBe(folder);
  });

  test("names a repository's folder as the hub's library does", async () => {
    await start();
    const { folder } = await fetchTiny();
    const name = getRepoFolderName({ type: "model", name: repo.name });
    expect(folder).toBe(join(cache, name, "snapshots", COMMIT));
  });

  test("finds downloaded snapshots by commit or branch, without a network", async () => {
    await start();
    expect(await findInHubCache({ repo: repo.name })).toBeUndefined();
    const { folder } = await fetchTiny({ revision: "main" });
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await findInHubCache({ repo: repo.name })).toBe(folder);
    expect(await findInHubCache({ repo: repo.name, revision: COMMIT })).toBe(folder);
    expect(await findInHubCache({ repo: repo.name, revision: "dev" })).toBeUndefined();
    expect(await findInHubCache({ repo: repo.name, revision: "0".repeat(40) })).toBeUndefined();
    expect(await findInHubCache({ repo: repo.name, cache: join(cache, "other") })).toBeUndefined();
  });

  test("does not find a snapshot with missing weights", async () => {
    await start();
    const { folder } = await fetchTiny({ files: ["config.json"] });
    expect(await findInHubCache({ repo: repo.name, revision: COMMIT })).toBeUndefined();
    await fetchTiny();
    expect(await findInHubCache({ repo: repo.name, revision: COMMIT })).toBe(folder);
    rmSync(join(folder, "..", "..", "blobs", sha256Hex(weights)));
    expect(await findInHubCache({ repo: repo.name, revision: COMMIT })).toBeUndefined();
  });

  test("does not find sharded weights before the last shard is complete", async () => {
    const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    const index = { weight_map: { a: shards[0], b: shards[1] } };
    const files = {
      "config.json": text("{}"),
      "model.safetensors.index.json": text(JSON.stringify(index)),
      [shards[0]]: text("first"),
      [shards[1]]: text("the second"),
      "training_args.bin": text("settings of the training"),
    };
    await start({ files, large: [...shards] });
    const source = { repo: repo.name, revision: COMMIT };
    const names = Object.keys(files);
    await fetchTiny({ files: ["config.json", "training_args.bin"] });
    expect(await findInHubCache(source)).toBeUndefined();
    for (const name of names) {
      expect(await findInHubCache(source)).toBeUndefined();
      await fetchTiny({ files: [name] });
      if (name === shards[1]) break;
    }
    expect(await findInHubCache(source)).toMatch(new RegExp(`${COMMIT}$`));
  });
});
