import { afterAll, describe, expect, test } from "vitest";
import { collate } from "../../../src/models/language/collate.ts";
import type { Protocol, SequenceEmbedding } from "../../../src/models/model.ts";
import { tokenStates } from "../../../src/models/queries/embeddings.ts";
import { TINY_ENCODERS, tinyEncoder } from "../tiny-encoders.ts";
import { counted, tokensOf } from "../tiny-query.ts";

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));

describe.each(TINY_ENCODERS)("%s", (...encoder) => {
  const query = tinyEncoder(encoder);
  afterAll(() => query.close());
  const { before, after, special } = query.tokenizer;
  const rowOf = (...ids: number[]) => tokensOf([...before, ...ids, ...after]);
  const rows = [rowOf(7, 8, 9, 10, 11, 12), rowOf(13, 14, 15), rowOf(16, 17, 18, 19, 20, 21)];
  const ask = (protocol: Protocol, paddingHidden = false, given = rows) =>
    tokenStates(query, given, { protocol, paddingHidden });

  test("corrected: a row's states depend on the row alone, and nothing is padded", async () => {
    const counter = counted(query);
    const together = await tokenStates(counter.query, rows, { protocol: "corrected" });
    expect(counter.tokens).toBe(rows.reduce((sum, { ids }) => sum + ids.length, 0));
    for (const [i, row] of rows.entries()) {
      const [alone] = await ask("corrected", false, [row]);
      expect(alone.tokens).toBe(row.ids.length);
      expect(largest(alone.states, together[i].states)).toBeLessThan(1e-5);
      expect(together[i].ends).toEqual(row.ends);
    }
  });

  test("paper: rows are padded to the longest; masked padding changes no token, other padding does", async () => {
    const alone = await ask("corrected");
    const hidden = await ask("paper", true);
    const seen = await ask("paper");
    const tokens = rows[1].ids.length;
    const own = ({ states, width }: SequenceEmbedding) => states.subarray(0, tokens * width);
    expect(seen.map((each) => each.tokens)).toEqual([
      rows[0].ids.length,
      rows[0].ids.length,
      rows[0].ids.length,
    ]);
    expect(largest(own(hidden[1]), own(alone[1]))).toBeLessThan(1e-5);
    expect(largest(own(seen[1]), own(alone[1]))).toBeGreaterThan(1e-3);
    // the longest rows have no padding and stay as they are
    expect(largest(seen[0].states, alone[0].states)).toBeLessThan(1e-5);
    expect([...seen[1].ends.subarray(tokens)]).toEqual([0, 0, 0]);
  });

  test("paper: padding that is not masked is a token like any other", async () => {
    const seen = await ask("paper");
    const padded = [...rows[1].ids, special.pad!, special.pad!, special.pad!];
    const [asTokens] = await ask("corrected", false, [tokensOf(padded)]);
    expect(largest(seen[1].states, asTokens.states)).toBeLessThan(1e-5);
  });

  test("no rows give no outputs", async () => {
    expect(await ask("corrected", false, [])).toEqual([]);
    expect(await ask("paper", false, [])).toEqual([]);
  });
});

test("rows are padded to the longest, with a mask", () => {
  const { ids, mask } = collate([tokensOf([1, 2, 3]), tokensOf([4])], { pad: 9 });
  expect([...(ids.data as Int32Array)]).toEqual([1, 2, 3, 4, 9, 9]);
  expect([...(mask.data as Float32Array)]).toEqual([1, 1, 1, 1, 0, 0]);
  expect(collate([tokensOf([4])], { tokens: 2 }).ids.shape).toEqual([1, 2]);
});

test("rows that must be padded need a padding token", async () => {
  const query = tinyEncoder(TINY_ENCODERS[0]);
  const tokenizer = { ...query.tokenizer, special: { mask: 4 } };
  const asked = tokenStates({ ...query, tokenizer }, [tokensOf([1, 7, 2]), tokensOf([1, 2])], {
    protocol: "paper",
  });
  await expect(asked).rejects.toThrow(/the tokenizer tiny has no padding token/);
  await query.close();
});
