import { expect, test } from "vitest";
import { counted } from "../../src/base/message-text.ts";

test.each([
  [0, "0 rows"],
  [1, "1 row"],
  [2, "2 rows"],
  [12_034, "12,034 rows"],
])("%d rows", (value, text) => expect(counted(value, "row")).toBe(text));

test("a plural of its own", () => {
  expect([1, 2].map((n) => counted(n, "stretch", "stretches"))).toEqual(["1 stretch", "2 stretches"]);
});
