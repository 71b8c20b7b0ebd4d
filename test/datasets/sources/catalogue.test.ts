import { describe, expect, test } from "vitest";
import { isInsidePath } from "../../../src/base/folder.ts";
import { SOURCES, sourceNamed } from "../../../src/datasets/sources/catalogue.ts";
import { addressText } from "../../../src/datasets/sources/locate.ts";
import { CITED_SOURCES } from "../../../src/datasets/sources/source.ts";
import { EXPECTED_COUNTS } from "../../../src/datasets/sources/verify.ts";

test("names and paths are unique", () => {
  for (const of of ["name", "path"] as const) {
    const all = SOURCES.map((source) => source[of]);
    expect(new Set(all).size).toBe(all.length);
  }
});

describe.each(SOURCES)("$name", (source) => {
  test("has a path inside the folder, tasks, a licence, and an address or a reason for none", () => {
    expect(source.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(isInsidePath(source.path)).toBe(true);
    expect(source.tasks.length).toBeGreaterThan(0);
    for (const task of source.tasks) expect([1, 2, 3, 4, 5]).toContain(task);
    expect(source.licence).not.toBe("");
    expect(source.addresses.length === 0).toBe(source.notFetched !== undefined);
    for (const address of source.addresses) {
      if (address.kind === "web") expect(new URL(address.url).protocol).toBe("https:");
      if (address.kind === "synapse") expect(address.id).toMatch(/^syn\d{8}$/);
      if (address.kind === "encode") expect(address.accession).toMatch(/^ENCFF\d{3}[A-Z]{3}$/);
    }
  });
});

test("includes every address of the benchmark's data sources", () => {
  const text = [
    ...SOURCES.flatMap(({ addresses }) => addresses.map(addressText)),
    ...CITED_SOURCES.map(({ address }) => address),
  ].join("\n");
  const ids = [
    ...[
      "syn59522070",
      "syn60581044",
      "syn60581046",
      "syn62153306",
      "syn60581043",
      "syn60756095",
      "syn60581042",
    ],
    ...[
      "syn60581166",
      "syn61788656",
      "syn60581041",
      "syn60581050",
      "syn60581045",
      "syn60756043",
      "syn60756039",
    ],
    ...[
      "syn62161401",
      "syn64314104",
      "ENCFF420VPZ",
      "ENCFF748UZH",
      "ENCFF439EIO",
      "ENCFF243NTP",
      "ENCFF333TAT",
    ],
    ...["ENCSR000EMT", "ENCSR637XSC", "ENCSR095QNB", "10.1101/2023.11.04.564839", "10.1038/nature10808"],
    ...["kundajelab/deeplift", "kundajelab/chrombpnet", "tfhub.dev/deepmind/enformer/1"],
  ];
  for (const id of ids) expect(text).toContain(id);
});

test("includes the published row counts", () => {
  const rows = Object.fromEntries(SOURCES.map(({ name, expectedRows }) => [name, expectedRows?.rows]));
  expect(rows).toMatchObject({
    ccres: 2_348_854,
    motifs: 1443,
    "footprint-backgrounds": 100,
    "footprint-sequences": 100 * (2 + 4 * 1443),
    "cell-type-peaks": 216_746,
    "clustering-peaks": 25_000,
    "african-caqtls": 219_382,
  });
  const peaks = EXPECTED_COUNTS.filter(({ what }) => what.startsWith("peaks of"));
  expect(peaks.reduce((sum, { rows }) => sum + rows, 0)).toBe(rows["cell-type-peaks"]);
});

test("an unknown name gives an error with similar names", () => {
  expect(() => sourceNamed("african-variants")).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("african-caqtls") }),
  );
});
