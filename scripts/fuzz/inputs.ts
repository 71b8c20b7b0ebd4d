import { Pcg64 } from "../../src/base/pcg64.ts";
import { seedOf } from "../../src/base/random.ts";
import { mutate } from "./mutate.ts";
import type { Files, Parser, Seed } from "./parsers.ts";

/**
 * Input of a parser by its number, 0-based; it depends only on the parser's name, the seeds and the
 * arguments.
 */
export function inputOf(
  { name }: Pick<Parser, "name">,
  seeds: readonly Seed[],
  seed: number,
  number: number,
): Files {
  const rng = new Pcg64(seedOf(["fuzz", name, seed, number]));
  const chosen = seeds[Math.floor(rng.nextFloat64() * seeds.length)];
  return chosen.files(mutate(chosen.bytes, chosen.form, rng));
}
