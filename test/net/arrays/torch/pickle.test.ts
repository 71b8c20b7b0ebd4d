import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../../../src/base/errors.ts";
import { torchGlobals, torchStorage } from "../../../../src/net/arrays/torch/globals.ts";
import { readPickle } from "../../../../src/net/arrays/torch/pickle.ts";
import { joined, numbers } from "../../../base/zip-bytes.ts";
import { temporaryFolder } from "../../../temporary-folder.ts";
import { call, dict, global, int, op, pickle, storage, str, tensor, tuple } from "./pickle-bytes.ts";

const read = (bytes: Uint8Array) =>
  readPickle(bytes, {
    file: "model.bin",
    globals: torchGlobals("model.bin"),
    persistent: (id) => torchStorage("model.bin", id),
  });

function refusal(bytes: Uint8Array): string {
  try {
    read(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return (error as FormatError).describe();
  }
  throw new Error("the pickle was read");
}

describe("reads plain values written by CPython", () => {
  // scripts/golden/torch_checkpoint.py wrote them with pickle.dumps.
  const expectedFile = new URL("../../../golden/torch/expected.json", import.meta.url);
  const { pickles } = JSON.parse(readFileSync(expectedFile, "utf8")) as { pickles: Record<string, string> };

  test.each(Object.entries(pickles))("protocol %s", (protocol, base64) => {
    const word = "x".repeat(20);
    const common: [unknown, unknown][] = [
      [
        "integers",
        [0, 255, 256, 65535, 65536, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 40, -(2 ** 40), 2 ** 53 - 1],
      ],
      ["beyond", [2n ** 63n, -(2n ** 70n)]],
      ["floats", [0.5, -1e300]],
      ["texts", ["", "café", word, word]],
      ["tuples", [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, [4]]]],
      ["words", [null, true, false]],
      ["empty", [[], new Map()]],
      [
        "ordered",
        new Map([
          ["b", 1],
          ["a", 2],
        ]),
      ],
      [7, "seven"],
    ];
    if (Number(protocol) >= 3) common.push(["bytes", Uint8Array.of(0, 255)]);
    if (Number(protocol) >= 4) common.push(["set", new Set([3])], ["frozen", new Set([4])]);
    expect(read(new Uint8Array(Buffer.from(base64, "base64")))).toEqual(new Map(common));
  });
});

describe("rejects the names that a hostile pickle uses", () => {
  const dangerous: [module: string, name: string][] = [
    ["os", "system"],
    ["posix", "system"],
    ["nt", "system"],
    ["subprocess", "Popen"],
    ["builtins", "eval"],
    ["__builtin__", "exec"],
    ["builtins", "getattr"],
    ["torch.hub", "load"],
    ["torch", "load"],
    ["numpy.core.multiarray", "_reconstruct"],
    ["collections", "OrderedDict.fromkeys"],
    ["", ""],
  ];
  test.each(dangerous)("%s.%s", (module, name) => {
    const asked = new RegExp(`^model.bin: the pickle uses "${module}\\.${name}"; .* nothing is executed\n`);
    const args = tuple(str("touch /tmp/x"));
    expect(refusal(pickle(global(module, name), args, "R"))).toMatch(asked);
    // Without a call, from the stack, and in the arguments of a harmless call.
    expect(refusal(pickle(global(module, name)))).toMatch(asked);
    expect(refusal(pickle(str(module), str(name), "\x93", args, "R"))).toMatch(asked);
    const inside = call(global("collections", "OrderedDict"), call(global(module, name), str("1")));
    expect(refusal(pickle(dict({ weight: inside })))).toMatch(asked);
  });

  const python = spawnSync("python3", ["--version"]).status === 0;
  test.skipIf(!python)("a command that Python would run is not run [needs python3]", () => {
    const marker = join(temporaryFolder(), "executed");
    const file = join(temporaryFolder(), "hostile.pkl");
    const hostile = pickle(dict({ weight: call(global("os", "system"), str(`touch ${marker}`)) }));
    writeFileSync(file, hostile);

    expect(refusal(hostile)).toMatch('uses "os.system"');
    expect(existsSync(marker)).toBe(false);
    // The same bytes run in Python and would create the file.
    spawnSync("python3", ["-c", "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))", file]);
    expect(existsSync(marker)).toBe(true);
  });

  test("does not convert names that are not text", () => {
    expect(refusal(pickle("]", str("system"), "\x93"))).toMatch("the pickle uses");
    // A list of lists of lists…: as text it would have 2^40 characters.
    const doubled = "](h\x00h\x00eq\x00".repeat(40);
    expect(refusal(pickle("]q\x00", doubled, str("x"), "\x93"))).toMatch("something without a name");
  });
});

describe("rejects instructions that create objects or that PyTorch never writes, by name", () => {
  const ordered = global("collections", "OrderedDict");
  const cases: [name: string, bytes: Uint8Array][] = [
    ["INST", pickle("(ios\nsystem\n")],
    ["OBJ", pickle("(", ordered, "o")],
    ["NEWOBJ", pickle(ordered, ")\x81")],
    ["NEWOBJ_EX", pickle(ordered, ")}\x92")],
    ["EXT1", pickle("\x82\x01")],
    ["PERSID", pickle("Pstorage\n")],
    ["UNICODE", pickle("Vtext\n")],
    ["BYTEARRAY8", pickle("\x96")],
  ];
  test.each(cases)("%s", (name, bytes) => {
    expect(refusal(bytes)).toMatch(`the instruction ${name} is not needed`);
  });
});

