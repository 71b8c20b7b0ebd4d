import { join } from "node:path";
import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { textIfPresent } from "../../base/text-file.ts";
import { writeFileWhole } from "../../base/write-file.ts";

/** How the training of a cell went: its loss curves, and what was kept. */
export interface TrainingRecord {
  readonly trainRows: number;
  readonly valRows: number;
  /** Trained numbers. */
  readonly parameters: number;
  /** The epoch whose parameters answer, 0-based: the first of smallest validation loss. */
  readonly best: number;
  readonly epochs: readonly {
    readonly epoch: number;
    /** Mean loss of the training rows, each as it was when its batch was seen. */
    readonly trainLoss: number;
    /** Columns of `train.log` after `epoch`. */
    readonly validation: Readonly<Record<string, number>>;
  }[];
}

export const trainingRecordSchema: z.ZodType<TrainingRecord> = z.object({
  trainRows: z.int().positive(),
  valRows: z.int().positive(),
  parameters: z.int().positive(),
  best: z.int().nonnegative(),
  epochs: z
    .array(
      z.object({
        epoch: z.int().nonnegative(),
        trainLoss: z.number(),
        validation: z.record(z.string(), z.number()),
      }),
    )
    .min(1),
});

/** Where a cell keeps what it trained, in the cell's folder. */
export const trainedFolder = (cellFolder: string) => join(cellFolder, "trained");

const recordFile = (trained: string) => join(trained, "training.json");

/** Written last: a folder that has it is trained. */
export async function writeTrainingRecord(trained: string, record: TrainingRecord): Promise<void> {
  await writeFileWhole(recordFile(trained), `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * @param trained  the folder `trainedFolder` names
 * @returns        undefined where nothing was trained to its end
 * @throws {FormatError} when the record is damaged
 */
export async function readTrainingRecord(trained: string): Promise<TrainingRecord | undefined> {
  const file = recordFile(trained);
  const text = await textIfPresent(file);
  if (text === undefined) return undefined;
  const parsed = trainingRecordSchema.safeParse(jsonOrUndefined(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FormatError(
    { file },
    `${issue?.path.join(".") || "the record"}: ${issue?.message}`,
    "was it changed by hand? Delete it and start the run again: training goes on from its last state",
  );
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
