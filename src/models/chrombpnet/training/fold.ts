import { z } from "zod";
import { FormatError, InputError } from "../../../base/errors.ts";
import { textIfPresent } from "../../../base/read-file.ts";
import type { Region } from "../regions.ts";

/** Which part of a genome is for what: to train, to tell when to stop, and to say how good the model is. */
export type FoldPart = "train" | "valid" | "test";

/** A part is a list of chromosomes (`chr8`) and of parts of chromosomes (`chr22:0-3483672`: 0-based, half-open). */
export type Fold = Readonly<Record<FoldPart, readonly string[]>>;

const FoldText = z.strictObject({
  train: z.array(z.string()),
  valid: z.array(z.string()),
  test: z.array(z.string()),
});

/**
 * A fold as the original's JSON files have it.
 *
 * @throws {FormatError} when the file is none
 * @throws {InputError} when there is no such file
 */
export async function readFold(path: string): Promise<Fold> {
  const text = await textIfPresent(path);
  if (text === undefined) throw new InputError("there is no such file", { place: { file: path } });
  try {
    return FoldText.parse(JSON.parse(text));
  } catch (cause) {
    throw new FormatError(
      { file: path },
      "this is no fold: an object with the lists train, valid and test is expected",
      'such as {"train": ["chr1", "chr22:0-3000000"], "valid": ["chr8"], "test": ["chr10"]}',
      cause,
    );
  }
}

/**
 * The part that a region's centre is in, undefined outside all parts.
 * @throws {InputError} when an entry is no place
 */
export function foldOf(fold: Fold): (region: Region) => FoldPart | undefined {
  const spans = (["train", "valid", "test"] as const).flatMap((part) =>
    fold[part].map((text) => ({ part, ...spanOf(text) })),
  );
  return ({ chrom, centre }) =>
    spans.find((span) => span.chrom === chrom && span.start <= centre && centre < span.end)?.part;
}

function spanOf(text: string) {
  const [, chrom = "", start, end] = /^([^:]+)(?::(\d+)-(\d+))?$/.exec(text) ?? [];
  const span = { chrom, start: Number(start ?? 0), end: Number(end ?? Number.POSITIVE_INFINITY) };
  if (chrom !== "" && span.start < span.end) return span;
  throw new InputError(`${JSON.stringify(text)} in the fold is neither a chromosome nor a part of one`, {
    hint: "write chr8, or chr22:0-3483672 for bases 0 to 3,483,671, counted from 0",
  });
}
