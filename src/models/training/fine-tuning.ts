import { FormatError, InputError } from "../../base/errors.ts";
import { tryParseJson } from "../../base/json.ts";
import { counted } from "../../base/message-text.ts";
import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import { dataOf, elementCount, type NdArray } from "../../net/arrays/array.ts";
import { openCheckpoint } from "../../net/arrays/checkpoint.ts";
import { input } from "../../net/graph/build.ts";
import type { Dim } from "../../net/graph/dim.ts";
import { graphOf } from "../../net/graph/graph.ts";
import { isOp, type Sym } from "../../net/graph/sym.ts";
import { DropoutSites } from "../../net/nn/dropout.ts";
import { initialValues } from "../../net/nn/init.ts";
import { runsLoopsWell, type TrainingDevice } from "../../net/runtime/device.ts";
import {
  openProgram,
  type ParameterSource,
  type Program,
  type ProgramOptions,
  workingDevice,
} from "../../net/runtime/program.ts";
import type { BatchPlace, Feeds } from "../../net/train/batches.ts";
import { writeArrays } from "../../net/train/fit-state.ts";
import type { CheckpointFolder } from "../checkpoints/checkpoint-folder.ts";
import { drawParameter } from "../checkpoints/init.ts";
import type { ForwardInput } from "../language/architecture.ts";
import { type Batch, collate, runsOfEqualLength } from "../language/collate.ts";
import { LoraAdapters, type LoraRecipe } from "../language/lora.ts";
import { type WeightMemory, weightMemory } from "../language/parameters.ts";
import {
  RECIPE_KEY,
  readTrainedTensors,
  recipeInFile,
  type TrainedTensor,
  type TrainedValues,
} from "./trained-tensors.ts";

export interface FineTuningRequest {
  /** Number of logits, or 1 for a predicted value. */
  readonly labels: number;
  readonly recipe: LoraRecipe;
  /** Seed of the initial factors, the initial classifier and the dropout masks. */
  readonly seed: number;
  /** Device of training and of the trained model. Default: the CPU, also for a model on another device. */
  readonly device?: TrainingDevice;
}

/** Part of a batch that runs together: sequences of one member (element or control) of the task's rows. */
export interface PartPlace extends BatchPlace {
  /** 0-based; 0 if absent. */
  readonly member?: number;
  /** Index in the batch of the part's first sequence, among those of its member; 0 if absent. */
  readonly from?: number;
}

/** Graph of a classifier with its frozen parameters. */
export interface FineTuningGraph {
  /** [b, labels] */
  readonly logits: Sym;
  /** Weights of the checkpoint, in place, and constants derived from them. */
  readonly frozen: ReadonlyMap<string, ParameterSource>;
  /**
   * In a training graph, LoRA factors of experts, by name, with a bool scalar: true if the batch used the
   * expert.
   */
  readonly reached: ReadonlyMap<string, Sym>;
}

/**
 * A language model for fine-tuning: frozen weights with LoRA factors, and a new classifier. Builds the graphs
 * for training and evaluation with their inputs, and reads and writes files of trained values; `fitEpochs` is
 * the training loop.
 */
export class FineTuning {
  private readonly forTraining: LoraAdapters;
  /** Dropout sites of the last training graph. */
  private dropoutSites = new DropoutSites();
  private evaluating: { readonly length: Dim; readonly program: Promise<Program> } | undefined;

  constructor(
    private readonly opened: CheckpointFolder,
    private readonly request: FineTuningRequest,
    private readonly options: ProgramOptions,
  ) {
    this.forTraining = this.factors(true).factors;
  }

  private factors(training: boolean) {
    const { architecture } = this.opened;
    const factors = new LoraAdapters(this.request.recipe, architecture.adaptedModules, training);
    return { factors, model: architecture.withLora(factors) };
  }

  private get head() {
    return this.opened.architecture.classifier(this.request.labels);
  }

  get identity(): string {
    return this.opened.identity;
  }

  /** Memory of the frozen weights. */
  get weightMemory(): WeightMemory {
    const { architecture, parameters } = this.opened;
    return weightMemory(architecture, parameters);
  }

  /**
   * Initial values of all trained parameters: the classifier, and the factors of every weight in the adapted
   * modules, including those that no output depends on. They are a function of the seed and the names.
   */
  initial(): TrainedValues {
    const { seed } = this.request;
    const factors = this.forTraining.weights.flatMap(({ a, b }) => [a, b]);
    const head = this.head.tensors.map((tensor): [string, NdArray] => {
      const { name, shape } = tensor;
      const data = drawParameter(
        this.opened.architecture.initializer(tensor),
        elementCount(shape),
        `${seed} ${name}`,
      );
      return [name, { dtype: "float32", shape, data }];
    });
    return new Map([...initialValues(factors, seed), ...head]);
  }

