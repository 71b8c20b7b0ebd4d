import { joined, numbers, text } from "../../../base/zip-bytes.ts";

/** Instructions of a pickle, by their names in Lib/pickletools.py. Strings are written out as Latin-1. */
export const pickle = (...instructions: readonly (Uint8Array | string)[]) =>
  joined([
    op("\x80\x02"),
    ...instructions.map((part) => (typeof part === "string" ? op(part) : part)),
    op("."),
  ]);

export const op = (codes: string) => Uint8Array.from(codes, (code) => code.charCodeAt(0));
export const str = (value: string) => joined([op("X"), numbers([text(value).length, 4]), text(value)]);
export const int = (value: number) => joined([op("J"), numbers([value, 4])]);
export const global = (module: string, name: string) => op(`c${module}\n${name}\n`);
export const tuple = (...items: readonly (Uint8Array | string)[]) =>
  joined([op("("), ...items.map((item) => (typeof item === "string" ? op(item) : item)), op("t")]);
/** callee(*args) */
export const call = (callee: Uint8Array, ...args: readonly (Uint8Array | string)[]) =>
  joined([callee, tuple(...args), op("R")]);
export const dict = (entries: Readonly<Record<string, Uint8Array>>) =>
  joined([op("}("), ...Object.entries(entries).flatMap(([key, value]) => [str(key), value]), op("u")]);

const FALSE = "\x89";

/** A persistent id, as PyTorch writes one. */
export const storage = (key: string, length: number, type = global("torch", "FloatStorage")) =>
  joined([tuple(str("storage"), type, str(key), str("cpu"), int(length)), op("Q")]);

export const tensor = (of: Uint8Array, offset: number, shape: number[], strides: number[]) =>
  call(
    global("torch._utils", "_rebuild_tensor_v2"),
    of,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    FALSE,
    call(global("collections", "OrderedDict")),
  );
