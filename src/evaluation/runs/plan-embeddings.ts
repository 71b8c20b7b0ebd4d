import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { kindOfPath, sizeBelow } from "../../base/folder.ts";
import { gibibytes, suggestion } from "../../base/message-text.ts";
import { embeddingsPlace } from "../embeddings/embedding-store.ts";
import { checkFreeSpace, type SpaceNeed } from "../embeddings/packed-embedding.ts";
import {
  EMBEDDING_STORAGES,
  type EmbeddingStorage,
  type EmbeddingsNeed,
  type EmbeddingsPlace,
} from "../settings/setting.ts";
import { readTrainingRecipe } from "../settings/training-recipe.ts";
import { readStorageDecision, readTrainingRecord, trainingFolder } from "../settings/training-record.ts";
import type { PlannedCell, PlannedEmbeddings, RunRequest } from "./request.ts";

/** Maximum size of embeddings that stay in memory: bytes, and a fraction of the available memory. */
const IN_MEMORY = 2 ** 29;
const SHARE_OF_MEMORY = 0.25;

/** Assumed reading speed of a disk in bytes per second: a SATA solid-state disk, or a file server. */
const DISK_RATE = 500e6;

interface EmbeddingsRequest
  extends Pick<RunRequest, "folder" | "embeddings" | "memory" | "earlier" | "timing" | "signal"> {
  /** Folder of trained parameters; undefined for a run in memory. */
  readonly trained: string | undefined;
}

/**
 * Decides where each cell stores its embeddings, and checks that all files fit on the disk, with those of
 * earlier plans.
 *
 * With "auto", embeddings of a cell stay in memory if they take at most 512 MiB and a quarter of the
 * available memory; a resumed run computes them again. Larger ones are recomputed in each epoch if the model
 * embeds a sequence faster than a disk reads its embedding, and are on disk otherwise. A shared store is
 * always on disk.
 *
 * @throws {InputError} when the files of the run do not fit on the disk, or the embeddings not in memory
 *   where this was requested
 */
export async function planEmbeddings(
  cells: readonly PlannedCell[],
  request: EmbeddingsRequest,
): Promise<readonly PlannedCell[]> {
  const shared = sharedEmbeddings(request);
  const place: EmbeddingsPlace = {
    folder: shared ?? (request.folder === undefined ? undefined : join(request.folder, "embeddings")),
    shared: shared !== undefined,
  };
  const trainingRuns = new Set<string>();
  const planned: PlannedCell[] = [];
  for (const cell of cells) planned.push(await withEmbeddings(cell, { ...request, place, trainingRuns }));
  const plans = [...(request.earlier ?? []), { folder: request.folder, cells: planned }];
  const needed = await bytesToWrite(plans.flatMap((plan) => plan.cells));
  if (needed > 0) await checkFreeSpace(place.folder ?? tmpdir(), needed);
  if (request.folder !== undefined) {
    const written = plans.flatMap(({ folder, cells }) => (folder === undefined ? [] : [{ folder, cells }]));
    let bytes = written.flatMap(({ cells }) => cells).reduce((sum, { estimate }) => sum + estimate.disk, 0);
    for (const folder of new Set(written.map(({ folder }) => folder))) {
      bytes -= (await sizeBelow(folder)).bytes;
      if (!place.shared) bytes += (await sizeBelow(join(folder, "embeddings"))).bytes;
    }
    // Shared embeddings may be on another disk.
    await checkFreeSpace(request.folder, Math.max(0, bytes) + (place.shared ? 0 : needed), RUN_NEEDS);
  }
  return planned;
}

const isStorage = (text: string): text is EmbeddingStorage =>
  EMBEDDING_STORAGES.some((storage) => storage === text);

/**
 * Checks that a folder of embeddings is not a misspelt storage: a new folder whose name is like one.
 * @throws {InputError} otherwise
 */
export async function checkEmbeddings(request: Pick<RunRequest, "embeddings">): Promise<void> {
  const folder = sharedEmbeddings(request);
  if (folder === undefined || /[\\/]/.test(folder) || (await kindOfPath(folder)) !== undefined) return;
  const meant = suggestion(folder, EMBEDDING_STORAGES);
  if (meant === "") return;
  throw new InputError(`${JSON.stringify(folder)} is not a way to store embeddings`, {
    hint: `${meant}A new folder of this name is ./${folder}`,
  });
}

/** Folder of embeddings that runs share; undefined if the request names none. */
export const sharedEmbeddings = ({ embeddings }: Pick<RunRequest, "embeddings">): string | undefined =>
  embeddings === undefined || isStorage(embeddings) ? undefined : embeddings;

const RUN_NEEDS: SpaceNeed = {
  what: "the run needs",
  hint: "free some space, or choose a folder on a larger disk (--out)",
};

interface StorageContext extends EmbeddingsRequest {
  /** Store on disk. */
  readonly place: EmbeddingsPlace;
  /** Training runs of earlier cells, whose embeddings count once. */
  readonly trainingRuns: Set<string>;
}

