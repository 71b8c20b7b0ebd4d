import { InputError } from "../base/errors.ts";
import type { Precision } from "../net/runtime/precision.ts";
import type { ProgramOptions } from "../net/runtime/program.ts";
import {
  type AlleleLogLikelihoods,
  type EmbedOptions,
  MODEL_QUERIES,
  type Model,
  type ModelQuery,
  type OpenModelContext,
  type PoolOptions,
  type QueryOptions,
  type SequenceEmbedding,
  supports,
  type TokenLogProbabilities,
  type TokenOptions,
} from "./model.ts";
import { poolSequences } from "./queries/embeddings.ts";

/**
 * Opens a model by name or path:
 * - `kmer-markov`, `kmer-markov:order=5`: a baseline, fitted when it is opened;
 * - `motif-counts:motifs.meme`, `motif-counts:p=1e-4,motifs.meme`: numbers of motif hits;
 * - `probing-head-like`, `chrombpnet-like`: untrained networks for the setting ab-initio;
 * - `chrombpnet:FILE.h5`, `chrombpnet:strands=both,FILE.h5`: a trained ChromBPNet in Keras format; `*` in the
 *   path averages folds, `{cell-line}` selects one network per cell line;
 * - `enformer:FOLDER`, `enformer:track=121,FOLDER`: an Enformer in the format of enformer-pytorch;
 * - `borzoi:FOLDER`, `borzoi:track=1345,FOLDER`: a Borzoi in the format of borzoi-pytorch;
 * - a folder with config.json and weights;
 * - `toy:hyenadna`: a small trained checkpoint of each family that comes with the package, and
 *   `toy:chrombpnet`;
 * - `hf:ORG/NAME`, `hf:ORG/NAME@REVISION`: a repository of the Hugging Face hub, downloaded into its cache if
 *   it is not there;
 * - `hyenadna/large-1m` or a hub repository of the catalogue, at its recorded commit, if it is downloaded;
 * - `model.onnx` with `model.card.json` next to it;
 * - `stdio:python3 adapter.py`, `http://host:port/`: an adapter, a program that evaluates the model;
 * - `scores.tsv`: precomputed log-likelihoods; `scores:answers=activity,family=chrombpnet,scores.tsv`:
 *   activities;
 * - `embeddings.h5`, `embeddings:family=caduceus,embeddings.h5`: embeddings that DART-Eval's scripts
 *   extracted;
 * - a `.js`, `.mjs` or `.ts` file that exports a model as `default` or `model`: your own code, which is
 *   executed. A prefix renames any of them: `mine=./checkpoint`.
 *
 *     await using model = await openModel("toy:hyenadna");
 *     const [logLikelihood] = await model.logLikelihood(["ACGTTGCA"]);
 *
 * @throws {InputError} when the text has none of these forms, or names a model without the requested
 *   precision
 */
export async function openModel(text: string, context: OpenModelContext = {}): Promise<OpenedModel> {
  const { name, spec, opener } = parsedText(text);
  const { precision = "f32" } = context;
  const isReduced = precision !== "f32";
  if (isReduced && !opener.reduces) throw withoutPrecision(name ?? spec, precision);
  const model = await opener.open(spec, context);
  if (isReduced && model.precision !== precision) {
    await model.close?.();
    throw withoutPrecision(name ?? spec, precision);
  }
  return openedModel(model, name);
}

/** `mine=kmer-markov:order=5` → mine, kmer-markov:order=5, and the opener of its form. */
function parsedText(text: string) {
  const [, name, spec] = /^(?:([\w.-]+)=)?(.+)$/s.exec(text) ?? [];
  if (spec === undefined) throw new InputError("the name of the model is empty");
  return { name, spec, opener: OPENERS.find(({ form }) => form.test(spec))! };
}

const withoutPrecision = (name: string, precision: Precision) =>
  new InputError(`the model ${JSON.stringify(name)} cannot be opened in ${precision}`, {
    hint: `${precision} is a choice for checkpoints of language models; evaluate this model in another run`,
  });

/**
 * Opens several models and returns them in the given order. Models that are fitted when opened, which takes
 * minutes, are opened last, so that a wrong name is reported first.
 *
 * @throws {InputError} as `openModel`; models already open are closed
 */
export async function openModels(
  texts: readonly string[],
  context: OpenModelContext,
): Promise<readonly OpenedModel[]> {
  const isFitted = (text: string) => parsedText(text).opener.fitted ?? false;
  const models = new Map<number, OpenedModel>();
  try {
    for (const later of [false, true]) {
      for (const [i, text] of texts.entries()) {
        if (isFitted(text) === later) models.set(i, await openModel(text, context));
      }
    }
  } catch (error) {
    for (const model of models.values()) await model.close();
    throw error;
  }
  return texts.map((_, i) => models.get(i)!);
}

