import { expect, test } from "vitest";
import { runWithPauses } from "../../../../src/evaluation/tasks/cell-type-elements/clustering-progress.ts";

function* counting(done: number[]): Generator<void, string> {
  for (let i = 0; i < 3; i++) {
    done.push(i);
    yield;
  }
  return "counted";
}

test("pauses at each yield and returns the result", async () => {
  const done: number[] = [];
  const seen: number[] = [];
  const pause = async () => void seen.push(done.length);
  expect(await runWithPauses(counting(done), pause)).toBe("counted");
  expect(done).toEqual([0, 1, 2]);
  expect(seen).toEqual([1, 2, 3]);
});

test("an error of the pause ends the computation", async () => {
  const done: number[] = [];
  const pause = () => (done.length < 2 ? Promise.resolve() : Promise.reject(new Error("enough")));
  await expect(runWithPauses(counting(done), pause)).rejects.toThrow("enough");
  expect(done).toEqual([0, 1]);
});
