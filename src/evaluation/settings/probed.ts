import { InputError } from "../../base/errors.ts";
import { assertHas, type Model, type SequenceEmbedding, supports } from "../../models/model.ts";
import { type BaseTokens, freshHead, ORIGINAL_HEAD_LAYERS } from "../../models/training/probing-head.ts";
import { readLayers } from "../../models/training/trained-tensors.ts";
import { openCheckpoint } from "../../net/arrays/checkpoint.ts";
import { deviceKind } from "../../net/runtime/device.ts";
import type { Feeds } from "../../net/train/batches.ts";
import type { SequenceToEmbed } from "../embeddings/embedder.ts";
import type { StoredAs } from "../embeddings/packed-embedding.ts";
import { readRecipe } from "../tasks/recipe.ts";
import { pickRows } from "../tasks/table-rows.ts";
import type { Supervision, Task } from "../tasks/task.ts";
import type { Example, RowNumbers } from "../tasks/task-rows.ts";
import { decidePrecision, SAMPLE_BATCHES, sampleBytes, sampledRows } from "./half-precision.ts";
import {
  inferenceBytes,
  type Learner,
  learnerBytes,
  type PreparedExample,
  type PreparedRows,
  trainingDisk,
} from "./learner.ts";
import { ProbeEmbeddings, probeEmbeddingsNeed } from "./probe-embeddings.ts";
import { headFeeds, ProbePredictions } from "./probe-predictions.ts";
import {
  type HeadRecipe,
  headSchema,
  type ProbedRecipe,
  readProbedRecipe,
  withFittingKernel,
} from "./probed-recipe.ts";
import type { Setting, SettingContext } from "./setting.ts";
import { outputsOf } from "./supervision.ts";
import { loadedPredictor, trainedPredictor } from "./trained-predictor.ts";
import {
  readStorageDecision,
  STORED_AS,
  type StorageDecision,
  type TrainingRecord,
  writeStorageDecision,
} from "./training-record.ts";
import {
  firstExample,
  rowCounts,
  supervisionOf,
  type TrainingRows,
  trainedBy,
  trainingRows,
  trainingTaskForm,
  trainingTaskOf,
} from "./training-rows.ts";

const NAME = "probed";

/** Rows that are embedded and stored together. */
const BLOCK_ROWS = 64;

/** Probing: a small network is trained on the last hidden states of the frozen model. */
export const probed: Setting<"probed"> = {
  name: NAME,
  title: "probed: a head trained on embeddings",
  description: "Probed: a head is trained on the model's embeddings; the model itself is frozen.",
  publishedAs: ["probed"],
  readyAtOnce: false,
  query: "embedding",
  takesWeights: true,
  unsupportedReason(_task: Task, model: Model) {
    if (supports(model, "embed")) return undefined;
    return "it has no embeddings (no `embed`), which probed requires";
  },
  sequencesPerRow: (task) => task.members.length,
  checkRecipe: (recipe) => void readProbedRecipe(recipe),
  async trainingMemory(context, rows) {
    const { model, weights } = context;
    if (model.width === undefined) return undefined;
    const device = deviceKind(context.device);
    const task = trainingTaskForm(context, NAME);
    const supervision = supervisionOf(context, NAME);
    const tokens = model.tokenCount?.("A".repeat(task.window)) ?? task.window;
    const { kernel, positions } = withFittingKernel(readRecipe(headSchema, context.recipe));
    // Without a tokenizer, assume one token index per base, which takes the most memory.
    const oneEach = model.tokens === "one-letter" && tokens === task.window + 1;
    const kind = oneEach ? (positions === "ends" ? "ends" : "slice") : "gather";
    const basesOf: BaseTokens = { kind, length: task.window };
    const learner = {
      ...freshHead({ width: model.width, kernel, outputs: outputsOf(supervision) }, basesOf),
      tokens,
    };
    if (weights !== undefined) {
      const { members } = context.task.task;
      const bytes = inferenceBytes(learner, { members: members.length, rows, device });
      return { bytes, disk: 0, usesModel: true };
    }
    const recipe = readProbedRecipe(context.recipe);
    const counts = rowCounts(trainingRows(context, recipe));
    const sizes = { ...counts, recipe, members: task.members.length, rows, device };
    const bytes = learnerBytes(learner, supervision, sizes);
    const disk = trainingDisk(learner);
    if (recipe.storedAs !== "auto") return { bytes, disk, usesModel: true };
    const sample = sampleBytes({ tokens, width: model.width }, task.members.length, counts);
    const check = learnerBytes(learner, supervision, { ...sizes, recipe: SAMPLE_BATCHES });
    return { bytes: Math.max(bytes, sample + check), disk, usesModel: true };
  },
  embeddingsNeed: (context) =>
    probeEmbeddingsNeed(NAME, context, withFittingKernel(readRecipe(headSchema, context.recipe)).storedAs),
  async open(context) {
    const { weights } = context;
    const recipe = withFittingKernel(readRecipe(headSchema, context.recipe));
    const embeddings = new ProbeEmbeddings(context, recipe.extractionBatchSize);
    try {
      if (weights !== undefined) {
        const learner = await Probe.open(context, embeddings, recipe);
        return await loadedPredictor(context, { setting: NAME, learner }, weights);
      }
      const training = readProbedRecipe(context.recipe);
      const learner = await Probe.open(context, embeddings, training);
      return await trainedPredictor(context, { setting: NAME, recipe: training, learner });
    } catch (error) {
      await embeddings.close();
      throw error;
    }
  },
};

