import { mean } from "../../metrics/mean.ts";
import type { StoredAs } from "../embeddings/packed-embedding.ts";
import { embeddingBytes } from "../embeddings/room.ts";
import { OriginalBatches } from "./original-batches.ts";
import type { EmbeddingsNeed, Setting } from "./setting.ts";
import { trainingIdentity } from "./training-identity.ts";
import { readTrainingRecipe } from "./training-recipe.ts";
import { trainedBy, trainingRows, trainingTaskForm, trainingTaskOf } from "./training-rows.ts";

type NeedContext = Parameters<NonNullable<Setting["embeddingsNeed"]>>[0];

/** Rows from which the mean number of tokens is estimated. */
const ROWS = 64;

/**
 * Embeddings that a cell of the setting `probed` stores.
 * @returns undefined where the model does not declare its width
 */
export async function probeEmbeddingsNeed(
  setting: string,
  context: NeedContext,
  storedAs: StoredAs | "auto",
): Promise<EmbeddingsNeed | undefined> {
  const { model, weights, task } = context;
  const { width } = model;
  if (width === undefined) return undefined;
  const form = trainingTaskForm(context, setting);
  const perEvaluatedRow = trainedBy(context, setting) === undefined ? task.task.members.length : 0;
  const rows = weights === undefined ? trainingRows(context, readTrainingRecipe(context.recipe)) : undefined;
  const size = { width, tokens: await meanTokens(context, setting) };
  return {
    training: rows === undefined ? undefined : trainingIdentity(context, setting, rows),
    sequences: rows === undefined ? 0 : (rows.train.rows.length + rows.val.rows.length) * form.members.length,
    perEvaluatedRow,
    bytesPerSequence: { float32: embeddingBytes(size, "float32"), float16: embeddingBytes(size, "float16") },
    storedAs,
  };
}

/** Tokens of a sequence: a mean over the first training rows where they vary. */
async function meanTokens(context: NeedContext, setting: string): Promise<number> {
  const { model, weights } = context;
  const { window } = trainingTaskForm(context, setting);
  if (model.tokenCount === undefined) return window + 1;
  if (!OriginalBatches.vary(model)) return model.tokenCount("A".repeat(window));
  const task = weights === undefined ? trainingTaskOf(context) : context.task;
  const { rows } = task.select({ split: "all", purpose: "answer", limit: null });
  const examples = await task.examples(rows.slice(0, ROWS));
  const counts = examples.flatMap(({ sequences }) => sequences.map((letters) => model.tokenCount!(letters)));
  return counts.length === 0 ? window + 1 : mean(counts);
}
