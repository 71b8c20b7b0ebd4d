import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { integerBelow } from "../../../src/base/random.ts";
import type { LikelihoodPrediction } from "../../../src/evaluation/tasks/prediction.ts";
import { PredictionColumns } from "../../../src/evaluation/tasks/prediction-columns.ts";
import { inRowOrder } from "../../../src/evaluation/tasks/row-order.ts";
import { streamed } from "./streamed-columns.ts";

const rng = new Pcg64(8);
/** Rows with gaps; some have no chromosome. */
const ascending = Array.from(
  { length: 300 },
  (_, i): LikelihoodPrediction => ({
    kind: "likelihood",
    row: 70 * Math.floor(i / 3) + (i % 3),
    values: [rng.nextFloat64(), i],
    facts: { same: i % 2, ...(i % 7 === 0 ? {} : { chrom: `chr${integerBelow(rng, 4)}` }) },
  }),
);

const ORDERS: readonly (readonly [string, (place: number) => number])[] = [
  ["ascending", (place) => place],
  ["descending", (place) => -place],
  ["sorted within blocks, as by number of tokens", (place) => 40 * Math.floor(place / 40) - (place % 40)],
  ["of four shards", (place) => 1000 * (place % 4) + place],
  ["random", () => rng.nextFloat64()],
];

test.each(ORDERS)("brings rows in %s order into ascending order, on disk and in memory", (_, keyOf) => {
  const order = ascending.map((prediction, place) => ({ prediction, key: keyOf(place) }));
  const given = order.sort((a, b) => a.key - b.key).map(({ prediction }) => prediction);
  for (const columns of [streamed(given), streamed(given, 64), PredictionColumns.of(given)]) {
    const sorted = inRowOrder(columns);
    expect([...sorted]).toEqual(ascending);
    expect([...sorted.rowList.slice(5, 9)]).toEqual(ascending.slice(5, 9).map(({ row }) => row));
  }
});