/** The probing head, whose inputs come from the store. */
class Probe implements Learner {
  readonly preparing = "embedding";
  readonly initial: Learner["initial"];
  readonly frozen = new Map<string, never>();
  readonly output: Learner["output"];
  readonly tokens: number;
  readonly inferenceParts: Learner["inferenceParts"];

  private constructor(
    private readonly context: SettingContext,
    private readonly supervision: Supervision,
    private readonly embeddings: ProbeEmbeddings,
    private readonly basesOf: BaseTokens,
    private readonly recipe: HeadRecipe & Partial<ProbedRecipe>,
    private readonly size: Pick<SequenceEmbedding, "width" | "tokens">,
  ) {
    const { width, tokens } = size;
    this.tokens = tokens;
    const sizes = { width, kernel: recipe.kernel, outputs: outputsOf(supervision) };
    const { head, initial, output } = freshHead(sizes, basesOf, recipe.trainingSeed);
    this.initial = initial;
    this.output = output;
    if (trainedBy(context, NAME) === undefined) return;
    const { answered, answerBatchSize } = recipe;
    const answers = new ProbePredictions(context, {
      head,
      width,
      basesOf,
      embedder: embeddings.embedder.unpadded(),
      read: answered,
      batchSize: answerBatchSize,
    });
    this.inferenceParts = (examples) => answers.answer(examples);
  }

  /** Embeds one row to determine the model's width and tokens. */
  static async open(
    context: SettingContext,
    embeddings: ProbeEmbeddings,
    recipe: HeadRecipe & Partial<ProbedRecipe>,
  ): Promise<Probe> {
    const { model, protocol } = context;
    const supervision = supervisionOf(context, NAME);
    const { task, example } = await firstExample(context, NAME);
    const origins = [{ task: task.task.name, row: example.row, member: 0 }];
    assertHas(model, "embed");
    const [embedding] = await model.embed([example.sequences[0]], { protocol, origins });
    const { window } = trainingTaskForm(context, NAME);
    const basesOf = seenBy(embedding, recipe.positions, window, model);
    return new Probe(context, supervision, embeddings, basesOf, recipe, embedding);
  }

  async load(file: string) {
    await using checkpoint = await openCheckpoint(file);
    const { storedAs } = this.recipe;
    const trainedWith = checkpoint.metadata.get(STORED_AS) === "float16" ? "float16" : "float32";
    this.embeddings.use(storedAs === "auto" ? trainedWith : storedAs);
    const tensors = [...this.initial].map(([name, { shape }]) => ({ name, shape }));
    return readLayers(file, tensors, ORIGINAL_HEAD_LAYERS);
  }

  async decideStorage(rows: TrainingRows, training: string): Promise<StorageDecision | undefined> {
    const { storedAs } = this.recipe;
    const decision = storedAs === "auto" ? await this.decided(rows, training) : undefined;
    if (storedAs !== "auto") await this.use(storedAs, rows);
    return decision;
  }

  private async use(storedAs: StoredAs, { train, val }: TrainingRows): Promise<void> {
    this.embeddings.use(storedAs);
    const { members } = trainingTaskOf(this.context).task;
    await this.embeddings.checkSpaceFor((train.rows.length + val.rows.length) * members.length, this.size);
  }

