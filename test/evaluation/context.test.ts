import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { compareResults } from "../../src/evaluation/comparison/compare-results.ts";
import { evaluate } from "../../src/evaluation/evaluate.ts";
import { planRun } from "../../src/evaluation/runs/plan.ts";
import { readResults } from "../../src/evaluation/runs/stored-results.ts";
import { verifyCell } from "../../src/evaluation/runs/verify-cell.ts";
import { cellTypeElements } from "../../src/evaluation/tasks/cell-type-elements/cell-type-elements.ts";
import { chromatinActivity } from "../../src/evaluation/tasks/chromatin-activity/chromatin-activity.ts";
import { motifFootprinting } from "../../src/evaluation/tasks/motif-footprinting/motif-footprinting.ts";
import { regulatoryElements } from "../../src/evaluation/tasks/regulatory-elements/regulatory-elements.ts";
import type { OpenTask, Task } from "../../src/evaluation/tasks/task.ts";
import type { Example } from "../../src/evaluation/tasks/task-rows.ts";
import { variantEffects } from "../../src/evaluation/tasks/variant-effects/variant-effects.ts";
import { panelFigures } from "../../src/report/figures.ts";
import { gatherReport } from "../../src/report/report.ts";
import { submittedCells } from "../../src/report/submissions/submitted-cells.ts";
import { dinucleotideModel, elementInputs, smallRun } from "../report/export/small-run.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { folderOfFile } from "../temporary-folder.ts";

const folder = folderOfFile();
let files: SyntheticFiles;
beforeAll(async () => {
  files = await sharedGenome({ seed: 0, scale: 0.2 });
});

async function examplesOf(open: OpenTask): Promise<readonly Example[]> {
  const { rows } = open.select({ split: "all", purpose: "evaluate", limit: 40 });
  return open.examples(rows.slice());
}

/** Inputs of a task by the files of the synthetic genome. */
const inputsOf = () => {
  const { genome, regulatoryElements: elements, cellTypePeaks, cellLines, africanVariants } = files;
  const { peaksTable, confidentPeaksTable, nonPeaksTable, signal } = cellLines.K562;
  const activity = {
    peaks: peaksTable,
    idr: confidentPeaksTable,
    nonpeaks: nonPeaksTable,
    signal,
    "cell-line": "K562",
  };
  return new Map<Task, object>([
    [regulatoryElements, { genome, elements }],
    [cellTypeElements, { genome, elements: cellTypePeaks }],
    [chromatinActivity, { genome, ...activity }],
    [variantEffects, { genome, variants: africanVariants, ...activity }],
  ]);
};

describe("a wider window", () => {
  test.each([regulatoryElements, cellTypeElements, chromatinActivity, variantEffects] as readonly Task[])(
    "of $name has the task's own window in its middle, and the same facts",
    async (task) => {
      const inputs = inputsOf().get(task) as never;
      const context = task.window + 600;
      const [own, wide] = [
        await task.open(inputs, { seed: 0 }),
        await task.open(inputs, { seed: 0, context }),
      ];
      expect(own.context).toBeUndefined();
      expect(wide).toMatchObject({ context, task: { name: task.name, window: context } });
      expect(wide.digests).toEqual(own.digests);
      if (task === variantEffects) expect(wide.training?.context).toBe(context);
      const [before, after] = [await examplesOf(own), await examplesOf(wide)];
      expect(before.length).toBe(40);
      after.forEach(({ row, sequences, facts, aligned }, i) => {
        const { unknown: _, ...known } = facts;
        const { unknown: _own, ...expected } = before[i].facts;
        expect({ row, known, aligned }).toEqual({
          row: before[i].row,
          known: expected,
          aligned: before[i].aligned,
        });
        sequences.forEach((bases, member) => {
          expect(bases).toHaveLength(context);
          // An insertion or a deletion moves the bases after it at the end of the window alone.
          expect(bases.slice(300, 300 + task.window)).toBe(before[i].sequences[member]);
        });
      });
      await own.close();
      await wide.close();
    },
  );

  test("shuffles the same part of an element that is longer than the task's window", async () => {
    const { genome, elements } = await elementInputs(folder, 4);
    const long = elements.map((row) => ({
      ...row,
      elementStart: row.inputStart - 40,
      elementEnd: row.inputEnd + 40,
    }));
    const open = (context?: number) =>
      regulatoryElements.open({ genome, elements: long }, { seed: 0, ...(context && { context }) });
    const [own, wide] = [await open(), await open(550)];
    const [[before], [after]] = [await examplesOf(own), await examplesOf(wide)];
    expect(after.sequences[1].slice(100, 450)).toBe(before.sequences[1]);
    await own.close();
    await wide.close();
  });

  test("is refused where the sequences are not part of a genome, and for odd or smaller numbers", async () => {
    const model = dinucleotideModel("sum", 1);
    const request = (task: Task, context: number) =>
      planRun({ tasks: [{ task, inputs: inputsOf().get(task) as never }], models: [model], context });
    await expect(request(motifFootprinting, 1000)).rejects.toThrow(/motif-footprinting cannot be widened/);
    for (const context of [349, 350, 501]) {
      await expect(request(regulatoryElements, context)).rejects.toThrow(InputError);
    }
    await expect(request(regulatoryElements, 501)).rejects.toThrow(/--context is 501: .* has 350 bases/);
  });
});

