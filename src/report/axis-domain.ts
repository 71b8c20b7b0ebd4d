/** Numbers of which an axis is to show all: a value with its interval. */
interface Span {
  readonly low: number;
  readonly high: number;
}

/**
 * The ends of an axis: a little beyond the lowest and the highest of chance and data. Shares do not go below 0 or above 1,
 * so an axis does not either, unless the data do, as correlations may.
 *
 * @param spans   at least one
 * @param chance  what guessing gives; null where that is not one number
 */
export function axisDomain(spans: readonly Span[], chance: number | null): [number, number] {
  const known = chance === null ? [] : [chance];
  const low = Math.min(...known, ...spans.map((span) => span.low));
  const high = Math.max(...known, ...spans.map((span) => span.high));
  const margin = Math.max(0.02, (high - low) * 0.08);
  return [
    low < 0 ? low - margin : Math.max(0, low - margin),
    high > 1 ? high + margin : Math.min(1, high + margin),
  ];
}
