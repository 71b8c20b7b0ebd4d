import type { Check } from "./check.ts";
import { answers } from "./checks/answers.ts";
import { batchOrder } from "./checks/batch-order.ts";
import { causalShift } from "./checks/causal-shift.ts";
import { finite } from "./checks/finite.ts";
import { kMerOffset } from "./checks/k-mer-offset.ts";
import { padding } from "./checks/padding.ts";
import { repeatable } from "./checks/repeatable.ts";
import { specialTokens } from "./checks/special-tokens.ts";
import { strand } from "./checks/strand.ts";
import { truncation } from "./checks/truncation.ts";
import { unknownLetters } from "./checks/unknown-letters.ts";

/** Every check, each after those it rests on. */
export const CHECKS: readonly Check[] = [
  answers,
  finite,
  repeatable,
  batchOrder,
  padding,
  specialTokens,
  kMerOffset,
  causalShift,
  strand,
  unknownLetters,
  truncation,
];
