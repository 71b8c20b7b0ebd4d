import { InputError } from "../base/errors.ts";
import { kindOfPath } from "../base/folder.ts";
import { packagePath } from "../base/package-file.ts";
import { LANGUAGE_MODELS } from "./catalogue.ts";

/**
 * The folder of a small trained checkpoint that comes with the package, one per family: `toys/README.md` says how they were
 * made. They know the sites of synthetic genomes and nothing of real ones.
 *
 * @param family  "hyenadna"
 * @throws {InputError} when there is none
 */
export async function toyFolder(family: string): Promise<string> {
  const names = LANGUAGE_MODELS.map(({ name }) => name);
  const folder = packagePath(`toys/${family}`);
  if (names.includes(family) && (await kindOfPath(folder)) === "folder") return folder;
  throw new InputError(`there is no toy called ${JSON.stringify(family)}`, {
    hint: `there are ${names.map((name) => `toy:${name}`).join(", ")}`,
  });
}
