import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { FormatError } from "../../src/base/errors.ts";
import { readTable } from "../../src/base/table.ts";
import { scratchFiles } from "../scratch-files.ts";

const files = scratchFiles();

async function rows(data: string | Uint8Array, columns: readonly string[]) {
  const found: string[] = [];
  for await (const { fields, line } of readTable(await files.write("t.tsv", data), columns)) {
    found.push(`${line}: ${fields.join("|")}`);
  }
  return found;
}

const TEXT = "chr\tstart\tnote\r\n1\t5\t\r\n\r\n2\t6\tx y\r\n";

test("columns are found by name, in the order asked, whatever else is there", async () => {
  expect(await rows(TEXT, ["start", "chr"])).toEqual(["2: 5|1", "4: 6|2"]);
  expect(await rows(gzipSync(TEXT), ["note"])).toEqual(["2: ", "4: x y"]);
  expect(await rows("chr\n", ["chr"])).toEqual([]);
});

test("what is missing is named", async () => {
  await expect(rows(TEXT, ["end"])).rejects.toThrow(
    'there is no column "end"; the header names chr, start, note',
  );
  await expect(rows("a\ta\n", ["a"])).rejects.toThrow('two columns are named "a"');
  await expect(rows("a\tb\n1\n", ["a"])).rejects.toThrow("the line has 1 fields, the header 2");
  await expect(rows("", ["a"])).rejects.toThrow(FormatError);
});
