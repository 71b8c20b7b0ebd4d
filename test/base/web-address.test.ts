import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { expectWebAddress } from "../../src/base/http.ts";

test.each(["https://huggingface.co", "http://localhost:8080/mirror"])("%s is an address", (address) => {
  expect(() => expectWebAddress(address, "HF_ENDPOINT")).not.toThrow();
});

test.each(["foo", "localhost:8080", "file:///etc", "https://"])(
  "%s is none, and the setting is named",
  (address) => {
    expect(() => expectWebAddress(address, "HF_ENDPOINT")).toThrow(InputError);
    expect(() => expectWebAddress(address, "HF_ENDPOINT")).toThrow(
      /^HF_ENDPOINT is ".*", which is not a valid address$/,
    );
  },
);
