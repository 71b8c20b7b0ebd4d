import { InputError, type Place } from "../../base/errors.ts";
import { quotedText } from "../../base/message-text.ts";

/** Names shown of a genome that may have thousands. */
const NAMES_SHOWN = 5;

/**
 * What to say when a genome has no sequence of a name: UCSC's `chr1` and `chrM` are Ensembl's `1` and `MT`, and mixing
 * the two is the usual reason.
 *
 * @param place  the genome, or the line of a table that names the sequence
 */
export function missingChromosome(name: string, known: Iterable<string>, place: Place): InputError {
  const names = [...known];
  const same = names.find((other) => bareName(other) === bareName(name));
  if (same !== undefined) {
    return new InputError(`the genome has no sequence ${quotedText(name)}; it calls it ${quotedText(same)}`, {
      place,
      hint: "tables and genome must use the same names: take both from one source, or rename the chromosomes in one",
    });
  }
  const shown = names
    .slice(0, NAMES_SHOWN)
    .map((each) => (each.length > 60 ? quotedText(each) : each))
    .join(", ");
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  return new InputError(`the genome has no sequence ${quotedText(name)}; it has ${shown}${more}`, {
    place,
    hint: "is this the genome that the table was made for?",
  });
}

function bareName(name: string): string {
  const bare = name.toLowerCase().replace(/^chr/, "");
  return bare === "mt" ? "m" : bare;
}
