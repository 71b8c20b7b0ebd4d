import { expect, test } from "vitest";
import type { InputError } from "../../src/base/errors.ts";
import { dataInputs } from "../../src/cli/requested-tasks.ts";
import type { Task } from "../../src/evaluation/tasks/task.ts";

const taskWith = (...names: string[]) =>
  ({ name: "a-task", inputs: names.map((name) => ({ name, what: `its ${name}` })) }) as unknown as Task;

function catchHint(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return (error as InputError).hint;
  }
  return undefined;
}

test("one table needs no name", () => {
  expect(dataInputs(taskWith("genome", "elements"), ["a=b.tsv"])).toEqual({ elements: "a=b.tsv" });
  expect(dataInputs(taskWith("genome", "elements"), ["elements=b.tsv"])).toEqual({ elements: "b.tsv" });
});

test("texts are named; a single table need not be", () => {
  const task = taskWith("genome", "variants");
  const inputs = [...task.inputs, { name: "dataset", kind: "text", description: "its name" }] as const;
  expect(dataInputs({ ...task, inputs }, ["dataset=caQTL", "v.tsv"])).toEqual({
    dataset: "caQTL",
    variants: "v.tsv",
  });
});

test("several tables are named", () => {
  const task = taskWith("genome", "peaks", "signal");
  expect(dataInputs(task, ["peaks=p.bed", "signal=s.bw"])).toEqual({ peaks: "p.bed", signal: "s.bw" });
  expect(() => dataInputs(task, ["p.bed"])).toThrow("--data p.bed: a-task has several inputs");
  const named = { name: "cell-line", kind: "text", description: "its name" } as const;
  const hint = catchHint(() => dataInputs({ ...task, inputs: [...task.inputs, named] }, ["p.bed"]));
  expect(hint).toBe("name the input: --data peaks=FILE signal=FILE cell-line=NAME");
  expect(() => dataInputs(task, ["peaks=a", "peaks=b"])).toThrow("--data has peaks twice: a and b");
});
