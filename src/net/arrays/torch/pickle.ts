import { EndOfBytes } from "../../../base/byte-cursor.ts";
import { FormatError } from "../../../base/errors.ts";
import { PickleMachine } from "./pickle-machine.ts";

/**
 * A Python name that a pickle may use. `call` replaces calling it: a function of the arguments that returns
 * plain data. A name without `call` cannot be called, such as a type.
 */
export class PickleGlobal {
  readonly name: string;
  readonly call: ((args: readonly unknown[]) => unknown) | undefined;

  constructor(name: string, call?: (args: readonly unknown[]) => unknown) {
    this.name = name;
    this.call = call;
  }
}

export interface PickleOptions {
  /** File name for messages. */
  readonly file: string;
  /** The only Python names the pickle may use, by `module.name`. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** Resolves a persistent id, a reference to data outside the pickle. */
  persistent(id: unknown): unknown;
}

/** A pickle describes tensors in about 150 bytes each, without their data. */
const MAX_PICKLE_BYTES = 16 * 2 ** 20;
const STOP = ".";

/**
 * Reads a pickle as plain data: None is null, tuples are frozen arrays, lists arrays, dicts and OrderedDicts
 * Maps, sets Sets, bytes Uint8Arrays, integers beyond 2^53 bigints.
 *
 * A pickle is a program for a small stack machine, which in Python may call any function. This reader
 * executes none: a name outside `globals` is rejected as soon as it appears, and "calling" an allowed one
 * runs its replacement. Supports the instructions of protocols 2 to 4.
 *
 * @throws {FormatError} for a damaged pickle, a name that is not allowed, or one that would take excessive
 *                       memory
 * @see CPython, Lib/pickletools.py, which documents each instruction
 */
export function readPickle(bytes: Uint8Array, options: PickleOptions): unknown {
  const { file } = options;
  if (bytes.length > MAX_PICKLE_BYTES) {
    throw new FormatError(
      { file },
      `the pickle has ${bytes.length} bytes; at most ${MAX_PICKLE_BYTES} are read`,
    );
  }
  const machine = new PickleMachine(bytes, file);
  try {
    for (;;) {
      const opcode = String.fromCharCode(machine.cursor.uint8());
      if (opcode === STOP) {
        const value = machine.pop();
        return machine.finished ? value : machine.fail("values are left on its stack");
      }
      const makes = MAKING[opcode];
      if (makes !== undefined) machine.push(makes(machine, options));
      else (CHANGING[opcode] ?? refuse(machine, opcode))(machine);
    }
  } catch (error) {
    if (!(error instanceof EndOfBytes)) throw error;
    throw new FormatError({ file }, "the pickle ends too early", "is the file damaged?");
  }
}

/** Instructions that put one value on the stack. */
const MAKING: Readonly<Record<string, (machine: PickleMachine, options: PickleOptions) => unknown>> = {
  /* NONE             */ N: () => null,
  /* NEWTRUE          */ "\x88": () => true,
  /* NEWFALSE         */ "\x89": () => false,
  /* BININT1          */ K: ({ cursor }) => cursor.uint8(),
  /* BININT2          */ M: ({ cursor }) => cursor.uint16(),
  /* BININT           */ J: ({ cursor }) => cursor.int32(),
  /* LONG1            */ "\x8a": (m) => m.integer(m.cursor.uint8()),
  /* LONG4            */ "\x8b": (m) => m.integer(m.cursor.uint32()),
  /* BINFLOAT         */ G: ({ cursor }) => cursor.float64BigEndian(),
  /* SHORT_BINUNICODE */ "\x8c": (m) => m.text(m.cursor.bytes(m.cursor.uint8())),
  /* BINUNICODE       */ X: (m) => m.text(m.cursor.bytes(m.cursor.uint32())),
  /* BINUNICODE8      */ "\x8d": (m) => m.text(m.cursor.bytes(m.cursor.uint64())),
  /* SHORT_BINSTRING  */ U: (m) => m.text(m.cursor.bytes(m.cursor.uint8())),
  /* BINSTRING        */ T: (m) => m.text(m.cursor.bytes(m.cursor.uint32())),
  /* SHORT_BINBYTES   */ C: ({ cursor }) => cursor.bytes(cursor.uint8()),
  /* BINBYTES         */ B: ({ cursor }) => cursor.bytes(cursor.uint32()),
  /* BINBYTES8        */ "\x8e": ({ cursor }) => cursor.bytes(cursor.uint64()),

  /* EMPTY_TUPLE      */ ")": () => EMPTY_TUPLE,
  /* TUPLE            */ t: (m) => m.contain(Object.freeze(m.popMark())),
  /* TUPLE1           */ "\x85": (m) => m.contain(Object.freeze(m.popSome(1))),
  /* TUPLE2           */ "\x86": (m) => m.contain(Object.freeze(m.popSome(2))),
  /* TUPLE3           */ "\x87": (m) => m.contain(Object.freeze(m.popSome(3))),
  /* EMPTY_LIST       */ "]": (m) => m.contain([]),
  /* LIST             */ l: (m) => m.contain(m.popMark()),
  /* EMPTY_DICT       */ "}": (m) => m.contain(new Map()),
  /* EMPTY_SET        */ "\x8f": (m) => m.contain(new Set()),
  /* FROZENSET        */ "\x91": (m) => m.contain(new Set(m.popMark())),

  /* DUP              */ "2": (m) => m.top(),
  /* BINGET           */ h: (m) => m.recall(m.cursor.uint8()),
  /* LONG_BINGET      */ j: (m) => m.recall(m.cursor.uint32()),

  /* GLOBAL           */ c: (m, options) =>
    allowed(m.text(m.cursor.line()), m.text(m.cursor.line()), options),
  /* STACK_GLOBAL     */ "\x93": (m, options) => {
    const [module, name] = m.popSome(2);
    return allowed(module, name, options);
  },
  /* REDUCE           */ R: (m) => {
    const [callee, args] = m.popSome(2);
    if (!(callee instanceof PickleGlobal) || callee.call === undefined) {
      return m.fail("it calls something that is not a function");
    }
    return Array.isArray(args)
      ? m.contain(callee.call(args))
      : m.fail("it calls a function without arguments");
  },
  /* BINPERSID        */ Q: (m, { persistent }) => persistent(m.pop()),
};

