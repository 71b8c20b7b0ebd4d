import { afterAll, describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { scoredSpan } from "../../../src/dna/tokenizers/base-map.ts";
import type { Tokens } from "../../../src/dna/tokenizers/tokenizer.ts";
import {
  maskedLogLikelihoods,
  maskedTokenLogProbabilities,
} from "../../../src/models/queries/masked-likelihood.ts";
import type { TokenQuery } from "../../../src/models/queries/programs.ts";
import { TINY_ENCODERS, tinyEncoder } from "../tiny-encoders.ts";
import { counted, tokensOf } from "../tiny-query.ts";
import { plainLogSoftmax } from "./plain-log-softmax.ts";

const corrected = { protocol: "corrected" } as const;

/** The definition: every masked copy through the whole model, with a float64 softmax. */
async function plainly(query: TokenQuery, { ids }: Tokens): Promise<number> {
  const { start, end } = scoredSpan(query.tokenizer, ids);
  let total = 0;
  for (let place = start; place < end; place++) {
    const guesses = await plainLogSoftmax(query, ids.with(place, query.tokenizer.special.mask!));
    total += guesses[place][ids[place]];
  }
  return total;
}

describe.each(TINY_ENCODERS)("%s", (...encoder) => {
  const query = tinyEncoder(encoder);
  afterAll(() => query.close());
  const { before, after } = query.tokenizer;
  const rng = new Pcg64(3);
  const rowOf = (length: number) =>
    tokensOf([...before, ...Array.from({ length }, () => 6 + (rng.nextUint32() % 18)), ...after]);
  const rows = [5, 1, 9, 5, 12, 2, 9].map(rowOf);

  test("computing one masked token in the last layer equals the definition", async () => {
    const totals = await maskedLogLikelihoods(query, rows, corrected);
    for (const [i, row] of rows.entries()) {
      const expected = await plainly(query, row);
      expect(Math.abs(totals[i] - expected)).toBeLessThan(1e-5 * Math.abs(expected));
    }
  });

  test("the full pass gives the same results", async () => {
    const { forwardAt: _, ...untrimmed } = query.architecture;
    const naive = tinyEncoder(encoder);
    const whole = await maskedLogLikelihoods({ ...naive, architecture: untrimmed }, rows, corrected);
    await naive.close();
    const totals = await maskedLogLikelihoods(query, rows, corrected);
    totals.forEach((total, i) => {
      expect(Math.abs(total - whole[i])).toBeLessThan(1e-5 * Math.abs(total));
    });
  });

  test("a row's likelihood does not depend on other rows", async () => {
    const together = await maskedLogLikelihoods(query, rows, corrected);
    for (const [i, row] of rows.entries()) {
      const [alone] = await maskedLogLikelihoods(query, [row], corrected);
      expect(Math.abs(alone - together[i])).toBeLessThan(1e-5 * Math.abs(alone));
    }
  });

  test("each distinct row is run once and nothing is padded", async () => {
    const row = rows[2];
    const counter = counted(query);
    const [once] = await maskedLogLikelihoods(counter.query, [row], corrected);
    const tokens = row.ids.length;
    expect([counter.rows, counter.tokens]).toEqual([9, 9 * tokens]);

    const twice = counted(query);
    const both = await maskedLogLikelihoods(twice.query, [row, rows[0], { ...row }], corrected);
    expect(twice.rows).toBe(9 + 5);
    expect(both[2]).toBe(both[0]);
    expect(Math.abs(both[0] - once)).toBeLessThan(1e-5 * Math.abs(once));

    // two rows that differ in one token share the copy that masks it
    const place = before.length + 4;
    const other = { ...row, ids: row.ids.with(place, row.ids[place] === 6 ? 7 : 6) };
    const alike = counted(query);
    const [first, second] = await maskedLogLikelihoods(alike.query, [row, other], corrected);
    expect(alike.rows).toBe(9 + 9 - 1);
    expect(Math.abs(first - once)).toBeLessThan(1e-5 * Math.abs(once));
    const expected = await plainly(query, other);
    expect(Math.abs(second - expected)).toBeLessThan(1e-5 * Math.abs(expected));
  });

  test("scores the tokens of the requested bases, and no others", async () => {
    const row = rows[2];
    const place = row.starts.findIndex((start, token) => start === 2 && row.ends[token] === 3);
    const counter = counted(query);
    const [all] = await maskedTokenLogProbabilities(query, [row], corrected);
    const within = [2, 5] as const;
    const [some] = await maskedTokenLogProbabilities(counter.query, [row], { ...corrected, within });
    expect([some.first, some.values.length, counter.rows]).toEqual([place, 3, 3]);
    Array.from(some.values).forEach((value, i) => {
      expect(value).toBeCloseTo(all.values[place - all.first + i], 5);
    });
  });

  test("no rows, and a row without a scored token", async () => {
    expect(await maskedLogLikelihoods(query, [], corrected)).toEqual(new Float64Array(0));
    const empty = tokensOf([...before, ...after]);
    expect(await maskedLogLikelihoods(query, [empty], corrected)).toEqual(Float64Array.of(0));
  });

  test("stops between runs when the signal aborts", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(maskedLogLikelihoods(query, rows, { ...corrected, signal })).rejects.toThrow("enough");
  });
});

test("a tokenizer without a mask token is an error", async () => {
  const query = tinyEncoder(TINY_ENCODERS[0]);
  const tokenizer = { ...query.tokenizer, special: { cls: 1, sep: 2 } };
  const asked = maskedLogLikelihoods({ ...query, tokenizer }, [tokensOf([1, 7, 2])], corrected);
  await expect(asked).rejects.toThrow(/the tokenizer tiny has no mask token/);
  await query.close();
});
