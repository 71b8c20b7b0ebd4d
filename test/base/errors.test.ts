import { expect, test } from "vitest";
import { FormatError, InputError, InternalError } from "../../src/base/errors.ts";

test("an input error prints its location, problem and hint", () => {
  const error = new FormatError(
    { file: "peaks.bed", line: 128 },
    "end 850 is not after start 900",
    "swapped?",
  );
  expect(error.describe()).toBe("peaks.bed:128: end 850 is not after start 900\n  swapped?");
  expect(error).toBeInstanceOf(InputError);
});

test("the location may be a tensor or missing", () => {
  expect(new FormatError({ file: "a.safetensors", tensor: "x" }, "wrong shape").describe()).toBe(
    'a.safetensors: tensor "x": wrong shape',
  );
  expect(new InputError("no rows left").describe()).toBe("no rows left");
});

test("an internal error is marked as such", () => {
  expect(new InternalError("lost a node").message).toBe("internal: lost a node");
});