/** Instructions that change the state of the machine. */
const CHANGING: Readonly<Record<string, (machine: PickleMachine) => void>> = {
  /* PROTO       */ "\x80": (m) => {
    if (m.cursor.uint8() > 5) m.fail("its protocol is newer than 5");
  },
  /* FRAME       */ "\x95": ({ cursor }) => void cursor.uint64(),
  /* MARK        */ "(": (m) => m.mark(),
  /* POP         */ "0": (m) => m.drop(),
  /* POP_MARK    */ "1": (m) => void m.popMark(),
  /* APPEND      */ a: (m) => m.append(m.popSome(1)),
  /* APPENDS     */ e: (m) => m.append(m.popMark()),
  /* SETITEM     */ s: (m) => m.setItems(m.popSome(2)),
  /* SETITEMS    */ u: (m) => m.setItems(m.popMark()),
  /* ADDITEMS    */ "\x90": (m) => m.addItems(m.popMark()),
  /* BINPUT      */ q: (m) => m.keep(m.cursor.uint8()),
  /* LONG_BINPUT */ r: (m) => m.keep(m.cursor.uint32()),
  /* MEMOIZE     */ "\x94": (m) => m.keepNext(),
  /* BUILD       */ b: (m) => {
    m.pop(); // The attributes are ignored: an OrderedDict of weights has only `_metadata`.
    if (!(m.top() instanceof Map)) m.fail("it sets attributes of something other than an OrderedDict");
  },
};

/** Known instructions that create objects of any class, or that PyTorch never writes. */
const REFUSED: Readonly<Record<string, string>> = {
  o: "OBJ",
  i: "INST",
  "\x81": "NEWOBJ",
  "\x92": "NEWOBJ_EX",
  "\x82": "EXT1",
  "\x83": "EXT2",
  "\x84": "EXT4",
  P: "PERSID",
  F: "FLOAT",
  I: "INT",
  L: "LONG",
  S: "STRING",
  V: "UNICODE",
  p: "PUT",
  g: "GET",
  d: "DICT",
  "\x96": "BYTEARRAY8",
  "\x97": "NEXT_BUFFER",
  "\x98": "READONLY_BUFFER",
};

const EMPTY_TUPLE: readonly unknown[] = Object.freeze([]);

function allowed(module: unknown, name: unknown, { file, globals }: PickleOptions): PickleGlobal {
  const full =
    typeof module === "string" && typeof name === "string" ? `${module}.${name}` : "something without a name";
  const found = globals.get(full);
  if (found !== undefined) return found;
  throw new FormatError(
    { file },
    `the pickle uses ${JSON.stringify(full)}; only tensors and their containers are read, and nothing is executed`,
    "if you trust the file, save only its weights with PyTorch: torch.save(model.state_dict(), path)",
  );
}

function refuse(machine: PickleMachine, opcode: string): never {
  const name = REFUSED[opcode];
  const code = opcode.charCodeAt(0).toString(16).padStart(2, "0");
  if (name === undefined) machine.fail(`0x${code} is not an instruction`);
  return machine.fail(`the instruction ${name} is not needed for weights and is not executed`);
}
