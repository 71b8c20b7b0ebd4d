import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { importModel } from "../../../src/models/external/module-model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

async function importing(code: string) {
  const file = join(temporaryFolder(), "mine.mjs");
  await writeFile(file, code);
  return importModel(file);
}

test("a module's model is given as it is", async () => {
  const model = await importing(
    'export const model = { name: "mine", logLikelihood: (s) => s.map(() => -1) };',
  );
  expect(model.name).toBe("mine");
});

test("a module that cannot be loaded, or has no model, is the user's to mend", async () => {
  for (const [code, says] of [
    ["this is no code", /mine\.mjs cannot be loaded: /],
    ['throw new Error("boom");', /mine\.mjs cannot be loaded: Error: boom/],
    ["export default {};", /exports no model/],
  ] as const) {
    const error = await importing(code).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(says);
  }
});
