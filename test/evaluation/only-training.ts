import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";

/** The folder of the only training run in a run's folder. */
export async function onlyTraining(runFolder: string): Promise<string> {
  const trained = join(runFolder, "trained");
  const names = await readdir(trained);
  expect(names).toEqual([expect.stringMatching(/^[0-9a-f]{8}$/)]);
  return join(trained, names[0]);
}
