import { InputError } from "../../base/errors.ts";
import { sequenceOf } from "../../dna/sequence/encoding.ts";
import { assertHas, type Model, supports } from "../../models/model.ts";
import type { ActivityPrediction } from "../tasks/prediction.ts";
import type { Task } from "../tasks/task.ts";
import type { Example } from "../tasks/task-rows.ts";
import { distinct } from "./distinct.ts";
import type { Setting, SettingContext } from "./setting.ts";

/** Predicted: evaluates a model that predicts activity; nothing is trained. */
export const predicted: Setting<"predicted"> = {
  name: "predicted",
  title: "the model's own prediction of activity",
  description: "Predicted: a model that already predicts activity is evaluated; nothing is trained here.",
  publishedAs: ["supervised_baseline"],
  readyAtOnce: true,
  unsupportedReason({ window }: Task, model: Model) {
    if (supports(model, "predictActivity")) return whyAnotherLength(window, model);
    if (model.forCellLine !== undefined) {
      return "it has one network per cell line, and the task's cell line is not given (cell-line=NAME)";
    }
    return "it does not predict activity (no `predictActivity`), which predicted requires";
  },
  sameUnderBothProtocols: () => true,
  sequencesPerRow: (task) => task.members.length,
  async open(context) {
    return { predict: (examples) => predictRows(context, examples), async close() {} };
  },
};

function whyAnotherLength(window: number, { inputLength = window }: Model): string | undefined {
  if (inputLength === window) return undefined;
  const remedy = inputLength > window ? `: add --context ${inputLength}` : "";
  return `it reads ${inputLength} bases, and the sequences have ${window}${remedy}`;
}

async function predictRows(
  { model, task, protocol, batchSize }: SettingContext,
  examples: readonly Example[],
): Promise<readonly ActivityPrediction[]> {
  const { name, members } = task.task;
  const sequences = examples.flatMap(sequencesWithN);
  const { first, of } = distinct(model, sequences);
  const values = new Float64Array(first.length);
  for (let start = 0; start < first.length; start += batchSize) {
    const batch = first.slice(start, start + batchSize);
    const origins = batch.map((at) => {
      const { row } = examples[Math.floor(at / members.length)];
      return { task: name, row, member: at % members.length };
    });
    assertHas(model, "predictActivity");
    const given = await model.predictActivity(
      batch.map((at) => sequences[at]),
      { protocol, origins },
    );
    checkCount(model, batch.length, given);
    origins.forEach(({ row, member }, i) => {
      checkValue(model, given[i], `the ${members[member]} of row ${row}`);
      values[start + i] = given[i];
    });
  }
  return examples.map(({ row, facts }, i) => ({
    kind: "activity",
    row,
    values: of.slice(i * members.length, (i + 1) * members.length).map((at) => values[at]),
    facts,
  }));
}

/** Bases with N for unknown ones, which other settings show as A (quirk Q27). */
const sequencesWithN = ({ sequences, codes }: Example): readonly string[] =>
  codes?.map(sequenceOf) ?? sequences;

function checkCount(model: Model, count: number, given: ArrayLike<number> | null | undefined) {
  if (given?.length === count) return;
  throw new InputError(
    `the model ${JSON.stringify(model.name)} returned ${given?.length ?? String(given)} activities for ${count} sequences`,
    { hint: "predictActivity(sequences) returns one number per sequence, in their order" },
  );
}

function checkValue(model: Model, value: number | undefined, sequence: string) {
  if (typeof value === "number" && Number.isFinite(value)) return;
  throw new InputError(
    `the model ${JSON.stringify(model.name)} returned ${String(value)} as the activity of ${sequence}`,
    { hint: "expected a finite number, log(1 + counts); finished rows are stored" },
  );
}
