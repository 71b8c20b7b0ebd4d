import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { FormatError, InputError } from "../../../src/base/errors.ts";
import * as g from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { toOnnx } from "../../../src/net/graph/onnx.ts";
import {
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  TensorProtoSchema,
} from "../../../src/net/graph/onnx-schema.ts";
import { readOnnx } from "../../../src/net/graph/read-onnx.ts";
import { checkOnnxFinite, openOnnxFile, readOnnxFile } from "../../../src/net/runtime/onnx-file.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const table = { dtype: "float32" as const, shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
const looked = () =>
  graphOf({ y: g.gather(g.parameter("table", [3, 2]), g.input("input_ids", "int32", ["b", "t"])) });
const inline = () => toOnnx(looked(), new Map([["table", { kind: "inline", array: table }]]));

/** A model in a new folder with its table in an external file. */
function withExternal(location: string, { offset = 0, length = 24 } = {}) {
  const folder = join(temporaryFolder(), "model");
  mkdirSync(folder);
  const binding = { kind: "external" as const, location, offset, length };
  const path = join(folder, "model.onnx");
  writeFileSync(path, toOnnx(looked(), new Map([["table", binding]])));
  return { folder, path };
}
const tableBytes = new Uint8Array(table.data.buffer);

async function lookUp(path: string, ids: readonly number[]) {
  const program = await openOnnxFile({ path });
  const feed = { dtype: "int32" as const, shape: [1, ids.length], data: Int32Array.from(ids) };
  try {
    return (await program.run({ input_ids: feed }, ["y"])).y;
  } finally {
    await program.close();
  }
}

