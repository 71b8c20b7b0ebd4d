import { join } from "node:path";
import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { waitForLock } from "../../base/file-lock.ts";
import { firstIssue, tryParseJson } from "../../base/json.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { removeTemporaryFiles, writeFileAtomic } from "../../base/write-file.ts";
import { TRAINING_DEVICES, type TrainingKind } from "../../net/runtime/device.ts";

const compared = { float32: z.number(), float16: z.number() };

/** Loss and main metric of a small head on sampled rows, with embeddings in either precision. */
const checkSchema = z.object({
  trainRows: z.int().positive(),
  valRows: z.int().positive(),
  /**
   * Mean over the sampled validation sequences; half the width of its 95 % interval for all validation
   * sequences.
   */
  loss: z.object({ ...compared, halfWidth: z.number() }),
  /** Of the sampled validation rows; bounds of its 95 % interval. */
  metric: z.object({ name: z.string(), ...compared, low: z.number(), high: z.number() }).exactOptional(),
});

const storageDecisionSchema = z.object({
  storedAs: z.enum(["float32", "float16"]),
  /** One sentence. */
  because: z.string(),
  /** Absent if nothing could be measured. */
  check: checkSchema.exactOptional(),
});

/** Measured effect of float16 embeddings on loss and metric. */
export type StorageCheck = z.infer<typeof checkSchema>;

/** Precision of a training run's embeddings, and why. */
export type StorageDecision = z.infer<typeof storageDecisionSchema>;

/**
 * Name of the precision in the header of trained weights, which are evaluated with embeddings of the same.
 */
export const STORED_AS = "embeddings";

const decisionFile = (training: string) => join(training, "embeddings.json");

/** Writes the decision. The caller holds the lock of the training run. */
export async function writeStorageDecision(training: string, decision: StorageDecision): Promise<void> {
  await removeTemporaryFiles(decisionFile(training));
  await writeFileAtomic(decisionFile(training), `${JSON.stringify(decision, null, 2)}\n`);
}

/**
 * @param training  folder of the training run
 * @returns         undefined if nothing is decided yet
 * @throws {FormatError} when the file is damaged
 */
export async function readStorageDecision(training: string): Promise<StorageDecision | undefined> {
  const file = decisionFile(training);
  const text = await textIfPresent(file);
  if (text === undefined) return undefined;
  const parsed = storageDecisionSchema.safeParse(tryParseJson(text));
  if (parsed.success) return parsed.data;
  throw new FormatError({ file }, "this is not a decision on the precision of embeddings", "delete the file");
}

/** Record of a training run: loss curves and the selected epoch. */
export interface TrainingRecord {
  /**
   * SHA-256 of everything that the result depends on; cells with the same identity share the training run.
   */
  readonly identity: string;
  /** Device that trained; absent in records of versions that trained on the CPU only. */
  readonly device?: TrainingKind;
  readonly trainRows: number;
  readonly valRows: number;
  /** Number of trained parameters. */
  readonly parameters: number;
  /** Precision of stored embeddings, if decided by a measurement. */
  readonly embeddings?: StorageDecision;
  /** The selected epoch, 0-based: the first with the smallest validation loss. */
  readonly best: number;
  readonly epochs: readonly {
    readonly epoch: number;
    /** Mean loss of the training rows, each at the time of its batch. */
    readonly trainLoss: number;
    /** Columns of `train.log` after `epoch`; null if undefined, which `val_loss` never is. */
    readonly validation: Readonly<Record<string, number | null>>;
  }[];
}

const digest = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");

export const trainingRecordSchema: z.ZodType<TrainingRecord> = z.object({
  identity: digest,
  device: z.enum(TRAINING_DEVICES).exactOptional(),
  trainRows: z.int().positive(),
  valRows: z.int().positive(),
  parameters: z.int().positive(),
  embeddings: storageDecisionSchema.exactOptional(),
  best: z.int().nonnegative(),
  epochs: z
    .array(
      z.object({
        epoch: z.int().nonnegative(),
        trainLoss: z.number(),
        validation: z.record(z.string(), z.number().nullable()),
      }),
    )
    .min(1),
});

/** Folder of a run's training runs. */
export const trainedFolder = (runFolder: string) => join(runFolder, "trained");

/** Folder of one training run, named by the first eight hexadecimal digits of its identity. */
export const trainingFolder = (trained: string, identity: string) => join(trained, identity.slice(0, 8));

const recordFile = (training: string) => join(training, "training.json");

/**
 * Writes the record, which marks the training run as finished. The caller holds the lock of the training run.
 */
export async function writeTrainingRecord(training: string, record: TrainingRecord): Promise<void> {
  await removeTemporaryFiles(recordFile(training));
  await writeFileAtomic(recordFile(training), textOf(record));
}

/**
 * @param training  the folder `trainingFolder` names
 * @returns         undefined if the training run is not finished
 * @throws {FormatError} when the record is damaged
 */
export async function readTrainingRecord(training: string): Promise<TrainingRecord | undefined> {
  return readChecked(
    recordFile(training),
    trainingRecordSchema,
    "was it changed by hand? Delete it and start the run again: training resumes from its last state",
  );
}

const noteFile = (cellFolder: string) => join(cellFolder, "trained.json");

/** Copies the record of a cell's training run to the cell's folder. */
export async function noteTraining(cellFolder: string, record: TrainingRecord): Promise<void> {
  const path = noteFile(cellFolder);
  // Several shards of the cell may write it.
  await using _ = await waitForLock(`${path}.lock`, { pause: 50 });
  await removeTemporaryFiles(path);
  await writeFileAtomic(path, textOf(record));
}

/**
 * Record of a cell's training run.
 *
 * @returns  undefined if the cell was not trained
 * @throws {FormatError} when the note is damaged
 */
export async function readNotedTraining(cellFolder: string): Promise<TrainingRecord | undefined> {
  const hint = "was it changed by hand? Delete the cell's rows and start the run again";
  return readChecked(noteFile(cellFolder), trainingRecordSchema, hint);
}

const textOf = (record: TrainingRecord) => `${JSON.stringify(record, null, 2)}\n`;

async function readChecked<T>(file: string, schema: z.ZodType<T>, hint: string): Promise<T | undefined> {
  const text = await textIfPresent(file);
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(tryParseJson(text));
  if (parsed.success) return parsed.data;
  throw new FormatError({ file }, firstIssue(parsed.error, "the record"), hint);
}
