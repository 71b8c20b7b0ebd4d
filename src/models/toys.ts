import { InputError } from "../base/errors.ts";
import { kindOfPath } from "../base/folder.ts";
import { packagePath } from "../base/package.ts";
import { TOYS } from "./catalogue.ts";

/**
 * The folder of a small trained model that comes with the package, one per family of language models and a ChromBPNet:
 * `toys/README.md` says how they were made. They know the sites of synthetic genomes and nothing of real ones.
 *
 * @param toy  "hyenadna"
 * @throws {InputError} when there is none
 */
export async function toyFolder(toy: string): Promise<string> {
  const names = TOYS.map(({ name }) => name);
  const folder = packagePath(`toys/${toy}`);
  if (names.includes(toy) && (await kindOfPath(folder)) === "folder") return folder;
  throw new InputError(`there is no toy called ${JSON.stringify(toy)}`, {
    hint: `there are ${names.map((name) => `toy:${name}`).join(", ")}`,
  });
}
