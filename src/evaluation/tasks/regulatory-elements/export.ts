import { cachedDigest } from "../../../base/digest.ts";
import { InputError } from "../../../base/errors.ts";
import { codesOfEntries, openProcessed, type ProcessedSplit } from "../../../datasets/processed-data.ts";
import { modelSequenceOf, NO_BASE } from "../../../dna/sequence/encoding.ts";
import { refuseContext } from "../context.ts";
import {
  checkExportedWindow,
  EXPORTED_SPLITS,
  type ExportedRow,
  inNumberOrder,
  selectExported,
} from "../exported-table.ts";
import { rowsByNumber } from "../table-rows.ts";
import type { OpenOptions, OpenTask, Task } from "../task.ts";
import type { Example } from "../task-rows.ts";
import type { Pair, PairFacts } from "./rows.ts";

type Members = ProcessedSplit<"element" | "control">["members"];

interface ExportedPair extends ExportedRow {
  readonly from: Members;
}

/** The seed of DART-Eval's shuffles. */
const EXPORTED_SEED = 0;

/**
 * Task 1 from DART-Eval's data.h5, which has the elements and controls of the three splits and needs no
 * genome. Rows on other chromosomes are not in it, and rows have no positions: intervals have to take them as
 * independent.
 *
 * @throws {InputError} when a context is given, or the seed is not 0: the controls are already shuffled
 * @throws {FormatError} when an array is missing or of another shape, or two entries are the same row
 */
export async function openExportedPairs(
  task: Task,
  path: string,
  { seed, context }: OpenOptions,
): Promise<OpenTask<PairFacts>> {
  refuseContext(path, context);
  if (seed !== EXPORTED_SEED) {
    throw new InputError(`the controls in data.h5 were shuffled with seed ${EXPORTED_SEED}, not ${seed}`, {
      place: { file: path },
      hint: "give the table of elements and the genome: controls are made from them",
    });
  }
  const data = await openProcessed(path);
  try {
    const entries: ExportedPair[] = [];
    for (const split of EXPORTED_SPLITS) {
      const { members, rows } = data.elements(split);
      checkExportedWindow(members.element, task.window, { file: path, tensor: `${split}/seqs` });
      checkExportedWindow(members.control, task.window, { file: path, tensor: `${split}/ctrls` });
      rows.forEach((index, entry) => {
        entries.push({ index, split, from: members, entry });
      });
    }
    const table = inNumberOrder(entries, ({ split }) => ({ file: path, tensor: `${split}/idxs` }));
    const rowsOf = rowsByNumber(table);
    return {
      task,
      digests: { elements: await cachedDigest(path) },
      select: (selection) => selectExported(table, selection),
      examples: async (rows) => examplesOf(rowsOf(rows)),
      close: () => data.close(),
    };
  } catch (error) {
    await data.close();
    throw error;
  }
}

function examplesOf(rows: readonly ExportedPair[]): readonly Example<PairFacts>[] {
  const codesOf = (member: keyof Members) =>
    codesOfEntries(rows.map(({ from, entry }) => ({ sequences: from[member], entry })));
  const [elements, controls] = [codesOf("element"), codesOf("control")];
  return rows.map(({ index }, i) => exampleOf(index, { element: elements[i], control: controls[i] }));
}

function exampleOf(row: number, { element, control }: Pair<Uint8Array>): Example<PairFacts> {
  const sequences = [modelSequenceOf(element), modelSequenceOf(control)];
  const unknown = element.includes(NO_BASE) || control.includes(NO_BASE);
  return {
    row,
    sequences,
    ...(unknown ? { codes: [element, control] } : {}),
    facts: { unknown: unknownBases(element, control), same: sequences[0] === sequences[1] ? 1 : 0 },
  };
}

/** Positions without a base inside the element: there the control has a base, unlike in the flanks. */
function unknownBases(element: Uint8Array, control: Uint8Array): number {
  return element.reduce(
    (count, code, i) => (code === NO_BASE && control[i] !== NO_BASE ? count + 1 : count),
    0,
  );
}
