import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import { temporaryFolder } from "../../base/temporary-folder.ts";
import {
  type BaseTokens,
  largestKernel,
  ORIGINAL_HEAD_LAYERS,
  probingHead,
  probingInputs,
  probingLogits,
} from "../../models/heads/probing-head.ts";
import type { Model, SequenceEmbedding } from "../../models/model.ts";
import { readLayers } from "../../models/trained-tensors.ts";
import { FreshLayers, initialValues } from "../../net/nn/init.ts";
import type { Feeds } from "../../net/train/batches.ts";
import { type ChunkPlace, EmbeddingStore, type SequenceToEmbed } from "../embeddings/embedding-store.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { Example, OpenTask, RowNumbers, SequenceFile, Supervision, Task } from "../tasks/task.ts";
import type { KeptExample, KeptRows, Learner } from "./learner.ts";
import { answeringBytes, learnerBytes } from "./learner-memory.ts";
import { OriginalBatches } from "./original-batches.ts";
import { headFeeds, ProbeAnswers } from "./probe-answers.ts";
import { sequenceFiles } from "./sequence-files.ts";
import type { Setting, SettingContext } from "./setting.ts";
import { outputsOf } from "./supervision.ts";
import { loadedAnswerer, trainedAnswerer } from "./trained-answerer.ts";
import { answeringFields, readRecipe, trainingFields } from "./training-recipe.ts";
import {
  firstExample,
  supervisionOf,
  trainedBy,
  trainingRows,
  trainingTaskForm,
  trainingTaskOf,
} from "./training-rows.ts";

const NAME = "probed";

/** Rows per file of the store. */
const CHUNK_ROWS = 64;

const headSchema = z.object({
  ...answeringFields,
  head: z.literal("cnn"),
  positions: z.enum(["bases", "ends"]),
  kernel: z.int().positive().max(32),
  extractionBatchSize: z.int().positive(),
  storedAs: z.enum(["float32", "float16"]),
  /** Where another task's rows train: what is read of a row that is answered, and rows that the original scored at once. */
  answered: z.enum(["bases", "tokens"]).default("bases"),
  answerBatchSize: z.int().positive().default(256),
});

/** What the head and its inputs depend on, trained here or not. */
type HeadRecipe = z.infer<typeof headSchema>;

const recipeSchema = headSchema.extend({ ...trainingFields, optimizer: z.literal("adam") });

/** Tokens that a head sees of the ends of a sequence. */
const ENDS = 2;

const readProbedRecipe = (recipe: Recipe) => checked(readRecipe(recipeSchema, recipe));

function checked<Read extends HeadRecipe>(read: Read): Read {
  if (read.positions === "ends") checkKernel(read.kernel, ENDS);
  return read;
}

/** @throws {InputError} when nothing is left of so many positions behind the head's convolutions */
function checkKernel(kernel: number, positions: number): void {
  const largest = largestKernel(positions);
  if (kernel <= largest) return;
  throw new InputError(
    `kernel of the recipe is ${kernel}, which is too wide for the ${positions} positions that the head sees`,
    { hint: `the widest that fits is ${largest}` },
  );
}

