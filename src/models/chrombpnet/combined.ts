import { add, softplus, sub } from "../../net/graph/build.ts";
import type { ProfileAndCounts } from "./bpnet.ts";

/**
 * Accessibility and the enzyme's bias as one prediction: the logits of the profiles are added, so the probabilities multiply;
 * of the counts the exponentials are added: ln(eᵃ + eᵇ), computed as a + ln(1 + eᵇ⁻ᵃ).
 *
 * @see Pampari et al. 2024, doi:10.1101/2024.12.25.630221
 */
export function withBias(accessibility: ProfileAndCounts, bias: ProfileAndCounts): ProfileAndCounts {
  return {
    logits: add(accessibility.logits, bias.logits),
    logCounts: add(accessibility.logCounts, softplus(sub(bias.logCounts, accessibility.logCounts))),
  };
}
