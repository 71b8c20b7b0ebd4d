import { FormatError, InputError } from "../../base/errors.ts";
import { parseFiniteNumber, readTable } from "../../base/table.ts";

export interface SequenceScores {
  /** @throws {InputError} naming how many sequences have no score, and the first */
  of(sequences: readonly string[]): Float64Array;
}

/**
 * A table of `sequence` and `log_likelihood`; lower-case letters count as upper case.
 *
 * @throws {FormatError} naming the line where a sequence has a letter that is not A, C, G or T, a score is no finite number,
 *   or a sequence comes again with another score
 */
export async function readSequenceScores(path: string): Promise<SequenceScores> {
  const scores = new Map<string, number>();
  for await (const { fields, line } of readTable(path, ["sequence", "log_likelihood"])) {
    const place = { file: path, line };
    const sequence = fields[0]!.toUpperCase();
    const score = parseFiniteNumber(fields[1]!, "log_likelihood", place);
    const other = /[^ACGT]/.exec(sequence);
    if (other !== null) {
      throw new FormatError(
        place,
        `letter ${JSON.stringify(other[0])} at position ${other.index} of the sequence is not A, C, G or T`,
        "models are shown A in place of every other letter",
      );
    }
    const before = scores.get(sequence);
    if (before !== undefined && before !== score) {
      throw new FormatError(
        place,
        `the sequence was given before, with the score ${before} and not ${score}`,
      );
    }
    scores.set(sequence, score);
  }
  return {
    of(sequences) {
      const missing = sequences.filter((sequence) => !scores.has(sequence));
      const [first] = missing;
      if (first === undefined) return Float64Array.from(sequences, (sequence) => scores.get(sequence)!);
      const shown = first.length > 60 ? `${first.slice(0, 60)}…` : first;
      throw new InputError(
        `${missing.length} of ${sequences.length} sequences asked for have no score, the first ${shown}`,
        {
          place: { file: path },
          hint: "controls are shuffled anew for every seed: score what `dart-eval` shows to models",
        },
      );
    },
  };
}