/** A small network is trained on the last hidden states of the model, which itself stays as it is, and answers. */
export const probed: Setting = {
  name: NAME,
  title: "probed: a head trained on embeddings",
  readyAtOnce: false,
  takesWeights: true,
  refuses(_task: Task, model: Model) {
    if (model.embed !== undefined) return undefined;
    return "it gives no embeddings (no `embed`), which probed asks for";
  },
  sequencesPerRow: (task) => task.members.length,
  checkRecipe: (recipe) => void readProbedRecipe(recipe),
  async trainingMemory(context) {
    const { model, weights } = context;
    if (model.width === undefined) return undefined;
    const task = trainingTaskForm(context, NAME);
    const supervision = supervisionOf(context, NAME);
    // as if each base looked up its token, which takes the most
    const basesOf = { kind: "gather", length: task.window } as const;
    const tokens = model.tokenCount?.("A".repeat(task.window)) ?? task.window;
    if (weights !== undefined) {
      const { kernel, evaluationBatchSize } = checked(readRecipe(headSchema, context.recipe));
      const learner = { ...headOf(supervision, basesOf, model.width, kernel), tokens };
      const { members } = context.task.task;
      return { bytes: answeringBytes(learner, members.length, evaluationBatchSize), asksModel: true };
    }
    const recipe = readProbedRecipe(context.recipe);
    const learner = { ...headOf(supervision, basesOf, model.width, recipe.kernel), tokens };
    const trainRows = trainingRows(context, recipe).train.rows.length;
    const bytes = learnerBytes(learner, supervision, task.members.length, { recipe, trainRows });
    return { bytes, asksModel: true };
  },
  async open(context) {
    const { weights } = context;
    const recipe = checked(readRecipe(headSchema, context.recipe));
    const temporary = context.embeddings === undefined ? await temporaryFolder() : undefined;
    const store = new EmbeddingStore({
      folder: context.embeddings ?? temporary!.path,
      model: context.model,
      protocol: context.protocol,
      batchSize: context.batchSize,
      storedAs: recipe.storedAs,
    });
    const closeStore = async () => {
      await store.close();
      await temporary?.remove();
    };
    try {
      if (weights !== undefined) {
        const learner = await Probe.open(context, store, recipe, closeStore);
        return await loadedAnswerer(context, { setting: NAME, learner }, weights);
      }
      const training = readProbedRecipe(context.recipe);
      const learner = await Probe.open(context, store, training, closeStore);
      return await trainedAnswerer(context, { setting: NAME, recipe: training, learner });
    } catch (error) {
      await closeStore();
      throw error;
    }
  },
};

/**
 * A fresh head, its graph, and the values it begins with.
 * @param seed  of these values, which trained weights replace
 */
function headOf(supervision: Supervision, basesOf: BaseTokens, width: number, kernel: number, seed = 0) {
  checkKernel(kernel, basesOf.kind === "ends" ? ENDS : basesOf.length);
  const layers = new FreshLayers();
  const head = probingHead(layers, { width, kernel, outputs: outputsOf(supervision) });
  const { tokens, index } = probingInputs(width, basesOf);
  const output = probingLogits(head, tokens, basesOf, index);
  return { head, output, initial: initialValues(layers.tensors, seed) };
}

/** The probing head, whose inputs come from the store. */
class Probe implements Learner {
  readonly keeping = "embedding";
  private lossTold = false;
  private readonly files = new Map<OpenTask, readonly SequenceFile[]>();
  readonly initial: Learner["initial"];
  readonly frozen = new Map<string, never>();
  readonly output: Learner["output"];
  readonly tokens: number;
  readonly answer: Learner["answer"];

  private constructor(
    private readonly context: SettingContext,
    private readonly supervision: Supervision,
    private readonly store: EmbeddingStore,
    private readonly basesOf: BaseTokens,
    /** Where they decide how far a sequence is padded. */
    private readonly batches: OriginalBatches | undefined,
    recipe: HeadRecipe & { readonly trainingSeed?: number },
    { width, tokens: count }: Pick<SequenceEmbedding, "width" | "tokens">,
    readonly close: () => Promise<void>,
  ) {
    this.tokens = count;
    const { head, initial, output } = headOf(supervision, basesOf, width, recipe.kernel, recipe.trainingSeed);
    this.initial = initial;
    this.output = output;
    if (trainedBy(context, NAME) === undefined) return;
    const { answered, answerBatchSize } = recipe;
    const answers = new ProbeAnswers(context, {
      ...{ head, width, basesOf, store: store.unpadded() },
      ...{ read: answered, batchSize: answerBatchSize },
    });
    this.answer = (examples) => answers.answer(examples);
  }

  /** Embeds one row to know the model's width and its tokens. */
  static async open(
    context: SettingContext,
    store: EmbeddingStore,
    recipe: HeadRecipe & { readonly trainingSeed?: number },
    close: () => Promise<void>,
  ): Promise<Probe> {
    const { model, protocol } = context;
    const { positions, extractionBatchSize } = recipe;
    const supervision = supervisionOf(context, NAME);
    const padded = protocol === "paper" && OriginalBatches.vary(model);
    const batches = padded ? new OriginalBatches(model, extractionBatchSize) : undefined;
    const { task, example } = await firstExample(context, NAME);
    const origins = [{ task: task.task.name, row: example.row, member: 0 }];
    const [embedding] = await model.embed!([example.sequences[0]!], { protocol, origins });
    const { window } = trainingTaskForm(context, NAME);
    const basesOf = seenBy(embedding!, positions, window, model);
    return new Probe(context, supervision, store, basesOf, batches, recipe, embedding!, close);
  }

