import { expect, test } from "vitest";
import { clusteringSeconds } from "../../../../src/evaluation/tasks/cell-type-elements/clustering-time.ts";

const recipe = { transform: "raw", solver: "full", components: 8, clusters: 10, clusterSeeds: 3 };
const pause = async () => {};

test("the time grows with rows and seeds, and stops at a signal", async () => {
  const few = await clusteringSeconds({ rows: 400, columns: 16 }, recipe, pause);
  const many = await clusteringSeconds(
    { rows: 4000, columns: 16 },
    { ...recipe, clusterSeeds: 30_000 },
    pause,
  );
  expect(few).toBeGreaterThan(0);
  expect(many).toBeGreaterThan(5 * few);
  const stopped = clusteringSeconds({ rows: 400, columns: 16 }, recipe, () =>
    Promise.reject(new Error("stop")),
  );
  await expect(stopped).rejects.toThrow("stop");
});

test("fewer rows than clusters take the time of the components alone", async () => {
  const calls: string[] = [];
  await clusteringSeconds({ rows: 4, columns: 16 }, recipe, async () => void calls.push("pause"));
  expect(calls).toEqual([]);
});
