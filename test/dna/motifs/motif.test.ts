import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { InputError } from "../../../src/base/errors.ts";
import { readMotifFamilies } from "../../../src/dna/motifs/motif.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

function read(text: string) {
  const file = join(temporaryFolder(), "motifs.tsv");
  writeFileSync(file, text);
  return readMotifFamilies(file);
}

test("reads families by column name", async () => {
  const columns =
    "Motif\tLOGO\tGene (human)\tGene (mouse)\tQuality\tMotif subtype\tQuality\tTF family\tUniProt ID";
  const families = await read(
    `${columns}\nAHR.H12CORE.0.P.B\t\tAHR\tAhr\tB\t0\tB\tPAS domain factors {1.2.5}\tP35869\nX\t\t\t\t\t\t\t\t\n\n`,
  );
  expect([...families]).toEqual([["AHR.H12CORE.0.P.B", "PAS domain factors {1.2.5}"]]);
});

test.each([
  ["Name\tTF family\nA\tB\n", /:1: there is no column "Motif" among "Name, TF family"/],
  ["Motif\tTF family\nA\n", /:2: the line has 1 fields/],
  ["Motif\tTF family\nA\tB\nA\tC\n", /:3: the motif A has the family C here and B above/],
  ["Motif\tTF family\n", /has no families/],
])("refuses invalid tables: %#", async (text, message) => {
  const found = await read(text).catch((error: InputError) => error.describe());
  expect(found).toMatch(message);
});