  /** The values among `values` that a graph reads, and a training step therefore updates. */
  readBy({ logits }: Pick<FineTuningGraph, "logits">): TrainedValues {
    const read = new Set(graphOf({ logits }).parameters.map(({ attributes }) => attributes.name));
    return new Map([...this.initial()].filter(([name]) => read.has(name)));
  }

  /**
   * The classifier's graph. Its inputs are those of `feeds` and, for training, of `dropout`.
   *
   * @param tokens  number of tokens of every sequence, special tokens included, which some models require
   * @throws {InputError} when the model requires it and it is absent
   */
  async graph(mode: "training" | "evaluation", tokens?: number): Promise<FineTuningGraph> {
    const { model } = this.factors(mode === "training");
    const { loops, length } = await this.form(tokens);
    const dropout = mode === "training" ? new DropoutSites() : undefined;
    const reached = new Map<string, Sym>();
    const given: ForwardInput = {
      ids: input("ids", "int32", ["b", length]),
      ...(model.takesMask ? { mask: input("mask", "float32", ["b", length]) } : {}),
      loops,
      dropout,
      onRouted(layers, isUsed) {
        for (const { adapter } of layers) {
          for (const { node } of adapter === undefined ? [] : [adapter.a, adapter.b]) {
            if (isOp(node, "Parameter")) reached.set(node.attributes.name, isUsed);
          }
        }
      },
    };
    const logits = this.head.logits(model.forward(given, length), given);
    if (dropout !== undefined) this.dropoutSites = dropout;
    const derived = typeof length === "number" ? await model.derive?.(length, this.opened.read) : undefined;
    return {
      logits,
      frozen: new Map<string, ParameterSource>([...this.opened.parameters, ...(derived ?? [])]),
      reached,
    };
  }

  /** Whether the device runs recurrences as loops, and the number of tokens in the graph. */
  private async form(tokens: number | undefined): Promise<{ loops: boolean; length: Dim }> {
    const loops = runsLoopsWell(await workingDevice(this.options.device ?? "cpu"));
    if (!this.opened.architecture.fixedLength) return { loops, length: "t" };
    if (tokens !== undefined) return { loops, length: tokens };
    throw new InputError("this model trains on sequences of one length, which must be given", {
      hint: "pass the number of tokens",
    });
  }

  /**
   * Inputs of the graph for some sequences: ids [b, t], padded on the right to the longest, and mask [b, t].
   *
   * @throws {InputError} when they differ in number of tokens and the model takes no mask or has no padding
   *   token
   */
  feeds(sequences: readonly string[]): Feeds & Batch {
    const rows = sequences.map((sequence) => this.encode(sequence));
    const uneven = new Set(rows.map(({ ids }) => ids.length)).size > 1;
    const { pad } = this.opened.tokenizer.special;
    if (uneven && (!this.opened.architecture.takesMask || pad === undefined)) {
      throw new InputError("the sequences of a batch differ in length, but this model takes no padding", {
        hint: "train it on sequences of one length",
      });
    }
    return { ...collate(rows, { pad: pad ?? 0 }) };
  }

  private encode(sequence: string): Tokens {
    const { tokenizer, architecture } = this.opened;
    const tokens = tokenizer.encode(sequence);
    if (tokens.ids.length <= architecture.maxTokens) return tokens;
    throw new InputError(
      `a sequence has ${tokens.ids.length} tokens, but the model takes at most ${architecture.maxTokens}`,
      {
        hint: "choose a checkpoint with a longer context, a smaller --context or a task with shorter windows",
      },
    );
  }

  /**
   * Dropout masks of a part of a training step; resumed training draws the same ones. As in the original,
   * LoRA masks are shared by all sequences of a member's batch. Masks of activations, for families that have
   * them, are per sequence and do not depend on how a batch is split.
   *
   * @param feeds  inputs of the part's sequences
   */
  dropout(place: PartPlace, feeds: Feeds): Feeds {
    const { seed } = this.request;
    const { epoch, batch, member = 0, from = 0 } = place;
    const [count, tokens] = feeds.ids.shape;
    const mask = dataOf(feeds.mask, "float32");
    const rows = Array.from({ length: count }, (_, i) => ({
      seed: [seed, "dropout", epoch, batch, member, from + i],
      tokens: mask.subarray(i * tokens, (i + 1) * tokens).reduce((sum, each) => sum + each, 0),
    }));
    return { ...this.forTraining.drawMasks(seed, place), ...this.dropoutSites.draw(rows, tokens) };
  }

