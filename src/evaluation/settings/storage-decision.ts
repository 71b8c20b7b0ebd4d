import { join } from "node:path";
import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { writeFileAtomic } from "../../base/write-file.ts";

const compared = { float32: z.number(), float16: z.number() };

/** Loss and main metric of a small head on sampled rows, with embeddings in either precision. */
const checkSchema = z.object({
  trainRows: z.int().positive(),
  valRows: z.int().positive(),
  /** Mean over the sampled validation sequences; half the width of its 95 % interval for all validation sequences. */
  loss: z.object({ ...compared, halfWidth: z.number() }),
  /** Of the sampled validation rows; bounds of its 95 % interval. */
  metric: z.object({ name: z.string(), ...compared, low: z.number(), high: z.number() }).exactOptional(),
});

export const storageDecisionSchema = z.object({
  storedAs: z.enum(["float32", "float16"]),
  /** One sentence. */
  because: z.string(),
  /** Absent where nothing could be measured. */
  check: checkSchema.exactOptional(),
});

/** Measured effect of float16 embeddings on loss and metric. */
export type StorageCheck = z.infer<typeof checkSchema>;

/** Precision of a training run's embeddings, and why. */
export type StorageDecision = z.infer<typeof storageDecisionSchema>;

/** Name of the precision in the header of trained weights, which are evaluated with embeddings of the same. */
export const STORED_AS = "embeddings";

const decisionFile = (training: string) => join(training, "embeddings.json");

export async function writeStorageDecision(training: string, decision: StorageDecision): Promise<void> {
  await writeFileAtomic(decisionFile(training), `${JSON.stringify(decision, null, 2)}\n`);
}

/**
 * @param training  folder of the training run
 * @returns         undefined where nothing was decided yet
 * @throws {FormatError} when the file is damaged
 */
export async function readStorageDecision(training: string): Promise<StorageDecision | undefined> {
  const file = decisionFile(training);
  const text = await textIfPresent(file);
  if (text === undefined) return undefined;
  const parsed = storageDecisionSchema.safeParse(jsonOrUndefined(text));
  if (parsed.success) return parsed.data;
  throw new FormatError({ file }, "this is not a decision on the precision of embeddings", "delete the file");
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
