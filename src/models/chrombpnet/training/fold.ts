import { z } from "zod";
import { FormatError, InputError } from "../../../base/errors.ts";
import { textIfPresent } from "../../../base/read-file.ts";
import type { Region } from "../regions.ts";

/** Split of a genome: training, validation for early stopping, and test. */
export type FoldPart = "train" | "valid" | "test";

/** Chromosomes (`chr8`) and ranges (`chr22:0-3483672`, 0-based and half-open) of each split. */
export type Fold = Readonly<Record<FoldPart, readonly string[]>>;

const FoldText = z.strictObject({
  train: z.array(z.string()),
  valid: z.array(z.string()),
  test: z.array(z.string()),
});

/**
 * Reads a fold in the original's JSON format.
 *
 * @throws {FormatError} when the file has another form
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
      "not a fold: expected an object with the lists train, valid and test",
      'such as {"train": ["chr1", "chr22:0-3000000"], "valid": ["chr8"], "test": ["chr10"]}',
      cause,
    );
  }
}

/**
 * Function from a region to the split of its centre; undefined outside all splits.
 * @throws {InputError} when an entry is not a chromosome or range
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
  throw new InputError(`${JSON.stringify(text)} in the fold is neither a chromosome nor a range`, {
    hint: "write chr8, or chr22:0-3483672 for bases 0 to 3,483,671, counted from 0",
  });
}
