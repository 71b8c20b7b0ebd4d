import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { InputError } from "../../../src/base/errors.ts";
import { readDataRecord } from "../../../src/datasets/sources/data-record.ts";
import { fetchSource } from "../../../src/datasets/sources/fetch-source.ts";
import type { Services } from "../../../src/datasets/sources/services.ts";
import type { Source, SourceAddress } from "../../../src/datasets/sources/source.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { startRepositories } from "./repositories.ts";

const bed = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `chr1\t${i}\t${i + 350}\n`).join(""));
const files = [
  { id: "syn11", name: "a.tsv", contents: Buffer.from("a\n") },
  { id: "syn12", name: "b.tsv", contents: Buffer.from("b\n") },
  { id: "syn13", name: "elements.bed", contents: bed },
];
const inEncode = [{ id: "ENCFF001AAA", name: "ENCFF001AAA.bed.gz", contents: bed }];
const byId: SourceAddress = { kind: "synapse", id: "syn13" };
const byName: SourceAddress = { kind: "synapse", id: "syn1", name: "elements.bed" };
const byAccession: SourceAddress = { kind: "encode", accession: "ENCFF001AAA" };

function source(...addresses: SourceAddress[]): Source {
  return {
    name: "elements",
    tasks: [1],
    what: "elements",
    path: "task_1_ccre/input_data/elements.bed",
    addresses,
    licence: "none",
  };
}

function target(services: Services) {
  const folder = temporaryFolder();
  const notes: string[] = [];
  const options = { folder, services, onNote: (text: string) => void notes.push(text) };
  return { folder, notes, options, path: join(folder, source().path) };
}

async function refusal(promise: Promise<unknown>): Promise<InputError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(InputError);
  return error as InputError;
}

describe("Synapse", () => {
  test("downloads a file by id and does not send the token to the storage", async () => {
    const { services, requests, leaked } = await startRepositories(files);
    const { folder, options, path } = target(services);
    const { file, fetched } = await fetchSource(source(byId), options);
    expect(readFileSync(path).equals(bed)).toBe(true);
    expect(requests).toEqual([
      "POST synapse /repo/v1/entity/syn13/bundle2",
      "POST synapse /file/v1/fileHandle/batch",
      "GET storage /handle/913",
    ]);
    expect([fetched, file.bytes, file.sha256, file.from]).toEqual([
      true,
      bed.length,
      sha256Hex(bed),
      "Synapse syn13",
    ]);
    expect(leaked).toEqual([]);
    expect(await readDataRecord(folder)).toEqual([file]);
    expect(readFileSync(join(folder, "dart-eval-data.json"), "utf8")).not.toContain("signature");
    expect(readdirSync(dirname(path))).toEqual(["elements.bed"]);
  });

  test("finds a file by name in nested folders and on later pages", async () => {
    const { services, requests } = await startRepositories(files);
    const { options, path } = target(services);
    await fetchSource(source(byName), options);
    expect(readFileSync(path).equals(bed)).toBe(true);
    expect(requests.filter((line) => line.endsWith("/children")).length).toBe(3);
  });

  test("resumes a broken download with a new signed address", async () => {
    const { services, requests, ranges } = await startRepositories(files, { cutAfter: 150_000 });
    const { options, path } = target(services);
    await fetchSource(source(byId), options);
    expect(readFileSync(path).equals(bed)).toBe(true);
    const pieces = Math.ceil(bed.length / 150_000);
    expect(pieces).toBeGreaterThan(2);
    expect(requests.filter((line) => line.endsWith("/batch")).length).toBe(pieces);
    expect(ranges).toEqual(
      Array.from({ length: pieces }, (_, i) => (i === 0 ? undefined : `bytes=${150_000 * i}-`)),
    );
  });

  test("sends no request without a token", async () => {
    const { services, requests } = await startRepositories(files);
    const { options } = target({ ...services, synapseToken: undefined });
    const error = await refusal(fetchSource(source(byId), options));
    expect(error.describe()).toMatch(/SYNAPSE_AUTH_TOKEN is not set\n.*PersonalAccessTokens/);
    expect(requests).toEqual([]);
  });

  test("rejects a token that is invalid in a header", async () => {
    const { services, requests } = await startRepositories(files);
    const { options } = target({ ...services, synapseToken: "two\nlines" });
    expect((await refusal(fetchSource(source(byId), options))).message).toContain(
      "characters that are invalid in a token",
    );
    expect(requests).toEqual([]);
  });

  test.each([
    [
      "a wrong token",
      { token: "wrong" },
      /does not accept the token in SYNAPSE_AUTH_TOKEN \(401\)\n.*create a personal/,
    ],
    ["no right to look", { synapseSays: 403 }, /may not download syn13 \(403\)\n.*terms at/],
    ["no right to download", { hideHandles: true }, /may not download syn13 \(403\)\n.*terms at/],
    ["no such file", { synapseSays: 404 }, /^Synapse has no syn13 \(404\)$/],
  ])("%s: one message, no file written", async (_, options, message) => {
    const { services, requests } = await startRepositories(files, options);
    const { folder, options: to, path } = target(services);
    const error = await refusal(fetchSource(source(byId), to));
    expect(error.describe()).toMatch(message);
    expect(error.describe()).not.toContain(services.synapseToken);
    expect([existsSync(path), existsSync(join(folder, "dart-eval-data.json"))]).toEqual([false, false]);
    expect(requests.length).toBe(1);
  });

  test("retries a busy server after the stated time", async () => {
    const { services, requests } = await startRepositories(files, {
      first: [{ status: 429, headers: { "retry-after": "1" } }, { status: 503 }],
    });
    const { options } = target(services);
    const before = Date.now();
    await fetchSource(source(byId), options);
    expect(Date.now() - before).toBeGreaterThanOrEqual(990);
    expect(requests.filter((line) => line.endsWith("/bundle2")).length).toBe(3);
  });

  test.each([
    ["size", { bytes: 12 }, "bytes; expected 12"],
    ["digest", { md5: "0".repeat(32) }, `expected ${"0".repeat(32)}`],
  ])("rejects a file whose %s differs from Synapse's", async (_, says, message) => {
    const { services } = await startRepositories([{ ...files[2], says }]);
    const { options, path } = target(services);
    expect((await refusal(fetchSource(source(byId), options))).message).toContain(message);
    expect(existsSync(path)).toBe(false);
  });
});

