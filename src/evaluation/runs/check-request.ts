import { InputError } from "../../base/errors.ts";
import type { Model } from "../../models/model.ts";
import type { RunRequest } from "./request.ts";
import { checkShard } from "./shard-of-rows.ts";

/**
 * Checks the options of a run that can be wrong by themselves.
 * @throws {InputError} naming the option
 */
export function checkRequest(request: RunRequest): void {
  const { tasks, models, protocol, seed, shard, batchSize, threads, memory } = request;
  if (tasks.length === 0) throw new InputError("no task is asked for");
  if (models.length === 0) throw new InputError("no model is given");
  models.forEach(checkModel);
  checkAsked(request);
  for (const asked of tasks) {
    if (asked.models?.length === 0) throw new InputError("a task is asked of no model");
    asked.models?.forEach(checkModel);
    for (const { sample = {}, ...rest } of [asked, ...Object.values(asked.bySetting ?? {})]) {
      checkAsked(rest);
      for (const [stratum, most] of Object.entries(sample)) {
        if (!isCount(most)) throw wrong(`sample of ${stratum}`, most, "a whole number of rows, at least 1");
      }
    }
  }
  oneOf("protocol", protocol, ["paper", "corrected"]);
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw wrong("seed", seed, "a whole number");
  if (batchSize !== undefined && !isCount(batchSize)) {
    throw wrong("batch size", batchSize, "a whole number of sequences, at least 1");
  }
  if (threads !== undefined && !isCount(threads)) {
    throw wrong("number of threads", threads, "a whole number, at least 1");
  }
  if (memory !== undefined && !(memory > 0)) throw wrong("memory", memory, "a number of bytes");
  if (shard !== undefined) checkShard(shard);
}

/** What may be asked of all tasks, or of one. */
function checkAsked({ settings, split, limit }: Pick<RunRequest, "settings" | "split" | "limit">): void {
  if (settings?.length === 0) throw new InputError("no setting is asked for");
  oneOf("split", split, ["train", "val", "test", "all"]);
  if (limit !== undefined && !isCount(limit))
    throw wrong("limit", limit, "a whole number of rows, at least 1");
}

function checkModel(model: Model) {
  if (typeof model?.name !== "string" || model.name.trim() === "") {
    throw new InputError("a model has no name", {
      hint: "a model is an object with `name` and `logLikelihood(sequences)` or `embed(sequences)`",
    });
  }
  const questions = [
    "logLikelihood",
    "embed",
    "predictActivity",
    "forCellLine",
    "tokenCount",
    "memory",
  ] as const;
  for (const question of questions) {
    if (model[question] !== undefined && typeof model[question] !== "function") {
      throw new InputError(`${question} of the model ${JSON.stringify(model.name)} is not a function`);
    }
  }
  if (model.batchSize !== undefined && !isCount(model.batchSize)) {
    throw wrong(
      `batchSize of the model ${JSON.stringify(model.name)}`,
      model.batchSize,
      "a whole number, at least 1",
    );
  }
}

function oneOf(name: string, value: string | undefined, allowed: readonly string[]) {
  if (value !== undefined && !allowed.includes(value)) throw wrong(name, value, allowed.join(" or "));
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;

const wrong = (name: string, value: unknown, expected: string) =>
  new InputError(`the ${name} is ${JSON.stringify(value)}; expected ${expected}`);