  /**
   * Logits of sequences, each [labels], without dropout. Rows of equal length are run together, so that
   * nothing is padded and a sequence's logits depend on it alone.
   */
  async logits(sequences: readonly string[], values: TrainedValues): Promise<readonly Float32Array[]> {
    const { labels } = this.request;
    const rows = sequences.map((sequence) => this.encode(sequence));
    const results: Float32Array[] = [];
    for (const members of runsOfEqualLength(rows, this.opened.architecture)) {
      const given = members.map((row) => rows[row]);
      const program = await this.evaluation(given[0].ids.length);
      const { logits } = await program.run({ ...collate(given), ...Object.fromEntries(values) });
      const data = dataOf(logits, "float32");
      members.forEach((row, i) => {
        results[row] = data.slice(i * labels, (i + 1) * labels);
      });
    }
    return results;
  }

  /**
   * The evaluation program: one for all lengths, or for the last requested length if the graph depends on it.
   */
  private async evaluation(tokens: number): Promise<Program> {
    const { length } = await this.form(tokens);
    if (this.evaluating?.length !== length) {
      await this.closeProgram();
      this.evaluating = { length, program: this.openEvaluation(tokens) };
    }
    return this.evaluating.program;
  }

  private async openEvaluation(tokens: number): Promise<Program> {
    const graph = await this.graph("evaluation", tokens);
    const fed = [...this.readBy(graph).keys()].map((name) => [name, "fed"] as const);
    return openProgram({ logits: graph.logits }, new Map([...graph.frozen, ...fed]), this.options);
  }

  /**
   * Writes trained values to a safetensors file with the names of the original's state dict: its
   * `load_state_dict` reads the file with `strict=False` on top of the checkpoint's weights.
   */
  async save(path: string, values: TrainedValues): Promise<void> {
    const all = new Map([...this.initial(), ...values]);
    const { rank, alpha, dropout } = this.request.recipe;
    await writeArrays(path, new Map([...all].map(([name, array]) => [this.nameInFile(name), array])), {
      [RECIPE_KEY]: JSON.stringify({ rank, alpha, dropout }),
      model: this.opened.identity,
    });
  }

  /**
   * Reads trained values: `adapter.safetensors` or `best.safetensors` of a run, or `checkpoint_N.pt` of the
   * original.
   *
   * @param needed  names of the graph's parameters that the file must have; the others are optional. All by
   *   default
   * @throws {FormatError} listing all missing and unexpected tensors, naming one with another shape or with
   *   integers, or when the file's recipe has another scale alpha / rank
   */
  async load(path: string, needed?: Iterable<string>): Promise<TrainedValues> {
    const required = new Set(needed ?? this.initial().keys());
    const tensors = [...this.initial()].map(([name, { shape }]): TrainedTensor => {
      const inFile = this.nameInFile(name);
      const aliases = inFile === name ? [] : [inFile];
      return { name, shape, aliases, ...(required.has(name) ? {} : { optional: true }) };
    });
    const values = await readTrainedTensors(path, tensors, {
      shape: `expected weights with ${counted(this.request.labels, "output")} and the recipe's rank ${this.request.recipe.rank}`,
      names: "is this a file of LoRA fine-tuning for this model?",
    });
    await this.checkScale(path);
    return values;
  }

  /**
   * Checks that alpha / rank of the file equals that of the recipe, since factors of another scale are
   * another model.
   */
  private async checkScale(path: string): Promise<void> {
    await using checkpoint = await openCheckpoint(path);
    const text = checkpoint.metadata.get(RECIPE_KEY);
    if (text === undefined) return;
    const stored = recipeInFile.safeParse(tryParseJson(text)).data;
    if (stored === undefined)
      throw new FormatError({ file: path }, `its ${RECIPE_KEY} is not readable: ${text}`);
    const { rank, alpha } = this.request.recipe;
    if (stored.alpha / stored.rank === alpha / rank) return;
    throw new FormatError(
      { file: path },
      `has alpha ${stored.alpha} and rank ${stored.rank}, but the recipe has alpha ${alpha} and rank ${rank}`,
      `use the recipe of the file: --recipe alpha=${stored.alpha} rank=${stored.rank}`,
    );
  }

  /** Name of a parameter in files: `model.` precedes the classifier's names, factors have the same names. */
  private nameInFile(name: string): string {
    return this.head.tensors.some((tensor) => tensor.name === name) ? `model.${name}` : name;
  }

  private async closeProgram(): Promise<void> {
    const program = this.evaluating?.program;
    this.evaluating = undefined;
    await (await program)?.close();
  }

  async close(): Promise<void> {
    await this.closeProgram();
    await this.opened.close();
  }
}
