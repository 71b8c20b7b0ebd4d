import { InputError } from "../base/errors.ts";
import { checkpointWithWeights, type LanguageModelCard, type ReferenceOutput } from "./language/card.ts";
import type { LanguageModel } from "./language-model.ts";

/** Comparison of a model's hidden states with a run of the official code. */
export interface ReferenceCheck {
  readonly reference: ReferenceOutput;
  /** Largest absolute deviation from a reference value. */
  readonly deviation: number;
  readonly agrees: boolean;
}

/** Name of the published checkpoint with these weights, by their digest or as given. */
function presetOf(card: LanguageModelCard, model: LanguageModel, preset: string | undefined): string {
  if (preset !== undefined) {
    if (card.referenceOutputs.some((output) => output.preset === preset)) return preset;
    throw new InputError(`no reference output is known for ${card.name} ${preset}`, {
      hint: knownRuns(card),
    });
  }
  const found = checkpointWithWeights(card, model.identity);
  if (found !== undefined && card.referenceOutputs.some((output) => output.preset === found.preset))
    return found.preset;
  throw new InputError("these weights are not a checkpoint with a known reference output", {
    hint: `${knownRuns(card)}; name one with --preset if the weights are the same`,
  });
}

/** Lists the checkpoints of a family with and without reference outputs. */
function knownRuns({ referenceOutputs, checkpoints }: LanguageModelCard): string {
  const known = [...new Set(referenceOutputs.map(({ preset }) => preset))];
  const others = checkpoints.map(({ preset }) => preset).filter((preset) => !known.includes(preset));
  return `outputs are known for ${known.join(", ") || "none"}${others.length === 0 ? "" : `; not for ${others.join(", ")}`}`;
}

/**
 * Compares a checkpoint with published outputs of the official code for the same weights: the mean of the
 * last hidden state over all tokens of a short sequence, or the states of some tokens.
 *
 * @throws {InputError} when no reference output is known for these weights
 */
export async function verifyModel(model: LanguageModel, preset?: string): Promise<readonly ReferenceCheck[]> {
  const name = presetOf(model.card, model, preset);
  const checks: ReferenceCheck[] = [];
  for (const reference of model.card.referenceOutputs.filter((each) => each.preset === name)) {
    const { states, tokens, width } = await model.statesOf(reference.ids);
    const stateOf = (token: number) => states.subarray(token * width, (token + 1) * width);
    checks.push(compareWithReference(reference, meanOfAll(states, tokens, width), stateOf));
  }
  return checks;
}

function meanOfAll(states: Float32Array, tokens: number, width: number): Float64Array {
  const mean = new Float64Array(width);
  states.forEach((value, at) => {
    mean[at % width] += value / tokens;
  });
  return mean;
}

/**
 * Compares the states of a model with one reference output. Deviations of sums are scaled to a single value,
 * so that one tolerance applies to all.
 *
 * @param mean     mean of the states of all tokens
 * @param stateOf  state of one token
 */
export function compareWithReference(
  reference: ReferenceOutput,
  mean: Float64Array,
  stateOf: (token: number) => ArrayLike<number> = () => [],
): ReferenceCheck {
  const { first = [], last = [], sum, sumOfSquares } = reference.mean ?? {};
  const total = mean.reduce((a, b) => a + b, 0);
  const squares = mean.reduce((a, b) => a + b * b, 0);
  const ofTokens = Object.entries({ 0: reference.firstToken ?? [], ...reference.otherTokens });
  const deviations = [
    ...first.map((value, i) => Math.abs(value - mean[i])),
    ...last.map((value, i) => Math.abs(value - mean[mean.length - last.length + i])),
    ...ofTokens.flatMap(([token, values]) => {
      const state = stateOf(Number(token));
      return values.map((value, i) => Math.abs(value - (state[i] ?? Number.NaN)));
    }),
    ...(sum === undefined ? [] : [Math.abs(sum - total) / Math.sqrt(mean.length)]),
    ...(sumOfSquares === undefined ? [] : [Math.abs(sumOfSquares - squares) / mean.length]),
  ];
  const deviation = Math.max(
    ...deviations.map((value) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value)),
  );
  return { reference, deviation, agrees: deviation <= reference.tolerance };
}
