import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../../../src/base/errors.ts";
import { openCheckpoint } from "../../../../src/net/arrays/checkpoint.ts";
import { type EntryToMake, joined, text, zipBytes } from "../../../base/zip-bytes.ts";
import { temporaryFolder } from "../../../temporary-folder.ts";
import { call, dict, global, int, op, pickle, storage, str, tensor } from "./pickle-bytes.ts";

const floats = (count: number): EntryToMake => ({ name: "m/data/0", data: new Uint8Array(4 * count) });
const four = floats(4);

const archive = (data: Uint8Array, ...entries: readonly EntryToMake[]) =>
  zipBytes([{ name: "m/data.pkl", data }, ...entries]);

async function open(bytes: Uint8Array) {
  const path = join(temporaryFolder(), "pytorch_model.bin");
  writeFileSync(path, bytes);
  return await openCheckpoint(path);
}

test("skips a device next to weights", async () => {
  const device = call(global("torch", "device"), str("cuda"), int(0));
  const bytes = archive(
    pickle(dict({ device, w: tensor(storage("0", 4), 0, [4], [1]), args: dict({ device }) })),
    four,
  );
  await using checkpoint = await open(bytes);
  expect([...checkpoint.arrays.keys()]).toEqual(["w"]);
});

test("skips values other than tensors, and opens a wrapper dict", async () => {
  const weights = dict({
    w: tensor(storage("0", 4), 0, [4], [1]),
    inner: dict({ b: tensor(storage("0", 4), 3, [], []) }),
  });
  for (const wrapper of ["state_dict", "model_state_dict", "model"]) {
    const bytes = archive(pickle(dict({ epoch: int(3), args: dict({}), [wrapper]: weights })), four);
    await using checkpoint = await open(bytes);
    expect([...checkpoint.arrays.keys()]).toEqual(["w", "inner.b"]);
  }
});

describe("rejects an invalid checkpoint with the reason", () => {
  const one = (of: Uint8Array, offset: number, shape: number[], strides: number[]) =>
    pickle(dict({ w: tensor(of, offset, shape, strides) }));
  const whole = one(storage("0", 4), 0, [4], [1]);
  const nested = (depth: number, inner: Uint8Array): Uint8Array =>
    depth === 0 ? inner : nested(depth - 1, dict({ a: inner }));
  // Ten dicts, each with a hundred references to the one before: 10^20 names.
  const laughs = pickle(
    dict({}),
    "q\x00",
    ...Array.from({ length: 10 }, () =>
      joined([
        op("0}("),
        ...Array.from({ length: 100 }, (_, i) => joined([int(i), op("h\x00")])),
        op("uq\x00"),
      ]),
    ),
  );
  const itself = pickle("}q\x00", str("a"), "h\x00s");

  const cases: [what: string, bytes: Uint8Array, message: string][] = [
    ["no pickle", zipBytes([{ name: "word/document.xml", data: text("<w/>") }]), "no data.pkl in a folder"],
    ["two pickles", archive(whole, { name: "n/data.pkl", data: whole }), "no data.pkl in a folder"],
    ["TorchScript", archive(whole, four, { name: "m/constants.pkl", data: whole }), "a TorchScript program"],
    [
      // As torch.jit.save writes it: the code and its debug information are compressed.
      "TorchScript with compressed code",
      archive(
        whole,
        { name: "m/code/__torch__.py", data: deflateRawSync(text("def forward(self): pass")), method: 8 },
        four,
        { name: "m/constants.pkl", data: whole },
      ),
      "this is a TorchScript program, not a checkpoint of weights",
    ],
    ["big-endian", archive(whole, four, { name: "m/byteorder", data: text("big") }), 'byte order "big"'],
    ["compressed data", archive(whole, { ...four, method: 8 }), '"m/data/0" is compressed'],
    ["a list", archive(pickle("]")), "not a state dict"],
    ["storage absent", archive(whole), 'its storage "0" is not in the archive'],
    [
      "storage outside",
      archive(one(storage("../../etc/passwd", 4), 0, [4], [1]), four),
      "is not in the archive",
    ],
    ["storage too small", archive(whole, floats(3)), "has 12 bytes in the archive, but 16 by the pickle"],
    [
      "beyond the storage",
      archive(one(storage("0", 4), 1, [4], [1]), four),
      "up to 5 of a storage that has 4",
    ],
    [
      "stride beyond",
      archive(one(storage("0", 4), 0, [2, 2], [3, 1]), four),
      "up to 5 of a storage that has 4",
    ],
    [
      "impossible shape",
      archive(one(storage("0", 4), 0, [2 ** 30, 2 ** 30], [0, 0]), four),
      "impossibly large shape",
    ],
    [
      "name twice",
      archive(
        pickle(
          dict({
            "a.b": tensor(storage("0", 4), 0, [4], [1]),
            a: dict({ b: tensor(storage("0", 4), 0, [4], [1]) }),
          }),
        ),
        four,
      ),
      "is in the file twice",
    ],
    [
      "name not text",
      archive(pickle("}N", tensor(storage("0", 4), 0, [4], [1]), "s"), four),
      "neither text nor a number",
    ],
    ["nested deep", archive(pickle(nested(30, dict({})))), "nested more than 16 deep"],
    ["a dict that holds itself", archive(itself), "nested more than 16 deep"],
    ["10^20 names", archive(laughs), "more than 1000000 names"],
    ["a command", archive(pickle(call(global("os", "system"), str("true")))), 'uses "os.system"'],
  ];
  test.each(cases)("%s", async (_, bytes, message) => {
    const error = await open(bytes).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).describe()).toMatch(message);
  });
});

test("opens a view that repeats one number a billion times, but does not expand it", async () => {
  const bytes = archive(pickle(dict({ w: tensor(storage("0", 4), 0, [2 ** 30], [0]) })), four);
  await using checkpoint = await open(bytes);
  await expect(checkpoint.read("w")).rejects.toThrow("repeats 1 stored elements to 1073741824");
  expect((await checkpoint.read("w", { rows: [7, 10] })).data).toEqual(new Float32Array(3));
});

test.each(["views.bin", "nested.bin", "protocol-4.bin"])(
  "rejects or reads any corruption of %s",
  async (name) => {
    const sound = readFileSync(fileURLToPath(new URL(`../../../golden/torch/${name}`, import.meta.url)));
    const path = join(temporaryFolder(), name);
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(sound.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 5 }),
        fc.option(fc.nat(sound.length), { freq: 4 }),
        async (flips, cut) => {
          const bytes = new Uint8Array(sound);
          for (const [at, value] of flips) bytes[at] = value;
          writeFileSync(path, bytes.subarray(0, cut ?? bytes.length));
          try {
            await using checkpoint = await openCheckpoint(path);
            for (const tensor of checkpoint.arrays.keys()) await checkpoint.read(tensor);
          } catch (error) {
            if (!(error instanceof FormatError)) throw error;
            refused++;
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(60);
  },
);