interface Opener {
  readonly form: RegExp;
  /** Models of this form can have a reduced precision. */
  readonly reduces?: true;
  /** Models of this form are fitted when they are opened. */
  readonly fitted?: true;
  readonly open: (spec: string, context: OpenModelContext) => Promise<Model>;
  /** Opens a toy of this form from its folder. Default: a checkpoint of a language model. */
  readonly openToy?: (folder: string, name: string, context: OpenModelContext) => Promise<Model>;
}

const kmerMarkov = () => import("./baselines/kmer-markov.ts");
const motifCounts = () => import("./baselines/motif-counts.ts");
const chrombpnet = () => import("./chrombpnet/chrombpnet.ts");
const tracks = () => import("./tracks/track-model.ts");
const adapters = () => import("./external/adapter-model.ts");
const modules = () => import("./external/module-model.ts");
const onnx = () => import("./external/onnx-model.ts");
const storedEmbeddings = () => import("./external/stored-embeddings.ts");
const scoreTables = () => import("./external/score-table.ts");
const checkpoints = () => import("./open-checkpoint.ts");

/**
 * Openers by the form of the text. The first that matches opens the model; the last, for checkpoints, matches
 * any text. The code for a kind of model is loaded with the first model of that kind.
 */
const OPENERS: readonly Opener[] = [
  {
    form: /^kmer-markov(:|$)/,
    fitted: true,
    open: async (...given) => (await kmerMarkov()).openKmerMarkov(...given),
  },
  { form: /^motif-counts(:|$)/, open: async (spec) => (await motifCounts()).openMotifCounts(spec) },
  {
    form: /^hf:/,
    reduces: true,
    open: async (...given) => (await checkpoints()).openHubCheckpoint(...given),
  },
  {
    form: /^chrombpnet:/,
    open: async (spec, context) => (await chrombpnet()).openChrombpnet(spec, programOptions(context)),
    openToy: async (folder, name, context) =>
      (await chrombpnet()).Chrombpnet.open(`${folder}/chrombpnet.h5`, { ...programOptions(context), name }),
  },
  {
    form: /^(borzoi|enformer):/,
    open: async (spec, context) => (await tracks()).openTrackModel(spec, programOptions(context)),
  },
  {
    form: /^stdio:/,
    open: async (spec, { signal }) => (await adapters()).openStdioModel(spec.slice("stdio:".length), signal),
  },
  { form: /^https?:\/\//, open: async (spec, { signal }) => (await adapters()).openHttpModel(spec, signal) },
  { form: /\.[cm]?[jt]s$/, open: async (spec) => (await modules()).importModel(spec) },
  {
    form: /\.onnx$/,
    open: async (spec, context) => (await onnx()).openOnnxModel(spec, programOptions(context)),
  },
  {
    form: /^embeddings:|\.(h5|hdf5)$/,
    open: async (spec) => (await storedEmbeddings()).openStoredEmbeddings(spec),
  },
  { form: /^scores:|\.tsv(\.gz)?$/, open: async (spec) => (await scoreTables()).openScoreTable(spec) },
  {
    form: /^toy:/,
    reduces: true,
    async open(spec, context) {
      const { openToyCheckpoint, toyFolder } = await checkpoints();
      const toy = spec.slice("toy:".length);
      const folder = await toyFolder(toy);
      const kind = OPENERS.find(({ form, openToy }) => openToy !== undefined && form.test(`${toy}:`));
      return (kind?.openToy ?? openToyCheckpoint)(folder, `${toy}-toy`, context);
    },
  },
  { form: /^/, reduces: true, open: async (...given) => (await checkpoints()).openNamed(...given) },
];

function programOptions({ device, threads }: OpenModelContext): ProgramOptions {
  return { ...(device === undefined ? {} : { device }), ...(threads === undefined ? {} : { threads }) };
}

/** One number per sequence: an array or a typed array. */
export type Scores = ArrayLike<number> & Iterable<number>;

/**
 * A model from `openModel`: every query is present and its options are optional. Sequences are upper-case A,
 * C, G, T, and N, which the model's tokenizer or network reads as an unknown base.
 *
 * Default options: protocol "corrected"; `pool` averages over bases. No sequences give no results. A query
 * rejects with an `InputError` that names the model if the model does not implement it (check with
 * `supports(model, query)`) or is closed, or if a sequence contains another letter.
 */
export interface OpenedModel extends Model, AsyncDisposable {
  /**
   * One log-likelihood (causal) or pseudo-log-likelihood (masked) per sequence, nats.
   *
   *     const model = await openModel("./hyenadna-large-1m");
   *     const [first, second] = await model.logLikelihood(["ACGTACGT", "GATTACA"]);
   */
  logLikelihood(sequences: readonly string[], options?: Partial<QueryOptions>): Promise<Scores>;
  /** Log-probability of every scored token, nats: the terms of `logLikelihood`. */
  tokenLogProbabilities(
    sequences: readonly string[],
    options?: Partial<TokenOptions>,
  ): Promise<readonly TokenLogProbabilities[]>;
  /** Last hidden states of every token, [tokens, width] per sequence. */
  embed(sequences: readonly string[], options?: Partial<EmbedOptions>): Promise<readonly SequenceEmbedding[]>;
  /** Mean of the last hidden states over the bases, [width] per sequence. */
  pool(sequences: readonly string[], options?: Partial<PoolOptions>): Promise<readonly Float64Array[]>;
  /** Log-likelihoods of the bases in which the two alleles of a pair differ, these bases masked, nats. */
  compareAlleles(
    pairs: readonly (readonly [first: string, second: string])[],
    options?: Partial<QueryOptions>,
  ): Promise<readonly AlleleLogLikelihoods[]>;
  /** Predicted activity, log(1 + counts), nats; one number per sequence. */
  predictActivity(sequences: readonly string[], options?: Partial<QueryOptions>): Promise<Scores>;
  /** Frees the model's sessions and files. */
  close(): Promise<void>;
}

/** The model with every query of `OpenedModel`, under another name where one is given. */
export function openedModel(model: Model, name: string = model.name): OpenedModel {
  const poolable = supports(model, "pool") || supports(model, "embed");
  const missing = (query: ModelQuery) =>
    new InputError(`the model ${JSON.stringify(name)} does not implement ${query}`, {
      hint: "`dart-eval models list` shows the models of each kind",
    });
  let isClosed = false;
  const checkReady = (sequences: readonly string[]) => {
    if (isClosed) throw new InputError(`the model ${JSON.stringify(name)} is closed`);
    sequences.forEach(checkBases);
  };
  const queries: Omit<OpenedModel, keyof Model> & Pick<OpenedModel, ModelQuery | "close"> = {
    async logLikelihood(sequences, options) {
      if (!supports(model, "logLikelihood")) throw missing("logLikelihood");
      checkReady(sequences);
      return iterable(await model.logLikelihood(sequences, { ...DEFAULTS, ...options }));
    },
    async tokenLogProbabilities(sequences, options) {
      if (!supports(model, "tokenLogProbabilities")) throw missing("tokenLogProbabilities");
      checkReady(sequences);
      return model.tokenLogProbabilities(sequences, { ...DEFAULTS, ...options });
    },
    async embed(sequences, options) {
      if (!supports(model, "embed")) throw missing("embed");
      checkReady(sequences);
      return model.embed(sequences, { ...DEFAULTS, ...options });
    },
    async pool(sequences, options) {
      if (!poolable) throw missing("pool");
      checkReady(sequences);
      return poolSequences(model, sequences, { ...DEFAULTS, over: "bases", ...options });
    },
    async compareAlleles(pairs, options) {
      if (!supports(model, "compareAlleles")) throw missing("compareAlleles");
      checkReady(pairs.flat());
      return model.compareAlleles(pairs, { ...DEFAULTS, ...options });
    },
    async predictActivity(sequences, options) {
      if (!supports(model, "predictActivity")) throw missing("predictActivity");
      checkReady(sequences);
      return iterable(await model.predictActivity(sequences, { ...DEFAULTS, ...options }));
    },
    async close() {
      isClosed = true;
      await model.close?.();
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await model.close?.();
    },
  };
  const unsupported = new Set(
    MODEL_QUERIES.filter((query) => (query === "pool" ? !poolable : !supports(model, query))),
  );
  const forCellLine =
    model.forCellLine === undefined
      ? {}
      : { forCellLine: async (line: string) => openedModel(await model.forCellLine!(line), name) };
  const own = { ...queries, ...forCellLine, name, unsupported };
  const target: OpenedModel = Object.create(model, Object.getOwnPropertyDescriptors(own));
  // Methods run on the model itself, whose class may have private fields.
  return new Proxy(target, {
    get(_, key) {
      if (Object.hasOwn(own, key)) return Reflect.get(own, key);
      const value: unknown = Reflect.get(model, key);
      return typeof value === "function" ? value.bind(model) : value;
    },
  });
}

const DEFAULTS = { protocol: "corrected" } as const;

/** @throws {InputError} when the sequence contains another letter than A, C, G, T or N */
function checkBases(sequence: string, index: number): void {
  const at = sequence.search(/[^ACGTN]/);
  if (at === -1) return;
  const letter = String.fromCodePoint(sequence.codePointAt(at) ?? 0);
  throw new InputError(
    `sequence ${index} has ${JSON.stringify(letter)} at base ${at}; both are counted from 0, and bases are A, C, G, T or N`,
    { hint: /[acgtn]/.test(letter) ? "write it in upper case" : "replace it; N is an unknown base" },
  );
}

const isIterable = (values: ArrayLike<number>): values is Scores =>
  typeof values === "object" && Symbol.iterator in values;

/** The scores unchanged if they are iterable, else as an array; callers check their number. */
function iterable(values: ArrayLike<number> | null | undefined): Scores {
  if (values === null || values === undefined) return [];
  return isIterable(values) ? values : Array.from(values);
}