describe("results of several contexts", () => {
  test("are different cells, groups and panels, and one curve of the report", async () => {
    const inputs = await elementInputs(folder);
    const model = dinucleotideModel("sum", 1.25);
    const other = dinucleotideModel("other", 2);
    const own = await smallRun(join(folder, "own"), inputs, { models: [model, other], seed: 3 });
    const wide = await smallRun(join(folder, "wide"), inputs, { models: [model], seed: 3, context: 850 });
    const results = [...(await readResults(own)), ...(await readResults(wide))];
    const [a, , b] = results.map(({ result }) => result);
    expect([a.cell.context, b.cell.context]).toEqual([undefined, 850]);
    expect(Object.keys(a.cell)).not.toContain("context");
    expect(b.identity).not.toBe(a.identity);
    expect(b.rows).toEqual(a.rows);
    expect(b.metrics[0].value).not.toBe(a.metrics[0].value);
    const { context: _, ...same } = b.cell;
    expect(same).toEqual(a.cell);

    const { groups, separate } = await compareResults(results);
    expect(groups.map(({ context, models }) => [context, models.length])).toEqual([
      [undefined, 2],
      [850, 1],
    ]);
    expect(separate[0].reasons).toEqual(["contexts the task's window and 850 bp"]);

    const report = await gatherReport(results, { title: "contexts" });
    expect(report.panels.map(({ dataset, entries }) => [dataset, entries.length])).toEqual([
      [undefined, 2],
      ["850 bp", 1],
    ]);
    const figures = report.panels.map((panel) =>
      panelFigures(panel, report.panels).filter(({ title }) => title === "Context"),
    );
    expect(figures.map(({ length }) => length)).toEqual([1, 0]);
    const [{ charts, x }] = figures[0];
    expect(x).toEqual({ label: "bases per sequence", log: "~s" });
    expect(charts).toMatchObject([
      { kind: "curves", reference: 0.5, curves: [{ model: "sum", x: [350, 850] }] },
    ]);
    expect(charts[0]).toMatchObject({
      curves: [{ y: [a, b].map(({ metrics }) => expect.closeTo(metrics[0].value ?? -1, 4)) }],
    });

    const [cell] = await submittedCells(wide);
    const { mismatches } = await verifyCell(cell, { inputs });
    expect(mismatches).toEqual([]);
  });

  test("evaluate takes a context", async () => {
    const inputs = await elementInputs(folder, 20);
    const lengths = new Set<number>();
    const model = {
      name: "lengths",
      logLikelihood: (sequences: readonly string[]) =>
        sequences.map(({ length }) => {
          lengths.add(length);
          return -length;
        }),
    };
    await evaluate({ task: "regulatory-elements", inputs, model, split: "all", context: 1024 });
    expect([...lengths]).toEqual([1024]);
  });
});
