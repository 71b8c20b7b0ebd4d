import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folderLicence } from "../../src/models/checkpoints/licence.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test.each([
  ["---\nlicense: apache-2.0\ntags:\n- dna\n---\n# Model\n", "apache-2.0"],
  ["\uFEFF---\r\ntags: [dna]\r\nlicense: 'mit'\r\n---\r\n", "mit"],
  ["---\nlicense:\n- mit\n- cc-by-4.0\n---\n", "mit, cc-by-4.0"],
  ['---\nlicense: [mit, "cc-by-4.0"]\n---\n', "mit, cc-by-4.0"],
  ["---\nlicense:\ntags:\n- dna\n---\n", undefined],
  ["---\nlicense_name: mine\n---\nlicense: mit\n", undefined],
  ["# Model\n\nlicense: mit\n", undefined],
  ["---\nlicense: \u001b[31mred\n---\n", undefined],
])("licence of the model card %j is %s", async (card, licence) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "README.md"), card);
  expect(await folderLicence(folder)).toBe(licence);
});

test("a folder without a model card has no licence", async () => {
  expect(await folderLicence(temporaryFolder())).toBeUndefined();
});
