import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readRowList } from "../../../src/datasets/cell-type-elements/table.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

function list(...lines: string[]) {
  const path = join(temporaryFolder(), "rows.tsv");
  writeFileSync(path, `${lines.join("\n")}\n`);
  return readRowList(path, 100);
}

test.each([
  ["a name", "index"],
  ["0, as pandas writes for an unnamed column", "0"],
  ["a number beyond the table", "100"],
  ["a number that occurs again", "7"],
])("the first line is a header: %s", async (_, header) => {
  expect(await list(header, "5", "7", "3")).toEqual([5, 7, 3]);
});

test("rejects a list without a header", async () => {
  await expect(list("9", "5", "7")).rejects.toThrow(/the first line, 9, is a row number; expected a header/);
});
