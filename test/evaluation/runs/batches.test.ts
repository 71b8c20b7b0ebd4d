import fc from "fast-check";
import { expect, test } from "vitest";
import { inScoringOrder } from "../../../src/evaluation/runs/batches.ts";
import { blocksOf } from "../../../src/evaluation/tasks/row-list.ts";
import type { Example } from "../../../src/evaluation/tasks/task-rows.ts";

const model = { name: "m", tokenCount: (bases: string) => bases.length };
const examples = fc
  .array(
    fc.array(fc.string({ unit: fc.constantFrom(..."ACGT"), maxLength: 30 }), { minLength: 2, maxLength: 2 }),
    { maxLength: 40 },
  )
  .map((rows) => rows.map((sequences, row): Example => ({ row, sequences, facts: {} })));
const tokens = ({ sequences }: Example) => Math.max(...sequences.map(({ length }) => length));

test("scores every row once, short rows first, ties in table order", () => {
  fc.assert(
    fc.property(examples, (given) => {
      const order = inScoringOrder(given, model);
      expect(order.map(({ row }) => row).toSorted((a, b) => a - b)).toEqual(given.map(({ row }) => row));
      for (let i = 1; i < order.length; i++) {
        const [before, after] = [order[i - 1], order[i]];
        expect(
          tokens(before) < tokens(after) || (tokens(before) === tokens(after) && before.row < after.row),
        ).toBe(true);
      }
    }),
  );
});

test("keeps table order without token counts", () => {
  fc.assert(
    fc.property(examples, (given) => {
      expect(inScoringOrder(given, { name: "m" })).toEqual(given);
    }),
  );
});

test("splits rows into blocks", () => {
  const rows = Uint32Array.from({ length: 10 }, (_, row) => 3 * row);
  expect([...blocksOf(rows, 4)].map((block) => block.length)).toEqual([4, 4, 2]);
  expect([...blocksOf(rows, 4)].flatMap((block) => [...block])).toEqual([...rows]);
  expect([...blocksOf(new Uint32Array(0))]).toEqual([]);
});
