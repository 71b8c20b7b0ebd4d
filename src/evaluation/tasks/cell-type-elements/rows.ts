import { InputError } from "../../../base/errors.ts";
import { type CellTypeElementRow, readCellTypeElements } from "../../../datasets/cell-type-elements/table.ts";
import { isProcessedFile } from "../../../datasets/processed-data.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { windowCodes } from "../../../dna/sequence/encoding.ts";
import { flankOf, refuseContext, widened } from "../context.ts";
import { openGenomeTable, tableRows } from "../genome-table.ts";
import { isRows, numberedRows, rowsInput } from "../inputs.ts";
import { exampleOfCodes, tableDigest } from "../table-rows.ts";
import type { OpenOptions, OpenTask, Task } from "../task.ts";
import { openExportedElements } from "./export.ts";
import { type CellTypeFacts, isInPart, listPosition, readSubset, subsetDigest } from "./subset.ts";

/** Inputs of Task 3. */
export type CellTypeElementsInputs = {
  /** Path of the table or of DART-Eval's data.h5, or rows. */
  readonly elements: string | readonly CellTypeElementRow[];
  /** Not needed with data.h5. */
  readonly genome?: string | Genome | undefined;
  /** Path of the list of clustered rows. Default: all rows. */
  readonly subset?: string | undefined;
};

/** @throws {InputError} when an input is missing, cannot be read, or does not fit the others */
export async function openCellTypeElements(
  task: Task,
  { elements, genome, subset: list }: CellTypeElementsInputs,
  { context }: Pick<OpenOptions, "context">,
): Promise<OpenTask<CellTypeFacts>> {
  if (typeof elements === "string" && (await isProcessedFile(elements))) {
    refuseContext(elements, context);
    return openExportedElements(task, elements, (rows) => readSubset(list, rows));
  }
  const table = await rowsInput(task, "elements", elements, readCellTypeElements);
  if (isRows(elements)) numberedRows("elements", table);
  checkWidth(table, task.window);
  const flank = flankOf(task, context);
  const subset = await readSubset(list, table.length === 0 ? 0 : table[table.length - 1].index + 1);
  const { digests, select, examples, close } = await openGenomeTable({
    task,
    genome,
    read: async () => tableRows(table),
    digest: (rows) => ({ elements: tableDigest(rows, valuesOf) }),
    place: ({ inputStart, inputEnd }: CellTypeElementRow) => ({
      start: inputStart,
      end: inputEnd,
      name: "the window",
    }),
    includes: ({ index }, selection) => isInPart(subset, selection, index),
    exampleOf: (row, chromosome) => {
      const { index, chrom, inputStart, inputEnd, elementStart, elementEnd, label } = row;
      const facts = { chrom, start: elementStart, end: elementEnd, label, ...listPosition(subset, index) };
      return exampleOfCodes(index, windowCodes(chromosome, inputStart - flank, inputEnd + flank), facts);
    },
  });
  return {
    ...widened(task, context),
    digests: { ...digests, ...subsetDigest(subset) },
    select,
    examples,
    close,
  };
}

function checkWidth([first]: readonly CellTypeElementRow[], window: number): void {
  if (first === undefined || first.inputEnd - first.inputStart === window) return;
  throw new InputError(
    `the windows of the table have ${first.inputEnd - first.inputStart} bases; expected ${window}`,
  );
}

const valuesOf = (row: CellTypeElementRow) => [
  row.index,
  row.chrom,
  row.inputStart,
  row.inputEnd,
  row.elementStart,
  row.elementEnd,
  row.label,
];
