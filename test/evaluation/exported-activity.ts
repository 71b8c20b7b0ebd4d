import type { CellLine } from "../../src/datasets/cell-lines.ts";
import { type ActivityFacts, targetOf } from "../../src/evaluation/tasks/chromatin-activity/columns.ts";
import type { OpenTask } from "../../src/evaluation/tasks/task.ts";
import { oneHot, type TestArray, writeHdf5 } from "./hdf5-file.ts";

/** Groups of DART-Eval's data.h5 in the order in which the task numbers its tables. */
const GROUPS = { peaks: "peaks", idr: "idr_peaks", nonpeaks: "nonpeaks" } as const;

/**
 * Writes tasks of some cell lines as DART-Eval exports them: each split and set of a line as `seqs`, `counts`
 * = ln(1 + counts) and `idxs`.
 */
export async function writeExportedActivity(
  path: string,
  tasks: Readonly<Partial<Record<CellLine, OpenTask<ActivityFacts>>>>,
): Promise<void> {
  const arrays: Record<string, TestArray> = {};
  for (const [line, task] of Object.entries(tasks)) {
    const { tables } = task.select({ split: "all", purpose: "evaluate", limit: null });
    for (const split of ["train", "val", "test"] as const) {
      const { rows } = task.select({ split, purpose: "evaluate", limit: null });
      const examples = await task.examples(rows.slice());
      for (const [i, [set, group]] of Object.entries(GROUPS).entries()) {
        const own = examples.filter((example) => example.facts.set === set);
        const shape = [own.length];
        const bases = own.map(
          ({ sequences, codes }) =>
            codes?.[0]?.reduce((text, code) => text + "ACGTN"[code], "") ?? sequences[0],
        );
        const at = `${line}/${split}/${group}`;
        arrays[`${at}/seqs`] = oneHot(bases);
        arrays[`${at}/counts`] = { type: "float32", shape, data: own.map(targetOf) };
        arrays[`${at}/idxs`] = { type: "uint32", shape, data: own.map(({ row }) => row - tables![i]) };
      }
    }
  }
  await writeHdf5(path, arrays);
}
