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
  ["0, as pandas names a column without a name", "0"],
  ["a number that no row has", "100"],
  ["a number that comes again", "7"],
])("the first line is a header: %s", async (_, header) => {
  expect(await list(header, "5", "7", "3")).toEqual([5, 7, 3]);
});

test("a list without a header does not lose its first row unsaid", async () => {
  await expect(list("9", "5", "7")).rejects.toThrow(/the first line, 9, is a row's number where a header/);
});
