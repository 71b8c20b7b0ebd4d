import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { SOURCES } from "../../src/datasets/sources/catalogue.ts";
import { startRepositories, TOKEN } from "../datasets/sources/repositories.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { runCommand } from "./collecting-terminal.ts";

afterEach(() => vi.unstubAllEnvs());

const caqtls = Buffer.from("IsUsed\tin_peaks\tlabel\nTrue\tTrue\tFalse\n");
const peaks = Buffer.from("chr1\t0\t500\n");

async function repositories() {
  const { services, requests } = await startRepositories([
    { id: "syn60756043", name: "Afr.CaQTLS.tsv", contents: caqtls },
    { id: "ENCFF748UZH", name: "ENCFF748UZH.bed.gz", contents: peaks },
  ]);
  vi.stubEnv("SYNAPSE_AUTH_TOKEN", TOKEN);
  vi.stubEnv("DART_EVAL_SYNAPSE_ENDPOINT", services.synapse);
  vi.stubEnv("DART_EVAL_ENCODE_ENDPOINT", services.encode);
  return { requests, data: join(temporaryFolder(), "data") };
}

describe("data", () => {
  test("files are fetched, listed, verified, bundled and unpacked", async () => {
    const { data, requests } = await repositories();
    const fetched = await runCommand([
      "data",
      "fetch",
      "african-caqtls",
      "gm12878-atac-peaks",
      "--data",
      data,
    ]);
    expect([fetched.exitCode, requests.length]).toEqual([0, 6]);
    expect(fetched.said).toContain(
      "fetched: task_3_peak_classification/input_data/GM12878/ENCFF748UZH.bed, 11 B",
    );

    const { printed } = await runCommand(["data", "list", "--data", data, "--json"]);
    const list = JSON.parse(printed) as { files: { name: string; here: boolean }[] };
    expect(list.files.length).toBe(SOURCES.length);
    expect(list.files.filter(({ here }) => here).map(({ name }) => name)).toEqual([
      "gm12878-atac-peaks",
      "african-caqtls",
    ]);
    expect((await runCommand(["data", "list", "--data", data])).printed).toMatch(
      /african-caqtls +5 +38 B +Synapse syn60756043/,
    );

    // One row differs from the published row count, which the command reports.
    const verified = await runCommand(["data", "verify", "--data", data]);
    expect(verified.exitCode).toBe(1);
    expect(verified.printed).toContain(
      "ok    task_5_variant_effect_prediction/input_data/Afr.CaQTLS.tsv: contents",
    );
    expect(verified.printed).toContain("Afr.CaQTLS.tsv: rows 1; expected 219,382");

    const tar = `${data}.tar`;
    expect((await runCommand(["data", "bundle", "--data", data, "--out", tar])).said).toContain(
      "2 files, 49 B",
    );
    const unpacked = await runCommand(["data", "unpack", tar, "--data", `${data}2`]);
    expect([unpacked.exitCode, unpacked.said]).toEqual([0, expect.stringContaining("unpacked 2 files")]);
    const path = "task_5_variant_effect_prediction/input_data/Afr.CaQTLS.tsv";
    expect(readFileSync(join(`${data}2`, path)).equals(caqtls)).toBe(true);
  });

  test("a failed download does not stop the others", async () => {
    const { data } = await repositories();
    vi.stubEnv("SYNAPSE_AUTH_TOKEN", "");
    const { exitCode, said } = await runCommand([
      ...["data", "fetch", "african-caqtls", "gm12878-atac-peaks", "--data", data],
    ]);
    expect(exitCode).toBe(2);
    expect(said).toContain("SYNAPSE_AUTH_TOKEN is not set");
    expect(said).toContain("1 of 2 files could not be fetched");
    expect(existsSync(join(data, "task_3_peak_classification/input_data/GM12878/ENCFF748UZH.bed"))).toBe(
      true,
    );
  });

  test.each([
    [["data", "fetch"], "no file given"],
    [["data", "fetch", "african"], "similar names: african-caqtls"],
    [["data", "fetch", "--task", "6"], "there is no task 6"],
    [["data", "fetch", "atac-reads"], "gives no accessions"],
    [["data", "bundle", "--data", "nowhere", "--out", "x.tar"], "no such file or folder"],
  ])("%j is refused with what to do, and creates no folder", async (words, message) => {
    const folder = join(temporaryFolder(), "data");
    vi.stubEnv("DART_WORK_DIR", folder);
    const { exitCode, said } = await runCommand(words);
    expect([exitCode, said]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(folder)).toBe(false);
  });
});
