import type { Pcg64 } from "../../base/pcg64.ts";
import { integerBelow } from "../../base/random.ts";
import { drawChain } from "./background.ts";
import { integerIn } from "./draws.ts";

/** Interspersed repeats: name, length of the full copy, share of the genome. */
const FAMILIES = [
  { name: "SINE", length: 300, share: 0.05 },
  { name: "LINE", length: 900, share: 0.05 },
  { name: "LTR", length: 420, share: 0.02 },
];

/** Letters changed since a copy was inserted, per cent, least and most. */
const DIVERGENCE = [5, 20] as const;

/** The full copies, one per family, common to all chromosomes of a genome. */
export function drawRepeatFamilies(rng: Pcg64): readonly Uint8Array[] {
  return FAMILIES.map(({ length }) => {
    const codes = new Uint8Array(length);
    drawChain(rng, codes, 0, length, { gc: 0.45, cpg: 0.5 });
    return codes;
  });
}

/**
 * Puts diverged copies on either strand, LINEs cut short at their 5' end, and simple repeats into a chromosome.
 *
 * They are what a model of the genome learns first and what no element is made of.
 *
 * @param codes    the chromosome, changed in place
 * @returns        1 for each repeat letter, as RepeatMasker would soft-mask it, else 0
 */
export function insertRepeats(rng: Pcg64, codes: Uint8Array, families: readonly Uint8Array[]): Uint8Array {
  const masked = new Uint8Array(codes.length);
  families.forEach((consensus, family) => {
    const { name, share } = FAMILIES[family]!;
    for (let left = Math.round(share * codes.length); left > 0; ) {
      const cut = name === "LINE" ? integerBelow(rng, consensus.length - 100) : 0;
      const length = Math.min(consensus.length - cut, codes.length);
      const at = integerBelow(rng, codes.length - length + 1);
      const turned = integerBelow(rng, 2) === 1;
      const divergence = integerIn(rng, DIVERGENCE) / 100;
      for (let i = 0; i < length; i++) {
        const code = turned ? 3 - consensus[consensus.length - 1 - i]! : consensus[cut + i]!;
        codes[at + i] = rng.nextFloat64() < divergence ? integerBelow(rng, 4) : code;
      }
      masked.fill(1, at, at + length);
      left -= length;
    }
  });
  for (let left = Math.round(codes.length * 0.01); left > 0; left -= 40) {
    const unit = [integerBelow(rng, 4), integerBelow(rng, 4)] as const; // a run of one letter, one time in four
    const length = Math.min(integerIn(rng, [20, 60]), codes.length);
    const at = integerBelow(rng, codes.length - length + 1);
    for (let i = 0; i < length; i++) codes[at + i] = unit[i & 1]!;
    masked.fill(1, at, at + length);
  }
  return masked;
}
