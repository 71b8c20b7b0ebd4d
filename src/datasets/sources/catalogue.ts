import { InputError } from "../../base/errors.ts";
import { CELL_TYPE_PEAK_SOURCES } from "./cell-type-peaks.ts";
import { CHROMATIN_ACTIVITY_SOURCES } from "./chromatin-activity.ts";
import { ELEMENT_SOURCES } from "./elements.ts";
import { GENOME_SOURCES } from "./genomes.ts";
import { MOTIF_SOURCES } from "./motifs.ts";
import type { Source } from "./source.ts";
import { VARIANT_SOURCES } from "./variants.ts";

/** Every file that the benchmark is made of, genomes first, then by task. */
export const SOURCES: readonly Source[] = [
  ...GENOME_SOURCES,
  ...ELEMENT_SOURCES,
  ...MOTIF_SOURCES,
  ...CELL_TYPE_PEAK_SOURCES,
  ...CHROMATIN_ACTIVITY_SOURCES,
  ...VARIANT_SOURCES,
];

/** @throws {InputError} with names that are alike */
export function sourceNamed(name: string): Source {
  const found = SOURCES.find((source) => source.name === name);
  if (found !== undefined) return found;
  const alike = SOURCES.filter((source) => name.split("-").some((word) => source.name.includes(word)));
  throw new InputError(`there is no source ${JSON.stringify(name)}`, {
    hint:
      alike.length === 0
        ? "dart-eval data list tells their names"
        : `there are ${alike.map((source) => source.name).join(", ")}`,
  });
}