describe("a valid file", () => {
  test("declares its inputs and outputs, and runs", async () => {
    const path = join(temporaryFolder(), "model.onnx");
    writeFileSync(path, inline());
    const file = await readOnnxFile(path);
    expect(file).toMatchObject({
      inputs: [{ name: "input_ids", dtype: "int32", shape: ["b", "t"] }],
      outputs: [{ name: "y", dtype: "float32", shape: ["b", "t", 2] }],
      external: [],
      files: [path],
      bytes: inline().length,
    });
    expect(await lookUp(path, [2, 0])).toEqual({
      dtype: "float32",
      shape: [1, 2, 2],
      data: Float32Array.of(5, 6, 1, 2),
    });
  });

  test("may store its weights in an external file", async () => {
    const { folder, path } = withExternal("weights/a.bin", { offset: 8 });
    mkdirSync(join(folder, "weights"));
    writeFileSync(join(folder, "weights", "a.bin"), Buffer.concat([Buffer.alloc(8), tableBytes]));
    const file = await readOnnxFile(path);
    expect(file.files).toEqual([path, join(folder, "weights", "a.bin")]);
    expect([...(await lookUp(path, [1])).data]).toEqual([3, 4]);
  });

  test.each([
    ["in the file", [1, 2, Number.NaN, 4, 5, 6], "element 2 is NaN"],
    ["in an external file", [1, 2, 3, 4, Number.NEGATIVE_INFINITY, 6], "element 4 is -Infinity"],
  ])("must be finite: %s", async (place, values, message) => {
    const data = Float32Array.from(values);
    let { path, folder } = withExternal("weights.bin");
    if (place === "in the file") {
      path = join(folder, "inline.onnx");
      const array = { ...table, data };
      writeFileSync(path, toOnnx(looked(), new Map([["table", { kind: "inline", array }]])));
    } else {
      writeFileSync(join(folder, "weights.bin"), new Uint8Array(data.buffer));
    }
    const file = await readOnnxFile(path);
    const cache = temporaryFolder();
    for (const _ of ["found", "recalled"]) {
      await expect(checkOnnxFinite(file, ["digest"], cache)).rejects.toMatchObject({
        message: `${message}: every weight must be a finite number`,
        place: { tensor: "table" },
      });
    }
    expect(readdirSync(cache)).toHaveLength(1);
  });

  test("may have masks of infinities, and half-precision values stored as integers", async () => {
    const folder = temporaryFolder();
    const check = async (tensor: MessageInitShape<typeof TensorProtoSchema>) => {
      const path = join(folder, "model.onnx");
      const initializer = [create(TensorProtoSchema, { name: "w", dims: [3n], ...tensor })];
      writeFileSync(path, toBinary(ModelProtoSchema, create(ModelProtoSchema, { graph: { initializer } })));
      await checkOnnxFinite(await readOnnxFile(path), [], temporaryFolder());
    };
    const [float, half, infinity] = [DataType.FLOAT, DataType.FLOAT16, Number.POSITIVE_INFINITY];
    await check({ dataType: float, floatData: [0, -infinity, 0] });
    await check({ dataType: DataType.INT32, int32Data: [1, 0x7e00, -1] });
    await check({ dataType: half, int32Data: [0x3c00, 0, 0xbc00] });
    await expect(check({ dataType: half, int32Data: [0x3c00, 0, 0x7e00] })).rejects.toThrow(
      "element 2 is NaN",
    );
    await expect(check({ dataType: float, floatData: [1, infinity, 0] })).rejects.toThrow("is Infinity");
    await expect(check({ dataType: float, floatData: [0, Number.NaN, 0] })).rejects.toThrow("is NaN");
    await expect(check({ dataType: float, rawData: new Uint8Array(5) })).rejects.toThrow(
      "5 bytes for float32",
    );
  });

  test("does not require an input with a default value", () => {
    const value = (name: string) => ({
      name,
      type: { value: { case: "tensorType" as const, value: { elemType: 11, shape: { dim: [] } } } },
    });
    const graph = { input: [value("x"), value("w")], initializer: [{ name: "w" }], output: [] };
    const { inputs } = readOnnx(toBinary(ModelProtoSchema, create(ModelProtoSchema, { graph })), "m.onnx");
    expect(inputs).toEqual([{ name: "x", dtype: "float64", shape: [] }]);
  });

  test("declares free sizes and values other than tensors", () => {
    const dim = [
      { value: { case: "dimValue" as const, value: 4n } },
      { value: { case: "dimParam" as const, value: "batch" } },
      { value: { case: "dimValue" as const, value: -1n } },
      {},
    ];
    const graph = {
      input: [
        {
          name: "a",
          type: { value: { case: "tensorType" as const, value: { elemType: 7, shape: { dim } } } },
        },
        { name: "b", type: { value: { case: "sequenceType" as const, value: {} } } },
        { name: "c", type: { value: { case: "tensorType" as const, value: { elemType: 8 } } } },
      ],
    };
    const { inputs } = readOnnx(toBinary(ModelProtoSchema, create(ModelProtoSchema, { graph })), "m.onnx");
    expect(inputs).toEqual([
      { name: "a", dtype: "int64", shape: [4, "batch", null, null] },
      { name: "b", dtype: undefined, shape: undefined },
      { name: "c", dtype: undefined, shape: undefined },
    ]);
  });
});

