import { InternalError } from "../../base/errors.ts";
import { codesOf, oneHotOfCodes } from "../../dna/sequence/encoding.ts";
import { assertHas, type Model } from "../../models/model.ts";
import { readLayers } from "../../models/training/trained-tensors.ts";
import { input } from "../../net/graph/build.ts";
import { initialValues } from "../../net/nn/init.ts";
import { deviceKind } from "../../net/runtime/device.ts";
import { RUNTIME_BYTES } from "../../net/runtime/session-memory.ts";
import type { Feeds } from "../../net/train/batches.ts";
import type { OpenTask, Supervision, Task } from "../tasks/task.ts";
import type { Example, RowNumbers } from "../tasks/task-rows.ts";
import {
  inferenceBytes,
  type Learner,
  learnerBytes,
  type PreparedExample,
  type PreparedRows,
  trainingDisk,
} from "./learner.ts";
import type { Setting, SettingContext } from "./setting.ts";
import { outputsOf } from "./supervision.ts";
import { loadedPredictor, trainedPredictor } from "./trained-predictor.ts";
import { readTrainingRecipe } from "./training-recipe.ts";
import { rowCounts, supervisionOf, trainingRows, trainingTaskForm, trainingTaskOf } from "./training-rows.ts";

const NAME = "ab-initio";

/** Rows whose sequences are extracted together while training rows are prepared. */
const BLOCK = 1024;

/**
 * Ab initio: a network with random initial parameters is trained on the sequences of the task's training
 * rows.
 */
export const abInitio: Setting<"ab-initio"> = {
  name: NAME,
  title: "trained from the sequence alone",
  description:
    "Ab initio: a network is trained from the sequences alone, without a language model: the baseline to beat.",
  publishedAs: ["ab_initio"],
  readyAtOnce: false,
  takesWeights: true,
  onTrainingDevice: true,
  unsupportedReason(task: Task, { network }: Model) {
    if (network === undefined) {
      return "it has no network to train from scratch (no `network`), which ab-initio requires";
    }
    if (task.window >= network.shortest) return undefined;
    return `it needs sequences of at least ${network.shortest} bases, and the task's have ${task.window}`;
  },
  sequencesPerRow: (task) => task.members.length,
  checkRecipe: (recipe) => void readTrainingRecipe(recipe),
  async trainingMemory(context, rows) {
    const supervision = supervisionOf(context, NAME);
    const device = deviceKind(context.device);
    if (context.weights !== undefined) {
      const { members } = context.task.task;
      const bytes = inferenceBytes(networkLearner(context), { members: members.length, rows, device });
      return { bytes: RUNTIME_BYTES + bytes, disk: 0, usesModel: false };
    }
    const task = trainingTaskOf(context);
    const recipe = readTrainingRecipe(context.recipe);
    const learner = networkLearner(context, recipe.trainingSeed);
    const { members } = task.task;
    const sizes = {
      ...rowCounts(trainingRows(context, recipe)),
      recipe,
      members: members.length,
      rows,
      device,
    };
    const bytes = learnerBytes(learner, supervision, sizes);
    return { bytes: RUNTIME_BYTES + bytes, disk: trainingDisk(learner), usesModel: false };
  },
  async open(context) {
    const { weights } = context;
    if (weights !== undefined) {
      return loadedPredictor(context, { setting: NAME, learner: networkLearner(context) }, weights);
    }
    const recipe = readTrainingRecipe(context.recipe);
    const learner = networkLearner(context, recipe.trainingSeed);
    return trainedPredictor(context, { setting: NAME, recipe, learner });
  },
};

/** @param seed  of initial values, which trained weights replace */
function networkLearner(context: Pick<SettingContext, "task" | "model">, seed = 0): Learner {
  const supervision = supervisionOf(context, NAME);
  const { window: length } = trainingTaskForm(context, NAME);
  const { model } = context;
  assertHas(model, "network");
  const { tensors, originalLayers, logits } = model.network.build({
    length,
    outputs: outputsOf(supervision),
  });
  return {
    load: (file) => readLayers(file, tensors, originalLayers),
    initial: initialValues(tensors, seed),
    frozen: new Map(),
    output: logits(input("sequence", "float32", ["b", length, 4])),
    feeds: async (examples) => oneHotFeeds(examples.flatMap(codesOfMembers), length),
    preparing: "reading",
    prepare: (rows, onRows) => keepRows(trainingTaskOf(context), supervision, rows, onRows),
    async close() {},
  };
}

async function keepRows(
  task: OpenTask,
  supervision: Supervision,
  rows: RowNumbers,
  onRows: (done: number) => void,
): Promise<PreparedRows> {
  const { members, window: length } = task.task;
  const codes = new PackedCodes(rows.length * members.length, length);
  const examples: PreparedExample[] = [];
  for (let start = 0; start < rows.length; start += BLOCK) {
    const block = await task.examples(rows.slice(start, start + BLOCK));
    for (const example of block) {
      codesOfMembers(example).forEach((member, i) => {
        codes.set(examples.length * members.length + i, member);
      });
      examples.push({ row: example.row, facts: example.facts, labels: supervision.labels(example) });
    }
    onRows(examples.length);
  }
  return {
    examples,
    async feeds(indices) {
      const sequences = [...indices].flatMap((index) =>
        members.map((_, member) => codes.get(index * members.length + member)),
      );
      return oneHotFeeds(sequences, length);
    },
  };
}

/** Base codes with "no base" kept, which a language model would see as A (quirk Q27). */
function codesOfMembers({ sequences, codes }: Example): readonly Uint8Array[] {
  return codes ?? sequences.map(codesOf);
}

function oneHotFeeds(members: readonly Uint8Array[], length: number): Feeds {
  const data = new Float32Array(members.length * length * 4);
  members.forEach((codes, i) => {
    oneHotOfCodes(codes, data, i * length * 4);
  });
  return { sequence: { dtype: "float32", shape: [members.length, length, 4], data } };
}

/** Base codes of many sequences of one length, two per byte: a million pairs of 350 bases take 350 MB. */
export class PackedCodes {
  private readonly bytes: Uint8Array;
  private readonly stride: number;

  constructor(
    sequences: number,
    private readonly length: number,
  ) {
    this.stride = Math.ceil(length / 2);
    this.bytes = new Uint8Array(sequences * this.stride);
  }

  /** @param codes  0 A, 1 C, 2 G, 3 T, 4 no base */
  set(sequence: number, codes: Uint8Array): void {
    if (codes.length !== this.length) {
      throw new InternalError(`a sequence has ${codes.length} bases instead of ${this.length}`);
    }
    const at = sequence * this.stride;
    for (let i = 0; i < codes.length; i += 2) {
      this.bytes[at + i / 2] = codes[i] | ((codes[i + 1] ?? 0) << 4);
    }
  }

  get(sequence: number): Uint8Array {
    const at = sequence * this.stride;
    const codes = new Uint8Array(this.length);
    for (let i = 0; i < codes.length; i++) codes[i] = (this.bytes[at + (i >> 1)] >> (4 * (i & 1))) & 15;
    return codes;
  }
}
