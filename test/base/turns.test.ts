import { expect, test } from "vitest";
import { runToEnd, runWithPauses } from "../../src/base/generator-work.ts";

function* counting(done: number[]): Generator<void, string> {
  for (let i = 0; i < 3; i++) {
    done.push(i);
    yield;
  }
  return "counted";
}

test("at one go, and with a pause after each part: the same work and result", async () => {
  const done: number[] = [];
  expect(runToEnd(counting(done))).toBe("counted");
  const seen: number[] = [];
  const again: number[] = [];
  const pause = async () => void seen.push(again.length);
  expect(await runWithPauses(counting(again), pause)).toBe("counted");
  expect(again).toEqual(done);
  expect(seen).toEqual([1, 2, 3]);
});

test("what a pause throws ends the work", async () => {
  const done: number[] = [];
  const pause = () => (done.length < 2 ? Promise.resolve() : Promise.reject(new Error("enough")));
  await expect(runWithPauses(counting(done), pause)).rejects.toThrow("enough");
  expect(done).toEqual([0, 1]);
});
