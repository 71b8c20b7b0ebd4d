import { cachedDigest } from "../../../base/cached-digest.ts";
import { InputError } from "../../../base/errors.ts";
import { codesOfEntries, openProcessed, type ProcessedSplit } from "../../../datasets/processed-data.ts";
import type { SplitPart } from "../../../dna/genome/chromosome-split.ts";
import { modelLettersOf, NO_BASE } from "../../../dna/sequence/encoding.ts";
import { numbersOf, pickRows, rowsByNumber } from "../table-rows.ts";
import type { Example, OpenTask, SelectedRows, Selection, Task } from "../task.ts";
import type { Pair } from "./pair.ts";

type Members = ProcessedSplit<"element" | "control">["members"];

/** A row of the exported data: both members lie in the file, its place on the genome is not told. */
interface ExportedRow {
  readonly index: number;
  readonly split: SplitPart;
  readonly from: Members;
  /** Entry among those of its split. */
  readonly entry: number;
}

const SPLITS = ["train", "val", "test"] as const;

/** The seed that DART-Eval shuffled with. */
const EXPORTED_SEED = 0;

/**
 * Task 1 from DART-Eval's own data.h5, which has elements and controls of the three splits and needs no genome. Rows on
 * other chromosomes are not in it, and where a row lies is not told: intervals have to take rows as independent.
 *
 * @throws {InputError} when another seed than 0 is asked: the controls are shuffled already
 * @throws {FormatError} when an array is missing or of another shape, or two entries are the same row
 */
export async function openExportedPairs(task: Task, path: string, seed: number): Promise<OpenTask> {
  if (seed !== EXPORTED_SEED) {
    throw new InputError(
      `the controls in data.h5 are those of the seed ${EXPORTED_SEED}, and the seed ${seed} was asked for`,
      {
        place: { file: path },
        hint: "give the table of elements and the genome: controls are made from them",
      },
    );
  }
  const data = await openProcessed(path);
  try {
    const table: ExportedRow[] = [];
    for (const split of SPLITS) {
      const { members, rows } = data.elements(split);
      checkLength(members, task.window, path, split);
      rows.forEach((index, entry) => {
        table.push({ index, split, from: members, entry });
      });
    }
    table.sort((a, b) => a.index - b.index);
    checkNumbers(table, path);
    const rowsOf = rowsByNumber(table);
    return {
      task,
      digests: { elements: await cachedDigest(path) },
      select: (selection) => select(table, selection),
      examples: async (rows) => examplesOf(rowsOf(rows)),
      close: () => data.close(),
    };
  } catch (error) {
    await data.close();
    throw error;
  }
}

function checkLength(members: Members, window: number, file: string, split: SplitPart): void {
  for (const [name, { length, perEntry }] of [
    ["seqs", members.element],
    ["ctrls", members.control],
  ] as const) {
    if (length === window && perEntry === 1) continue;
    throw new InputError(`the sequences have ${length} bases; this task has ${window}`, {
      place: { file, tensor: `${split}/${name}` },
      hint: "is this the data.h5 of another task?",
    });
  }
}

function checkNumbers(table: readonly ExportedRow[], file: string): void {
  const twin = table.find(({ index }, i) => index === table[i + 1]?.index);
  if (twin === undefined) return;
  throw new InputError(`two entries are row ${twin.index} of the table`, {
    place: { file, tensor: `${twin.split}/idxs` },
  });
}

function select(table: readonly ExportedRow[], { split, limit }: Selection): SelectedRows {
  const perSplit = new Map<string, number>();
  for (const row of table) perSplit.set(row.split, (perSplit.get(row.split) ?? 0) + 1);
  const ofSplit = table.filter((row) => split === "all" || row.split === split);
  const rows = pickRows(numbersOf(ofSplit), limit);
  return { rows, inTable: table.length, perChromosome: perSplit, memory: 0 };
}

function examplesOf(rows: readonly ExportedRow[]): readonly Example[] {
  const codesOf = (member: keyof Members) =>
    codesOfEntries(rows.map(({ from, entry }) => ({ sequences: from[member], entry })));
  const [elements, controls] = [codesOf("element"), codesOf("control")];
  return rows.map(({ index }, i) => exampleOf(index, { element: elements[i], control: controls[i] }));
}

function exampleOf(row: number, { element, control }: Pair<Uint8Array>): Example {
  const sequences = [modelLettersOf(element), modelLettersOf(control)];
  const unknown = element.includes(NO_BASE) || control.includes(NO_BASE);
  return {
    row,
    sequences,
    ...(unknown ? { codes: [element, control] } : {}),
    facts: { unknown: unknownLetters(element, control), same: sequences[0] === sequences[1] ? 1 : 0 },
  };
}

/** Unknown letters of the element itself: in the control there are bases in their place, unlike around the element. */
function unknownLetters(element: Uint8Array, control: Uint8Array): number {
  return element.reduce(
    (count, code, i) => (code === NO_BASE && control[i] !== NO_BASE ? count + 1 : count),
    0,
  );
}
