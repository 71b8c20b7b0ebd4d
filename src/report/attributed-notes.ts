import type { Entry } from "./panels.ts";

type Noted = Pick<Entry, "label" | "protocol">;

/** Models that a note names before it counts them. */
const NAMED = 3;

/**
 * The entries' notes, each text once, in the order of their first occurrence. A note that does not hold for all entries begins
 * with those that it holds for: a protocol, or models.
 */
export function attributedNotes<E extends Noted>(
  entries: readonly E[],
  notesOf: (entry: E) => readonly string[],
): string[] {
  const holders = new Map<string, E[]>();
  for (const entry of entries) {
    for (const note of new Set(notesOf(entry))) holders.set(note, [...(holders.get(note) ?? []), entry]);
  }
  return [...holders].map(([note, some]) => `${prefix(some, entries)}${note}`);
}

function prefix(some: readonly Noted[], all: readonly Noted[]): string {
  if (some.length === all.length) return "";
  for (const protocol of ["paper", "corrected"] as const) {
    const ofProtocol = all.filter((entry) => entry.protocol === protocol);
    if (ofProtocol.length === some.length && ofProtocol.every((entry) => some.includes(entry)))
      return `Under the ${protocol} protocol: `;
  }
  const ambiguous = new Set(all.map(({ protocol }) => protocol)).size > 1;
  const labels = [...new Set(some.map(({ label }) => label))];
  const names = labels.map((label) => {
    const protocols = some.filter((entry) => entry.label === label).map(({ protocol }) => protocol);
    const everywhere = all.filter((entry) => entry.label === label).length === protocols.length;
    return ambiguous && !everywhere ? `${label} (${protocols.join(", ")})` : label;
  });
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `${names.slice(0, NAMED).join(", ")}${more}: `;
}
