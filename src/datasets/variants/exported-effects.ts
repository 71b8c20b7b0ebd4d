import { basename } from "node:path";
import { FormatError, InputError } from "../../base/errors.ts";
import { openProcessed, type ProcessedData } from "../processed/h5.ts";
import type { VariantTable } from "./table.ts";

/** float32 keeps seven digits of an effect. */
const TOLERANCE = 1e-6;

/**
 * Effects of allele 2 against allele 1 for the rows of the African table, from `effect_size` of DART-Eval's data.h5. In the
 * published file its sign is that of beta except where allele 2 is the reference (quirk Q41).
 *
 * The group is the one named like the table's file, else the only one with as many entries. Entries are rows of the table in
 * its order; sizes must agree row by row.
 *
 * @returns [rows], NaN where the table has no effect
 * @throws {InputError} for a table whose effects are not of the alternative allele, or no group that fits
 * @throws {FormatError} when an entry's size is not that of beta
 */
export async function readExportedEffects(path: string, table: VariantTable): Promise<Float64Array> {
  if (table.favours !== "alternative") {
    throw new InputError("effect_size of data.h5 joins the African caQTLs alone", {
      place: { file: table.path },
      hint: "effects of other tables are of one allele in every row already; leave effects out",
    });
  }
  await using data = await openProcessed(path);
  const { effectSize } = data.variants(groupOf(data, table));
  for (const { index, line, effect = Number.NaN } of table.rows) {
    const size = Math.abs(effectSize[index]!);
    const known = Math.abs(effect);
    const same = Number.isNaN(known) ? Number.isNaN(size) : Math.abs(size - known) <= TOLERANCE * known;
    if (same) continue;
    throw new FormatError(
      { file: table.path, line },
      `the effect is ${effect}, and effect_size of entry ${index} of ${basename(path)} is ${effectSize[index]}`,
      "sizes agree where both are of the same variants in the same order",
    );
  }
  return effectSize;
}

function groupOf(data: ProcessedData, { path, rows }: VariantTable): string {
  const names = data.variantTables();
  const own = basename(path)
    .replace(/\.(gz|bgz)$/, "")
    .replace(/\.\w+$/, "");
  const entries = (name: string) => data.variants(name).effectSize.length;
  const fitting = names.filter((name) => entries(name) === rows.length);
  const found = fitting.includes(own) ? own : fitting.length === 1 ? fitting[0] : undefined;
  if (found !== undefined) return found;
  const known = names.map((name) => `${name} with ${entries(name)} entries`).join(", ") || "none";
  throw new InputError(`no table of data.h5 is that of ${basename(path)}, which has ${rows.length} rows`, {
    place: { file: data.path },
    hint: `there are: ${known}`,
  });
}