describe("rejects a damaged pickle with the reason", () => {
  const cases: [what: string, bytes: Uint8Array, message: string][] = [
    ["empty", new Uint8Array(0), "ends too early"],
    ["no end", op("\x80\x02N"), "ends too early"],
    ["text beyond the end", pickle(op("X"), numbers([2 ** 31, 4])), "ends too early"],
    ["text of 2^60 bytes", pickle(op("\x8d"), numbers([2 ** 60, 8])), "ends too early"],
    ["unknown instruction", pickle("\xff"), "0xff is not an instruction"],
    ["newer protocol", op("\x80\x06N."), "protocol is newer than 5"],
    ["nothing to give", pickle(), "pops more from its stack"],
    ["something left over", pickle("NN"), "values are left on its stack"],
    ["a list left open", pickle("(N"), "values are left on its stack"],
    ["not begun", pickle("t"), "closes a list that was not begun"],
    ["never kept", pickle("h\x05"), "recalls number 5"],
    ["nothing to keep", pickle("q\x05"), "empty stack"],
    ["append to a tuple", pickle(")Na"), "appends to something other than a list"],
    ["append to None", pickle("NNa"), "appends to something other than a list"],
    ["items of a list", pickle("]NNs"), "something other than a dict"],
    ["a key alone", pickle("}(Nu"), "a key without a value"],
    ["adds to a list", pickle("](N\x90"), "something other than a set"],
    ["not UTF-8", pickle(op("X"), numbers([1, 4]), "\xff"), "not UTF-8"],
    ["calls a number", pickle(int(1), ")R"), "something that is not a function"],
    ["calls a type", pickle(global("torch", "FloatStorage"), ")R"), "something that is not a function"],
    ["calls without arguments", pickle(global("collections", "OrderedDict"), "NR"), "without arguments"],
    ["attributes of a list", pickle("]}b"), "something other than an OrderedDict"],
    ["endless integer", pickle(op("\x8b"), numbers([200, 4]), "0".repeat(200)), "an integer of 200 bytes"],
    ["containers without end", pickle("]".repeat(1_000_001)), "more than 1000000 lists"],
    ["far too long", new Uint8Array(2 ** 24 + 1), "at most 16777216"],
    ["odd persistent id", pickle(str("module"), "Q"), "not a storage"],
    ["storage of a size", pickle(storage("0", 4, global("torch", "Size"))), '"torch.Size" as a storage type'],
    ["negative storage", pickle(storage("0", -4)), "not a storage"],
    ["tensor of nothing", pickle(tensor(op("N"), 0, [1], [1])), "no storage"],
    ["negative axis", pickle(tensor(storage("0", 4), 0, [-1], [1])), "impossible offset, shape or strides"],
    ["negative stride", pickle(tensor(storage("0", 4), 0, [2], [-1])), "impossible offset, shape or strides"],
    ["strides missing", pickle(tensor(storage("0", 4), 0, [2], [])), "impossible offset, shape or strides"],
    ["65 axes", pickle(tensor(storage("0", 4), 0, Array(65).fill(1), Array(65).fill(1))), "65 axes"],
    [
      "OrderedDict of a number",
      pickle(call(global("collections", "OrderedDict"), int(3))),
      "not made of pairs",
    ],
    [
      "parameter of a number",
      pickle(call(global("torch._utils", "_rebuild_parameter"), int(3))),
      "not a tensor",
    ],
  ];
  test.each(cases)("%s", (_, bytes, message) => {
    expect(refusal(bytes)).toMatch(message);
  });
});

test("rejects or reads any sequence of instructions", () => {
  const fragments = [
    ..."N\x88\x89)]}\x8f\x85\x86\x87tlaesu(012RbQ\x90\x91\x93\x94".split("").map(op),
    ...["q\x00", "h\x00", "q\x01", "h\x01", "K\x02", "\x8a\x00", "\x8a\x01\xff", "\x8c\x01a"].map(op),
    global("collections", "OrderedDict"),
    global("torch._utils", "_rebuild_tensor_v2"),
    global("torch._utils", "_rebuild_parameter"),
    global("torch._tensor", "_rebuild_from_type_v2"),
    global("torch", "Size"),
    global("torch", "FloatStorage"),
    storage("0", 4),
    tuple(int(2), int(2)),
    tensor(storage("0", 4), 0, [2], [1]),
  ];
  let sound = 0;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...fragments), { maxLength: 12 }), (parts) => {
      try {
        read(pickle(...parts));
        sound++;
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }),
    { numRuns: 20_000 },
  );
  expect(sound).toBeGreaterThan(100);
});

test("rejects a conjugate view, whose stored numbers are not its values", () => {
  const conj = joined([op("}"), str("conj"), op("\x88s")]);
  const bytes = pickle(
    call(
      global("torch._utils", "_rebuild_tensor_v2"),
      storage("0", 4),
      int(0),
      tuple(int(4)),
      tuple(int(1)),
      "\x89",
      call(global("collections", "OrderedDict")),
      conj,
    ),
  );
  expect(refusal(bytes)).toMatch("conjugate or negative view");
});

test("rejects a subclass of Tensor, but not a tensor with attributes", () => {
  const rebuild = (type: Uint8Array) =>
    pickle(
      call(
        global("torch._tensor", "_rebuild_from_type_v2"),
        global("torch._utils", "_rebuild_parameter"),
        type,
        tuple(tensor(storage("0", 4), 0, [4], [1]), "\x88", "}"),
        "}",
      ),
    );
  expect(read(rebuild(global("torch", "Tensor")))).toMatchObject({ kind: "tensor", shape: [4] });
  expect(refusal(rebuild(global("torch", "Size")))).toMatch("a custom class");
});
