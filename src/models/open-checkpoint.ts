import { InputError } from "../base/errors.ts";
import { kindOfPath } from "../base/folder.ts";
import { namesHint, suggestion } from "../base/message-text.ts";
import { packagePath } from "../base/package.ts";
import { withoutUndefined } from "../base/record.ts";
import { NETWORKS } from "./baselines/networks.ts";
import { findInHubCache } from "./checkpoints/hub-cache.ts";
import { folderLicence } from "./checkpoints/licence.ts";
import type { LanguageModelCard, PublicCheckpoint } from "./language/card.ts";
import { BASELINES, LANGUAGE_MODELS, publicCheckpoint, TOYS } from "./language/catalogue.ts";
import type { LanguageModelOptions } from "./language-model.ts";
import type { Model, OpenModelContext } from "./model.ts";
import type { ModelProgramOptions } from "./queries/programs.ts";

/** Opens the checkpoint of a toy. */
export const openToyCheckpoint = (folder: string, name: string, context: OpenModelContext): Promise<Model> =>
  openLanguageModel(folder, { ...languageOptions(context), name });

/** Opens a folder with a checkpoint of any family. */
async function openLanguageModel(
  folder: string,
  options: LanguageModelOptions,
  families: readonly LanguageModelCard[] = [],
): Promise<Model> {
  const { LanguageModel } = await import("./language-model.ts");
  return LanguageModel.open(folder, [...families, ...LANGUAGE_MODELS], options);
}

/** Opens `hf:ORG/NAME`; downloads what is not in the hub's cache. */
export async function openHubCheckpoint(spec: string, context: OpenModelContext): Promise<Model> {
  const { openHubModel } = await import("./checkpoints/hub-model.ts");
  const { folder, repo, revision } = await openHubModel(spec, {
    ...context.download,
    signal: context.signal,
  });
  const options = { ...languageOptions(context), checkpoint: { repo, revision } };
  return openLanguageModel(folder, options, context.families);
}

/** Opens a checkpoint's folder, a checkpoint of the catalogue, or an untrained network by its name. */
export async function openNamed(spec: string, context: OpenModelContext): Promise<Model> {
  const network = NETWORKS.find(({ name }) => name === spec);
  if (network !== undefined) return network;
  const { path, licence, ...known } = await checkpointFolder(spec);
  if (licence !== undefined) context.download?.onLicence?.(spec, licence);
  return openLanguageModel(path, { ...languageOptions(context), ...known }, context.families);
}

async function checkpointFolder(
  spec: string,
): Promise<{ path: string; licence: string | undefined; name?: string; checkpoint?: PublicCheckpoint }> {
  const kind = await kindOfPath(spec);
  if (kind === "folder") return { path: spec, licence: await folderLicence(spec) };
  if (kind === "file") {
    throw new InputError(`${spec} is a file`, { hint: "give the folder with config.json and the weights" });
  }
  const known = publicCheckpoint(spec);
  if (known === undefined) {
    throw new InputError(`no model is called ${JSON.stringify(spec)}, and there is no such folder`, {
      hint: `${suggestion(spec, modelNames())}give a checkpoint's folder, hf:ORGANISATION/NAME, or a name from \`dart-eval models list\` such as toy:hyenadna or kmer-markov`,
    });
  }
  const { card, checkpoint } = known;
  const { repo, revision } = checkpoint;
  const folder = await findInHubCache({ repo, revision });
  if (folder !== undefined) {
    return { path: folder, licence: card.licence, name: `${card.name}-${checkpoint.preset}`, checkpoint };
  }
  throw new InputError(`${repo} at ${revision.slice(0, 8)} is not on this machine`, {
    hint: `download it first: dart-eval models fetch ${card.name}/${checkpoint.preset}`,
  });
}

function languageOptions({ device, threads, precision }: OpenModelContext): ModelProgramOptions {
  return withoutUndefined({ device, threads, precision });
}

/** Names of models that `openModel` knows without a path. */
export const modelNames = (): readonly string[] => [
  ...LANGUAGE_MODELS.flatMap(({ name, checkpoints }) =>
    checkpoints
      .toSorted((a, b) => Number(b.usedByDartEval ?? false) - Number(a.usedByDartEval ?? false))
      .map(({ preset }) => `${name}/${preset}`),
  ),
  ...TOYS.map(({ name }) => `toy:${name}`),
  ...BASELINES.filter(({ suggested }) => suggested).map(({ name }) => name),
];

/**
 * Folder of a small trained model that comes with the package, one per family of language models and a
 * ChromBPNet (`toys/README.md`). They are trained on a synthetic genome and have learnt nothing about real
 * ones.
 *
 * @param toy  "hyenadna"
 * @throws {InputError} when there is no such toy
 */
export async function toyFolder(toy: string): Promise<string> {
  const names = TOYS.map(({ name }) => name);
  const folder = packagePath(`toys/${toy}`);
  if (names.includes(toy) && (await kindOfPath(folder)) === "folder") return folder;
  throw new InputError(`there is no toy called ${JSON.stringify(toy)}`, {
    hint: namesHint(
      "toys",
      `toy:${toy}`,
      names.map((name) => `toy:${name}`),
    ),
  });
}
