import { join } from "node:path";
import { z } from "zod";
import { textIfPresent } from "../../base/read-file.ts";
import { createFileAtomic } from "../../base/write-file.ts";

/** Whose embeddings a folder holds: its name is a digest of this and says nothing to a person. */
export interface AboutEmbeddings {
  readonly model: string;
  readonly protocol: string;
  readonly storedAs: string;
}

const schema = z.object({ model: z.string(), protocol: z.string(), storedAs: z.string() });
const aboutPath = (folder: string) => join(folder, "about.json");

/** Written once, before the first piece. */
export async function writeAbout(folder: string, about: AboutEmbeddings): Promise<void> {
  await createFileAtomic(aboutPath(folder), `${JSON.stringify(about, null, 2)}\n`);
}

/** `hyenadna-large-1m, corrected protocol, float32`. */
export async function describeEmbeddings(folder: string): Promise<string> {
  let value: unknown;
  try {
    value = JSON.parse((await textIfPresent(aboutPath(folder))) ?? "");
  } catch {
    return "embeddings of a model that left no name";
  }
  const { data } = schema.safeParse(value);
  if (data === undefined) return "embeddings of a model that left no name";
  return `embeddings of ${data.model}, ${data.protocol} protocol, ${data.storedAs}`;
}