describe("an untrusted file", () => {
  const external = (key: string, value: string) => ({
    name: "w",
    externalData: [{ key, value }],
  });

  test("finds external files wherever a tensor may occur", () => {
    const inner = { initializer: [external("location", "deep")] };
    const model = create(ModelProtoSchema, {
      graph: {
        initializer: [external("location", "a")],
        sparseInitializer: [{ values: external("location", "b"), indices: external("location", "c") }],
        node: [
          { attribute: [{ t: external("location", "d") }, { tensors: [external("location", "e")] }] },
          { attribute: [{ g: inner }, { graphs: [inner] }] },
          { attribute: [{ sparseTensor: { values: external("location", "f") } }] },
        ],
      },
      functions: [
        { node: [{ attribute: [{ t: external("location", "h") }] }] },
        { attributeProto: [{ t: external("location", "i") }] },
      ],
    });
    const found = readOnnx(toBinary(ModelProtoSchema, model), "m.onnx").external;
    expect(found.map(({ location }) => location).sort()).toEqual(
      ["a", "b", "c", "d", "e", "deep", "deep", "f", "h", "i"].sort(),
    );
  });

  test.each(["../secret", "a/../../secret", "/etc/hostname", "C:\\secret", "..\\secret", ""])(
    "rejects weights from %j",
    async (location) => {
      const { path } = withExternal(location);
      const error = await readOnnxFile(path).catch((error) => error);
      expect(error).toBeInstanceOf(FormatError);
      expect(error.describe()).toMatch(/reads weights from .*\n.*own folder/);
    },
  );

  test("rejects a link to another folder, a file that is too short, and a missing one", async () => {
    const { folder, path } = withExternal("weights.bin");
    await expect(readOnnxFile(path)).rejects.toThrow(/no such file/);
    writeFileSync(join(folder, "weights.bin"), tableBytes.subarray(1));
    await expect(readOnnxFile(path)).rejects.toThrow(/reads bytes 0 to 24 from "weights.bin", which has 23/);
    const linked = withExternal("link");
    writeFileSync(join(linked.folder, "..", "elsewhere"), tableBytes);
    symlinkSync(join("..", "elsewhere"), join(linked.folder, "link"));
    await expect(readOnnxFile(linked.path)).rejects.toThrow(/a link to another folder/);
  });

  test.each([
    ["before the beginning", { offset: -8 }],
    ["at no whole number", { offset: 0.5 }],
    ["beyond all numbers", { offset: 2 ** 53, length: 2 ** 53 }],
  ])("rejects bytes %s", async (_, place) => {
    const { folder, path } = withExternal("weights.bin", place);
    writeFileSync(join(folder, "weights.bin"), tableBytes);
    await expect(readOnnxFile(path)).rejects.toThrow(FormatError);
  });

  test("rejects other bytes, a pointer, and a model that is cut anywhere or nested too deeply", async () => {
    const folder = temporaryFolder();
    const write = (name: string, bytes: Uint8Array | string) => {
      writeFileSync(join(folder, name), bytes);
      return readOnnxFile(join(folder, name));
    };
    await expect(write("empty.onnx", "")).rejects.toThrow(/has no graph/);
    await expect(
      write("lfs.onnx", "version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
    ).rejects.toThrow(/this is not an ONNX model/);
    const whole = inline();
    let refused = 0;
    for (let cut = 1; cut < whole.length; cut++) {
      try {
        readOnnx(whole.subarray(0, cut), "cut.onnx");
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(whole.length * 0.9);
    // A graph in an attribute of a node of a graph, a hundred times.
    let nested = new Uint8Array();
    const wrap = (field: number, bytes: Uint8Array) => {
      const length = [(bytes.length & 0x7f) | 0x80, ((bytes.length >> 7) & 0x7f) | 0x80, bytes.length >> 14];
      return Uint8Array.of((field << 3) | 2, ...length, ...bytes);
    };
    for (let i = 0; i < 100; i++) nested = wrap(1, wrap(5, wrap(6, nested)));
    expect(() => readOnnx(wrap(7, nested), "deep.onnx")).toThrow(/this is not an ONNX model/);
  });

  test("reports errors of ONNX Runtime with the file: unknown operators, ids out of range", async () => {
    const path = join(temporaryFolder(), "model.onnx");
    const model = create(ModelProtoSchema, {
      irVersion: 9n,
      opsetImport: [{ domain: "", version: 20n }],
      graph: { name: "g", node: [{ opType: "Frobnicate", input: [], output: ["y"] }] },
    });
    writeFileSync(path, toBinary(ModelProtoSchema, model));
    const error = await openOnnxFile({ path }).catch((error) => error);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.describe()).toMatch(/model\.onnx: ONNX Runtime rejects the model: .*Frobnicate/);
    writeFileSync(path, inline());
    const outside = await lookUp(path, [3]).catch((error) => error);
    expect(outside).toBeInstanceOf(InputError);
    expect(outside.describe()).toMatch(
      /model\.onnx: the model fails to run: .*indices element out of data bounds/,
    );
  });
});
