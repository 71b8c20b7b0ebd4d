import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/base/errors.ts";
import { openFile } from "../../src/base/read-file.ts";
import { dataOffset, entryContents, readZipDirectory } from "../../src/base/zip.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type EntryToMake, numbers, text, zipBytes } from "./zip-bytes.ts";

async function contents(bytes: Uint8Array): Promise<Record<string, string>> {
  const path = join(temporaryFolder(), "a.zip");
  writeFileSync(path, bytes);
  await using file = await openFile(path);
  const found: Record<string, string> = {};
  for (const entry of (await readZipDirectory(file)).values()) {
    found[entry.name] = new TextDecoder().decode(await file.read(await dataOffset(file, entry), entry.size));
  }
  return found;
}

const two = [
  { name: "a/one", data: text("first") },
  { name: "a/two", data: text("second") },
];

test.each([
  ["plain", zipBytes(two)],
  ["zip64", zipBytes(two, { zip64: true })],
  ["with a comment", zipBytes(two, { comment: "PK\x05\x06 is how an end begins" })],
])("finds the data of each entry in place: %s", async (_, bytes) => {
  expect(await contents(bytes)).toEqual({ "a/one": "first", "a/two": "second" });
});

test("accepts an archive without entries", async () => {
  expect(await contents(zipBytes([]))).toEqual({});
});

describe("rejects a damaged archive with the reason", () => {
  const whole = zipBytes(two);
  const withDirectoryAt = (offset: number) => {
    const bytes = whole.slice();
    bytes.set(numbers([offset, 4]), bytes.length - 6);
    return bytes;
  };
  const cases: [what: string, bytes: Uint8Array, message: RegExp][] = [
    ["cut off", whole.slice(0, -1), /no directory at its end/],
    ["cut in the middle", whole.slice(0, 60), /no directory at its end/],
    ["directory elsewhere", withDirectoryAt(3), /directory is damaged/],
    ["directory beyond the end", withDirectoryAt(60_000), /directory is cut off/],
    ["compressed", zipBytes([{ ...two[0], method: 8 }]), /"a\/one" is compressed.*without compression/],
    ["encrypted", zipBytes([{ ...two[0], flags: 1 }]), /"a\/one" is encrypted/],
    ["same name twice", zipBytes([two[0], two[0]]), /two entries "a\/one"/],
    [
      "a long name",
      zipBytes([{ ...two[0], name: "n".repeat(5000), flags: 1 }]),
      /entry "n{60}"… is encrypted/,
    ],
    ["too large", zipBytes([{ ...two[0], claims: 5000 }]), /"a\/one" does not fit/],
    [
      "too large, zip64",
      zipBytes([{ ...two[0], claims: 2 ** 40 }], { zip64: true }),
      /byte 1099511627776, beyond/,
    ],
    [
      "header of another entry",
      zipBytes([{ ...two[0], localName: "a/0ne" }]),
      /"a\/one" has a damaged header/,
    ],
  ];
  test.each(cases)("%s", async (_, bytes, message) => {
    const error = await contents(bytes).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message).toMatch(message);
  });
});

describe("contents of a compressed entry", () => {
  const whole = Buffer.from("ACGT".repeat(5000));
  const packed = (change: Partial<EntryToMake> = {}, options = {}) =>
    zipBytes(
      [two[0], { name: "b", data: deflateRawSync(whole), method: 8, unpacked: whole.length, ...change }],
      options,
    );

  async function unpacked(bytes: Uint8Array, name: string): Promise<Buffer> {
    const path = join(temporaryFolder(), "a.zip");
    writeFileSync(path, bytes);
    await using file = await openFile(path);
    const entry = (await readZipDirectory(file)).get(name)!;
    const pieces: Uint8Array[] = [];
    for await (const piece of entryContents(file, entry)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  test("are decompressed; those of a stored one are copied", async () => {
    expect(await unpacked(packed(), "b")).toEqual(whole);
    expect(await unpacked(packed(), "a/one")).toEqual(Buffer.from("first"));
  });

  test("are decompressed to more bytes than a zip64 archive has", async () => {
    const archive = packed({}, { zip64: true });
    expect(archive.length).toBeLessThan(whole.length);
    expect(await unpacked(archive, "b")).toEqual(whole);
  });

  test.each([
    ["more bytes than declared", packed({ unpacked: 100 }), /"b" has more bytes than its 100/],
    ["fewer bytes than declared", packed({ unpacked: 50_000 }), /"b" has fewer bytes than its 50000/],
    ["damaged data", packed({ data: new Uint8Array(100).fill(255) }), /"b" is damaged/],
    ["another compression", packed({ method: 12 }), /"b" is compressed in another way/],
    [
      "an impossible size",
      packed({ unpacked: 2 ** 60 }, { zip64: true }),
      /an entry of 1\d{18} bytes, which is/,
    ],
  ])("are rejected: %s", async (_, bytes, message) => {
    await expect(unpacked(bytes, "b")).rejects.toThrow(message);
  });
});