async function withEmbeddings(cell: PlannedCell, context: StorageContext): Promise<PlannedCell> {
  const { setting, weights, record, task, model, device, estimate } = cell;
  if (setting.embeddingsNeed === undefined) return cell;
  const { memory = process.availableMemory() } = context;
  const { protocol, seed, recipe } = record.cell;
  const need = await setting.embeddingsNeed({
    task,
    model,
    protocol,
    seed,
    recipe,
    device,
    ...(weights === undefined ? {} : { weights }),
  });
  const size = need && (await sizeOf(cell, need, context));
  const most = size?.maxBytes ?? Number.NaN;
  const { place, because, secondsPerSequence } = await storageOf(cell, { ...context, memory, need, most });
  const embeddings = { place, because, ...(size && { size }) };
  if (size === undefined) return { ...cell, embeddings };
  if (place === undefined && estimate.memory !== null) {
    return { ...cell, estimate: { ...estimate, memory: estimate.memory + most }, embeddings };
  }
  if (place === "recompute" && estimate.seconds !== null && secondsPerSequence !== undefined) {
    const { epochs } = readTrainingRecipe(recipe);
    const added = epochs * size.sequences * secondsPerSequence;
    const [seconds, trainingSeconds] = [estimate.seconds + added, estimate.trainingSeconds + added];
    return { ...cell, estimate: { ...estimate, seconds, trainingSeconds }, embeddings };
  }
  return { ...cell, embeddings };
}

interface StorageQuestion extends StorageContext {
  readonly memory: number;
  /** Undefined if the model does not declare the width of its states. */
  readonly need: EmbeddingsNeed | undefined;
  /** Bytes of all embeddings; NaN if unknown. */
  readonly most: number;
}

/**
 * Chooses the storage of a cell's embeddings.
 * @throws {InputError} when memory was requested and does not suffice
 */
async function storageOf(
  { batchSize, estimate }: PlannedCell,
  { embeddings = "auto", place, memory, need, most, timing = true, signal }: StorageQuestion,
): Promise<
  Pick<PlannedEmbeddings, "place" | "because"> & { readonly secondsPerSequence?: number | undefined }
> {
  if (place.shared) return { place, because: "runs share the folder" };
  const time = () => (timing !== false ? need?.secondsPerSequence(batchSize, signal) : undefined);
  if (embeddings === "disk") return { place, because: "as requested" };
  if (embeddings === "recompute") {
    return { place: "recompute", because: "as requested", secondsPerSequence: await time() };
  }
  if (embeddings === "memory") {
    const left = Math.max(memory - (estimate.memory ?? 0), 0);
    if (!(most > left)) return { place: undefined, because: "as requested" };
    throw new InputError(`embeddings need ${gibibytes(most)} of memory, and ${gibibytes(left)} are left`, {
      hint: "use --embeddings disk, --embeddings recompute, or train on fewer rows (--recipe trainRows=10000)",
    });
  }
  if (need === undefined) return { place, because: "the model does not declare their size" };
  const room = Math.min(IN_MEMORY, SHARE_OF_MEMORY * memory);
  if (most <= room) return { place: undefined, because: `at most ${gibibytes(room)} stay in memory` };
  const secondsPerSequence = await time();
  if (secondsPerSequence === undefined) return { place, because: `more than ${gibibytes(room)}` };
  const reading = need.bytesPerSequence[need.storedAs === "float32" ? "float32" : "float16"] / DISK_RATE;
  const times = `the model embeds a sequence in ${milliseconds(secondsPerSequence)}; a disk reads it in ${milliseconds(reading)}`;
  return secondsPerSequence < reading
    ? { place: "recompute", because: times, secondsPerSequence }
    : { place, because: times };
}

const milliseconds = (seconds: number) => `${(1000 * seconds).toPrecision(2)} ms`;

/** Bytes still to write for all cells on disk. */
async function bytesToWrite(cells: readonly PlannedCell[]): Promise<number> {
  const perFolder = new Map<string, number>();
  for (const { embeddings, model, record } of cells) {
    const { place, size } = embeddings ?? {};
    if (place === undefined || place === "recompute" || size === undefined) continue;
    const { protocol } = record.cell;
    const storedAs = size.storedAs === "auto" ? "float16" : size.storedAs;
    const folder = embeddingsPlace(place.folder ?? tmpdir(), { model, protocol }, storedAs);
    perFolder.set(folder, (perFolder.get(folder) ?? 0) + size.bytes);
  }
  let needed = 0;
  for (const [folder, bytes] of perFolder) needed += Math.max(0, bytes - (await sizeBelow(folder)).bytes);
  return needed;
}

async function sizeOf(
  { rowsToDo, reuses }: PlannedCell,
  { training, sequences: ofTraining, perEvaluatedRow, bytesPerSequence, storedAs }: EmbeddingsNeed,
  { trained, place: { shared }, trainingRuns }: StorageContext,
): Promise<NonNullable<PlannedEmbeddings["size"]>> {
  const folder =
    trained === undefined || training === undefined ? undefined : trainingFolder(trained, training);
  const record = folder === undefined ? undefined : await readTrainingRecord(folder);
  const decided =
    record?.embeddings ?? (folder === undefined ? undefined : await readStorageDecision(folder));
  const left = reuses === undefined ? rowsToDo : 0;
  const isTrained =
    left === 0 || record !== undefined || (training !== undefined && trainingRuns.has(training));
  if (training !== undefined && !isTrained) trainingRuns.add(training);
  const sequences = (isTrained ? 0 : ofTraining) + (shared ? left * perEvaluatedRow : 0);
  const precision = storedAs === "auto" ? (decided?.storedAs ?? "auto") : storedAs;
  return {
    sequences,
    storedAs: precision,
    bytes: sequences * bytesPerSequence[precision === "auto" ? "float16" : precision],
    maxBytes: sequences * bytesPerSequence[precision === "auto" ? "float32" : precision],
  };
}