  /**
   * Decision from before this training run was interrupted, else from a measurement. The sample is stored
   * first in both cases, so that its sequences are embedded in the same batches.
   */
  private async decided(rows: TrainingRows, training: string): Promise<StorageDecision> {
    const found = await readStorageDecision(training);
    if (found !== undefined) await this.use(found.storedAs, rows);
    const train = await this.sample(rows.train.rows.slice(), "training", found !== undefined);
    const val = await this.sample(rows.val.rows.slice(), "validation", found !== undefined);
    if (found !== undefined) return found;
    const decision = await decidePrecision(this.context, {
      setting: NAME,
      recipe: readProbedRecipe(this.context.recipe),
      supervision: this.supervision,
      learner: this,
      train,
      val,
      valRows: rows.val.rows.length,
      feeds: (embeddings) => headFeeds(embeddings, this.basesOf),
    });
    this.context.onNote?.(`embeddings are stored as ${decision.storedAs}: ${decision.because}`);
    await this.use(decision.storedAs, rows);
    const block = BLOCK_ROWS * trainingTaskOf(this.context).task.members.length;
    for (const { sequences, embeddings } of [train, val]) {
      // In the blocks in which they were embedded.
      for (let start = 0; start < sequences.length; start += block) {
        const end = start + block;
        await this.embeddings.add(sequences.slice(start, end), embeddings.slice(start, end));
      }
    }
    await writeStorageDecision(training, decision);
    return decision;
  }

  /** Embeds the sampled rows; if the precision is decided, only stores them. */
  private async sample(rows: RowNumbers, part: string, decided: boolean) {
    const task = trainingTaskOf(this.context);
    const picked = pickRows(rows, sampledRows(this.size, task.task.members.length));
    const sample: {
      readonly examples: PreparedExample[];
      readonly sequences: SequenceToEmbed[];
      readonly embeddings: SequenceEmbedding[];
    } = { examples: [], sequences: [], embeddings: [] };
    for (let start = 0; start < picked.length; start += BLOCK_ROWS) {
      const block = await task.examples(picked.slice(start, start + BLOCK_ROWS));
      const sequences = await this.embeddings.toEmbed(task, block);
      if (decided) await this.embeddings.add(sequences);
      else {
        sample.embeddings.push(...(await this.embeddings.embedder.embed(sequences, this.context.signal)));
        sample.sequences.push(...sequences);
        sample.examples.push(...block.map((example) => this.kept(example)));
      }
      this.context.onStage?.({
        stage: `embedding a sample of the ${part} rows`,
        done: Math.min(start + BLOCK_ROWS, picked.length),
        total: picked.length,
        rowsPerSecond: undefined,
        secondsLeft: undefined,
      });
    }
    return sample;
  }

  adopt({ embeddings }: TrainingRecord): void {
    const { storedAs } = this.recipe;
    this.embeddings.use(embeddings?.storedAs ?? (storedAs === "auto" ? "float32" : storedAs));
  }

  async feeds(examples: readonly Example[]): Promise<Feeds> {
    const sequences = await this.embeddings.toEmbed(this.context.task, examples);
    return headFeeds(await this.embeddings.evaluated(sequences), this.basesOf);
  }

  async prepare(rows: RowNumbers, onRows: (done: number) => void): Promise<PreparedRows> {
    const task = trainingTaskOf(this.context);
    const members = task.task.members.length;
    const examples: PreparedExample[] = [];
    const positions = new Float64Array(rows.length * members);
    for (let start = 0; start < rows.length; start += BLOCK_ROWS) {
      this.context.signal?.throwIfAborted();
      const block = await task.examples(rows.slice(start, start + BLOCK_ROWS));
      const sequences = await this.embeddings.toEmbed(task, block);
      positions.set(await this.embeddings.add(sequences), start * members);
      for (const example of block) examples.push(this.kept(example));
      onRows(examples.length);
    }
    this.embeddings.reportRoundingLoss();
    return {
      examples,
      feeds: async (wanted) => {
        const ofMembers = [...wanted].flatMap((row) => [
          ...positions.subarray(row * members, (row + 1) * members),
        ]);
        return headFeeds(await this.embeddings.read(ofMembers), this.basesOf);
      },
    };
  }

  private kept(example: Example): PreparedExample {
    return { row: example.row, facts: example.facts, labels: this.supervision.labels(example) };
  }

  close(): Promise<void> {
    return this.embeddings.close();
  }
}

/** Tokens of a sequence of `length` bases that the head sees, determined from one embedding. */
function seenBy(
  { tokens, starts, ends }: SequenceEmbedding,
  positions: "bases" | "ends",
  length: number,
  model: Model,
): BaseTokens {
  const oneEach =
    tokens === length + 1 &&
    Array.from(starts.subarray(0, length)).every((start, i) => start === i && ends[i] === i + 1);
  if (positions === "bases") return { kind: oneEach ? "slice" : "gather", length };
  if (oneEach) return { kind: "ends", length };
  throw new InputError(
    `the positions of the recipe are "ends", which needs one token for each of ${length} bases and one after them; ${JSON.stringify(model.name)} has ${tokens} tokens`,
  );
}
