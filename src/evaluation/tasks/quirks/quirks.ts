import { DATA_QUIRKS } from "./data-quirks.ts";
import type { Quirk } from "./quirk.ts";
import { SCORING_QUIRKS } from "./scoring-quirks.ts";
import { TRAINING_QUIRKS } from "./training-quirks.ts";
import { VARIANT_QUIRKS } from "./variant-quirks.ts";

/** Every known quirk of the original, by number. `docs/quirks.md` is written from this list. */
export const QUIRKS: readonly Quirk[] = [
  ...TRAINING_QUIRKS,
  ...SCORING_QUIRKS,
  ...VARIANT_QUIRKS,
  ...DATA_QUIRKS,
].sort((a, b) => numberOf(a) - numberOf(b));

function numberOf({ label }: Quirk): number {
  return Number(label.slice(1));
}

interface ScoredCell {
  readonly task: string;
  readonly setting: string;
  /** Undefined for a model without a family. */
  readonly family: string | undefined;
}

/** Labels of the quirks that make the two protocols' scores of a cell differ. */
export function scoreQuirks({ task, setting, family }: ScoredCell): readonly string[] {
  return QUIRKS.filter(({ changesScores = [] }) =>
    changesScores.some(
      ({ tasks, settings, families }) =>
        tasks.some((name) => name === task) &&
        settings.includes(setting) &&
        (families === undefined || (family !== undefined && families.includes(family))),
    ),
  ).map(({ label }) => label);
}