describe("ENCODE", () => {
  test("verifies size and MD5, follows the redirect and unpacks the file", async () => {
    const { services, requests, leaked } = await startRepositories(inEncode);
    const { options, path } = target(services);
    await fetchSource(source(byAccession), options);
    expect(readFileSync(path).equals(bed)).toBe(true);
    expect(requests).toEqual([
      "GET encode /files/ENCFF001AAA/?format=json",
      "GET encode /files/ENCFF001AAA/@@download/ENCFF001AAA.bed.gz",
      "GET storage /gzip/ENCFF001AAA",
    ]);
    expect(leaked).toEqual([]);
    expect(readdirSync(dirname(path))).toEqual(["elements.bed"]);
  });

  test("tries the next address for a missing file, with a note", async () => {
    const { services } = await startRepositories(files);
    const { options, notes, path } = target(services);
    const { file } = await fetchSource(source(byAccession, byId), options);
    expect(readFileSync(path).equals(bed)).toBe(true);
    expect([file.from, notes.join("\n")]).toEqual([
      "Synapse syn13",
      expect.stringMatching(/ENCODE ENCFF001AAA: .* has no file ENCFF001AAA \(404\); trying another/),
    ]);
  });

  test("reports the reason of every failed address", async () => {
    const { services } = await startRepositories([]);
    const { options } = target({ ...services, synapseToken: undefined });
    const error = await refusal(fetchSource(source(byAccession, byId), options));
    expect(error.describe()).toMatch(/- ENCODE ENCFF001AAA: .*404.*\n- Synapse syn13: .*is not set/s);
  });

  test("rejects an unpacked file that differs from the published digest", async () => {
    const { services } = await startRepositories(inEncode);
    const { options, path } = target(services);
    const expected = { bytes: bed.length, sha256: "1".repeat(64) };
    const error = await refusal(fetchSource({ ...source(byAccession), expected }, options));
    expect(error.message).toContain(`the SHA-256 ${sha256Hex(bed)}; expected ${bed.length} and 111`);
    expect(existsSync(path)).toBe(false);
  });
});

describe("an existing file", () => {
  test("is not downloaded again, and is rejected after a change", async () => {
    const { services, requests } = await startRepositories(inEncode);
    const { options, path } = target(services);
    await fetchSource(source(byAccession), options);
    const before = requests.length;
    expect((await fetchSource(source(byAccession), options)).fetched).toBe(false);
    expect(requests.length).toBe(before);
    writeFileSync(path, "chr1\t0\t1\n");
    const error = await refusal(fetchSource(source(byAccession), options));
    expect(error.describe()).toMatch(/expected \d+\n.*fetch it again: dart-eval data fetch elements/);
  });

  test("without a record stays, gets a record and a note", async () => {
    const { services, requests } = await startRepositories([]);
    const { folder, options, notes, path } = target(services);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bed);
    await fetchSource(source(byId), options);
    expect([requests, (await readDataRecord(folder))[0]?.from]).toEqual([[], "found in the folder"]);
    expect(notes[0]).toContain("no digest is published");
  });

  test("is downloaded once by two concurrent calls", async () => {
    const { services, requests } = await startRepositories(inEncode);
    const { options } = target(services);
    const both = await Promise.all([1, 2].map(() => fetchSource(source(byAccession), options)));
    expect(both.map(({ fetched }) => fetched).sort()).toEqual([false, true]);
    expect(requests.length).toBe(3);
  });
});
