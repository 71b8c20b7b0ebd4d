import { cachedDigest } from "../../base/cached-digest.ts";
import { InputError } from "../../base/errors.ts";
import { asSoleWriter } from "../../base/file-lock.ts";
import { kindOfPath } from "../../base/folder.ts";
import { stableStringify } from "../../base/json.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { removeFile, writeFileAtomic } from "../../base/write-file.ts";

/** A step of building a data set: files in, one file out. */
export interface BuildStep {
  /** In words: "counting reads of GM12878_1". */
  readonly what: string;
  /** The file that it makes, whole or not at all. */
  readonly output: string;
  /** Files that it reads. */
  readonly inputs: readonly string[];
  /** Whatever else decides the output; with the version of the step's rule. */
  readonly options: Readonly<Record<string, string | number>>;
  make(): Promise<unknown>;
}

/** "kept": its output was there, made from the same inputs. */
export type StepOutcome = "made" | "kept";

/**
 * Does a step, unless its output is there and was made from the same inputs: so a build that was stopped goes on where it
 * was. What an output was made from is kept beside it, in `<output>.from.json`.
 *
 * @throws {InputError} when an input cannot be read, and whatever the step throws
 */
export async function doStep({ output, inputs, options, make }: BuildStep): Promise<StepOutcome> {
  const digests: Record<string, string> = {};
  for (const input of inputs) digests[input] = await cachedDigest(input);
  const from = stableStringify({ inputs: Object.values(digests), options });
  const record = `${output}.from.json`;
  if ((await kindOfPath(output)) === "file" && (await textIfPresent(record)) === from) return "kept";
  // What the output is from now on is not known before it is whole.
  await removeFile(record);
  await asSoleWriter(output, make);
  if ((await kindOfPath(output)) !== "file") {
    throw new InputError("this file was not made by its step", { place: { file: output } });
  }
  await writeFileAtomic(record, from);
  return "made";
}
