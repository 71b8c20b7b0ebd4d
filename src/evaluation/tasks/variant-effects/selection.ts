import { isEvaluated } from "../../../datasets/variants/table.ts";
import type { Protocol } from "../../../models/model.ts";
import type { ScoredVariant } from "./scores.ts";

/** The variants that are evaluated, and what became of the others. */
export interface EvaluatedVariants {
  readonly significant: readonly ScoredVariant[];
  readonly controls: readonly ScoredVariant[];
  /** Significant ones whose effect is known. */
  readonly withEffect: readonly ScoredVariant[];
  /** Rows that the original stops at, left out under `paper`. */
  readonly refused: number;
  /** Rows that stand in the table again, with the same place and alleles. */
  readonly duplicates: number;
}

/**
 * The rows that the benchmark evaluates: those that the table marks as used and, of the African caQTLs, as in peaks, where the
 * table has these columns; those with a label among them are QTLs or controls.
 *
 * Under `paper` rows that the original stops at are left out (quirks Q19 and Q20), and a variant that stands in the table k
 * times counts k² times, as a join of scores with table by place and alleles has it (quirk Q39).
 */
export function evaluatedVariants(variants: readonly ScoredVariant[], protocol: Protocol): EvaluatedVariants {
  const accepted = variants.filter(({ facts }) => facts.original !== "refused");
  const scored = protocol === "paper" ? accepted : variants;
  const distinct = distinctKeys(scored);
  const joined = protocol === "paper" && distinct < scored.length ? joinedByKey(scored) : scored;
  const asked = joined.filter(({ facts }) => isEvaluated(facts));
  const significant = asked.filter(({ facts }) => facts.significant === true);
  return {
    significant,
    controls: asked.filter(({ facts }) => facts.significant === false),
    withEffect: significant.filter(({ facts }) => facts.effect !== undefined),
    refused: variants.length - accepted.length,
    duplicates: scored.length - distinct,
  };
}

function distinctKeys(scored: readonly ScoredVariant[]): number {
  const largest = scored.reduce((largest, { key }) => Math.max(largest, key), -1);
  const seen = new Uint8Array(largest + 1);
  for (const { key } of scored) seen[key] = 1;
  return seen.reduce((sum, one) => sum + one, 0);
}

function joinedByKey(scored: readonly ScoredVariant[]): readonly ScoredVariant[] {
  const byKey = new Map<number, ScoredVariant[]>();
  for (const variant of scored) {
    const same = byKey.get(variant.key);
    if (same === undefined) byKey.set(variant.key, [variant]);
    else same.push(variant);
  }
  return scored.flatMap((row) => byKey.get(row.key)!.map(({ difference }) => ({ ...row, difference })));
}