  load(file: string) {
    const tensors = [...this.initial].map(([name, { shape }]) => ({ name, shape }));
    return readLayers(file, tensors, ORIGINAL_HEAD_LAYERS);
  }

  async feeds(examples: readonly Example[]): Promise<Feeds> {
    const sequences = await this.toEmbed(this.context.task, examples);
    await this.store.ensure(sequences, this.context.signal);
    const place = this.store.chunkOf(sequences);
    return headFeeds(await this.readAll(sequences.map((_, sequence) => ({ place, sequence }))), this.basesOf);
  }

  async keep(rows: RowNumbers, tell: (done: number) => void): Promise<KeptRows> {
    const { signal } = this.context;
    const task = trainingTaskOf(this.context);
    const members = task.task.members.length;
    const examples: KeptExample[] = [];
    const places: ChunkPlace[] = [];
    for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
      signal?.throwIfAborted();
      const block = await task.examples(rows.slice(start, start + CHUNK_ROWS));
      const sequences = await this.toEmbed(task, block);
      await this.store.ensure(sequences, signal);
      places.push(this.store.chunkOf(sequences));
      for (const example of block) {
        examples.push({ row: example.row, facts: example.facts, labels: this.supervision.labels(example) });
      }
      tell(examples.length);
    }
    this.tellLoss();
    return {
      examples,
      feeds: async (asked) => {
        const wanted = [...asked].flatMap((row) =>
          Array.from({ length: members }, (_, member) => ({
            place: places[Math.floor(row / CHUNK_ROWS)]!,
            sequence: (row % CHUNK_ROWS) * members + member,
          })),
        );
        return headFeeds(await this.readAll(wanted), this.basesOf);
      },
    };
  }

  /** What keeping embeddings in half the room cost, told where any were made. */
  private tellLoss(): void {
    const { loss } = this.store;
    if (loss === undefined || this.lossTold) return;
    this.lossTold = true;
    const share = loss.largest === 0 ? 0 : loss.change / loss.largest;
    this.context.onNote?.(
      `kept as float16, states changed by at most ${loss.change.toPrecision(2)}, which is ${share.toPrecision(2)} of the largest`,
    );
  }

  private async toEmbed(task: OpenTask, examples: readonly Example[]): Promise<readonly SequenceToEmbed[]> {
    const { name } = task.task;
    const sequences: SequenceToEmbed[] = [];
    for (const { row, sequences: members } of examples) {
      for (const [member, letters] of members.entries()) {
        const origin = { task: name, row, member };
        sequences.push({ letters, padTo: await this.padTo(task, row, member), origin });
      }
    }
    return sequences;
  }

  /** Tokens to which the original padded a sequence, under `paper`. */
  private async padTo(task: OpenTask, row: number, member: number): Promise<number | undefined> {
    if (this.batches === undefined) return undefined;
    const files = this.files.get(task) ?? sequenceFiles(task);
    this.files.set(task, files);
    const file = files[member]!;
    return this.batches.tokensOf(file, file.lineOf(row, member));
  }

  /** In the order asked for, read chunk by chunk. */
  private async readAll(
    wanted: readonly { readonly place: ChunkPlace; readonly sequence: number }[],
  ): Promise<readonly SequenceEmbedding[]> {
    const order = [...wanted.keys()].sort((a, b) => {
      const [x, y] = [wanted[a]!.place.file, wanted[b]!.place.file];
      return x < y ? -1 : x > y ? 1 : a - b;
    });
    const embeddings = new Array<SequenceEmbedding>(wanted.length);
    for (const i of order) embeddings[i] = await this.store.read(wanted[i]!.place, wanted[i]!.sequence);
    return embeddings;
  }
}

/** Which tokens the head sees of a sequence of `length` bases, from the embedding of one. */
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
