import { auroc } from "../../../metrics/auroc.ts";
import { pearson } from "../../../metrics/correlation.ts";
import type { Protocol } from "../../../models/model.ts";
import { finiteOrNull, type QuirkEffect } from "../measurement.ts";
import { evaluatedVariants } from "./evaluated-variants.ts";
import { orientationOf, type ScoredVariant, type ScoreKind } from "./scores.ts";

/** Effects of the original's quirks, from the same predictions; quirks without an effect are left out. */
export function variantQuirks(
  variants: readonly ScoredVariant[],
  kind: ScoreKind,
  protocol: Protocol,
): readonly QuirkEffect[] {
  const { favours } = variants[0].facts;
  const quirks: QuirkEffect[] = [];
  const directed = kind !== "distance";
  if (directed && favours === "allele1" && kind === "likelihood") {
    quirks.push({
      label: "Q22",
      description:
        "Pearson r. Original: allele 2 − allele 1 for likelihoods of the Yoruban variants, although their effects refer to allele 1. Corrected: allele 1 − allele 2.",
      effect: byProtocol((rule) => signedPearson(variants, kind, rule, protocol)),
    });
  }
  if (favours === "alternative" && variants.some(({ facts }) => facts.reference === 2)) {
    quirks.push({
      label: "Q41",
      description:
        "Pearson r. Original: beta unchanged, also where allele 2 is the reference and beta refers to allele 1. Corrected: beta negated in these rows.",
      effect: byProtocol((rule) => signedPearson(variants, kind, rule, protocol)),
    });
  }
  if (variants.some(({ facts }) => facts.used === false) && variants.some(({ facts }) => facts.used)) {
    quirks.push({
      label: "Q23",
      description:
        "AUROC. Original: labels from the column is_causal of the published file, which marks the used variants instead of the QTLs. Corrected: labels of the QTLs.",
      effect: {
        paper: areaOf(variants, ({ facts }) => facts.used),
        corrected: evaluatedArea(variants, protocol),
      },
    });
  }
  if (variants.some(({ facts }) => facts.original === "refused")) {
    quirks.push({
      label: "Q20",
      description:
        "AUROC. Original: stops at alleles of several bases and at windows that begin before the chromosome (quirk Q19). Corrected: these variants are included.",
      effect: byProtocol((rule) =>
        evaluatedArea(
          rule === "paper" ? variants.filter(({ facts }) => facts.original !== "refused") : variants,
          "corrected",
        ),
      ),
    });
  }
  if (evaluatedVariants(variants, protocol).duplicates > 0) {
    quirks.push({
      label: "Q39",
      description:
        "AUROC. Original: scores and table are joined by position and alleles, and a variant listed k times counts k² times. Corrected: each row counts once.",
      effect: byProtocol((rule) => evaluatedArea(variants, rule)),
    });
  }
  if (variants.every(({ otherArithmetic }) => otherArithmetic !== undefined)) {
    const other = variants.map((variant) => ({ ...variant, difference: variant.otherArithmetic! }));
    const [paper, corrected] = protocol === "paper" ? [variants, other] : [other, variants];
    quirks.push({
      label: "Q16",
      description:
        "AUROC. Original: distances in float32, whose rounding error is about as large as the effect of one base. Corrected: float64.",
      effect: { paper: evaluatedArea(paper, protocol), corrected: evaluatedArea(corrected, protocol) },
    });
  }
  return quirks;
}

const byProtocol = (value: (rule: Protocol) => number | null) => ({
  paper: value("paper"),
  corrected: value("corrected"),
});

/** Pearson's r over QTLs with one protocol's signs, over the rows that the cell's protocol evaluates. */
function signedPearson(
  variants: readonly ScoredVariant[],
  kind: ScoreKind,
  rule: Protocol,
  protocol: Protocol,
): number | null {
  const { withEffect } = evaluatedVariants(variants, protocol);
  const { difference, effect } = orientationOf(withEffect[0]?.facts.favours ?? "allele2", kind, rule);
  return finiteOrNull(pearson(withEffect.map(difference), withEffect.map(effect)).r);
}

function evaluatedArea(variants: readonly ScoredVariant[], protocol: Protocol): number | null {
  const { significant, controls } = evaluatedVariants(variants, protocol);
  const chosen = new Set(significant);
  return areaOf([...significant, ...controls], (variant) => chosen.has(variant));
}

function areaOf(
  variants: readonly ScoredVariant[],
  label: (variant: ScoredVariant) => boolean | undefined,
): number | null {
  const labels = variants.map((variant) => (label(variant) ? 1 : 0));
  return finiteOrNull(
    auroc(
      variants.map(({ difference }) => Math.abs(difference)),
      labels,
    ),
  );
}
