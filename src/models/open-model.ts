import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError } from "../base/errors.ts";
import { kindOfPath } from "../base/folder.ts";
import type { Genome } from "../dna/genome/genome.ts";
import type { Device } from "../net/runtime/device.ts";
import { fitKmerMarkov } from "./baselines/kmer-markov.ts";
import { LANGUAGE_MODELS, publicCheckpoint } from "./catalogue.ts";
import { findInHubCache } from "./hub-cache.ts";
import { LanguageModel } from "./language-model.ts";
import type { Model } from "./model.ts";

export interface OpenModelContext {
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  /** What a model that is fitted on the spot learns from; only the training chromosomes of it are read. */
  readonly genome?: Genome | undefined;
  readonly trainChromosomes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * The model that a text names:
 * - `kmer-markov`, `kmer-markov:order=5`: a baseline, fitted on the spot;
 * - a folder with config.json and weights;
 * - `hyenadna/large-1m` or a hub repository of the catalogue, downloaded before;
 * - a `.js` or `.mjs` file that exports a model as `default` or `model`: a user's own code, run as such.
 * Each may be given a name of its own in front: `mine=./checkpoint`.
 *
 * @throws {InputError} when the text names none of these, with what would
 */
export async function openModel(text: string, context: OpenModelContext): Promise<Model> {
  const [, name, spec] = /^(?:([\w.-]+)=)?(.+)$/s.exec(text) ?? [];
  if (spec === undefined) throw new InputError("the name of the model is empty");
  const [kind, settings] = splitOnce(spec, ":");
  if (kind === "kmer-markov") return named(await openKmerMarkov(settings, context), name);
  if (/\.m?js$/.test(spec)) return named(await importModel(spec), name);
  const { device, threads } = context;
  const folder = await checkpointFolder(spec);
  return LanguageModel.open(folder.path, LANGUAGE_MODELS, {
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
    ...((name ?? folder.name) === undefined ? {} : { name: (name ?? folder.name)! }),
  });
}

function named(model: Model, name: string | undefined): Model {
  return name === undefined ? model : Object.create(model, { name: { value: name, enumerable: true } });
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

const DEFAULT_ORDER = 5;

async function openKmerMarkov(
  settings: string | undefined,
  { genome, trainChromosomes, signal }: OpenModelContext,
): Promise<Model> {
  const [, digits] = /^order=(\d+)$/.exec(settings ?? `order=${DEFAULT_ORDER}`) ?? [];
  if (digits === undefined) {
    throw new InputError(`kmer-markov has no setting ${JSON.stringify(settings)}`, {
      hint: "write kmer-markov:order=5; the order is from 0 to 11",
    });
  }
  if (genome === undefined) {
    throw new InputError("kmer-markov is fitted to a genome, but none is given", {
      hint: "add --genome FILE",
    });
  }
  const present = trainChromosomes.filter((chromosome) => genome.chromosomes.has(chromosome));
  if (present.length === 0) {
    throw new InputError(`${genome.path} has none of the training chromosomes`, {
      hint: `it has ${[...genome.chromosomes.keys()].slice(0, 8).join(", ")}; training uses ${trainChromosomes.join(", ")}`,
    });
  }
  return fitKmerMarkov(chromosomes(genome, present), {
    order: Number(digits),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function* chromosomes(genome: Genome, names: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const name of names) yield genome.chromosome(name);
}

async function importModel(file: string): Promise<Model> {
  if ((await kindOfPath(file)) !== "file") throw new InputError(`there is no file ${file}`);
  const module = (await import(pathToFileURL(file).href)) as { default?: unknown; model?: unknown };
  const model = (module.default ?? module.model) as Partial<Model> | undefined;
  if (typeof model?.name === "string" && (model.logLikelihood ?? model.embed) !== undefined)
    return model as Model;
  throw new InputError(`${file} exports no model`, {
    hint: "export default { name, logLikelihood(sequences) { … } }, or embed(sequences)",
  });
}

async function checkpointFolder(spec: string): Promise<{ path: string; name?: string }> {
  if ((await kindOfPath(spec)) === "folder") return { path: spec };
  if ((await kindOfPath(join(spec, ".."))) !== undefined && (await kindOfPath(spec)) === "file") {
    throw new InputError(`${spec} is a file`, { hint: "give the folder with config.json and the weights" });
  }
  const known = publicCheckpoint(spec);
  if (known === undefined) {
    throw new InputError(`no model is called ${JSON.stringify(spec)}, and there is no such folder`, {
      hint: "give a checkpoint's folder, a name from `dart-eval models list`, or kmer-markov",
    });
  }
  const { repo, revision } = known.checkpoint;
  const folder = await findInHubCache({ repo, revision });
  if (folder !== undefined) return { path: folder, name: `${known.card.name}-${known.checkpoint.preset}` };
  throw new InputError(`${repo} at ${revision.slice(0, 8)} is not on this machine`, {
    hint: `download it first: dart-eval models fetch ${known.card.name}/${known.checkpoint.preset}`,
  });
}
