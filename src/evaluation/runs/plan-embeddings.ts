import { tmpdir } from "node:os";
import { join } from "node:path";
import { sizeBelow } from "../../base/folder.ts";
import { embeddingsPlace } from "../embeddings/embedding-store.ts";
import { checkFreeSpace, type SpaceNeed } from "../embeddings/packed-embedding.ts";
import type { EmbeddingsNeed, EmbeddingsPlace } from "../settings/setting.ts";
import { readStorageDecision, readTrainingRecord, trainingFolder } from "../settings/training-record.ts";
import type { PlannedCell, PlannedEmbeddings, RunRequest } from "./request.ts";

/** Embeddings stay in memory up to this many bytes, and up to this share of the available memory. */
const IN_MEMORY = 2 ** 29;
const SHARE_OF_MEMORY = 0.25;

interface EmbeddingsRequest extends Pick<RunRequest, "folder" | "embeddings" | "memory" | "earlier"> {
  /** Folder of trained parameters; undefined for a run in memory. */
  readonly trained: string | undefined;
}

/**
 * Decides where each cell stores its embeddings, and checks that all files fit on the disk, with those of
 * earlier plans.
 *
 * Embeddings of a cell stay in memory if they take at most 512 MiB and a quarter of the available memory; a
 * resumed run computes them again. A shared store (`request.embeddings`) is always on disk.
 *
 * @throws {InputError} when the files of the run do not fit on the disk
 */
export async function planEmbeddings(
  cells: readonly PlannedCell[],
  request: EmbeddingsRequest,
): Promise<readonly PlannedCell[]> {
  const place: EmbeddingsPlace = {
    folder:
      request.embeddings ?? (request.folder === undefined ? undefined : join(request.folder, "embeddings")),
    shared: request.embeddings !== undefined,
  };
  const trainingRuns = new Set<string>();
  const planned: PlannedCell[] = [];
  for (const cell of cells) planned.push(await withEmbeddings(cell, { ...request, place, trainingRuns }));
  const plans = [...(request.earlier ?? []), { folder: request.folder, cells: planned }];
  const needed = await bytesToWrite(plans.flatMap((plan) => plan.cells));
  if (needed > 0) await checkFreeSpace(place.folder ?? tmpdir(), needed);
  if (request.folder !== undefined) {
    const written = plans.filter(({ folder }) => folder !== undefined);
    let bytes = written.flatMap(({ cells }) => cells).reduce((sum, { estimate }) => sum + estimate.disk, 0);
    for (const folder of new Set(written.map((plan) => plan.folder!))) {
      bytes -= (await sizeBelow(folder)).bytes;
      if (!place.shared) bytes += (await sizeBelow(join(folder, "embeddings"))).bytes;
    }
    // Shared embeddings may be on another disk.
    await checkFreeSpace(request.folder, Math.max(0, bytes) + (place.shared ? 0 : needed), RUN_NEEDS);
  }
  return planned;
}

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
  const { place, memory = process.availableMemory() } = context;
  const { protocol, seed, recipe } = record.cell;
  const need = await setting.embeddingsNeed({
    ...{ task, model, protocol, seed, recipe, device },
    ...(weights === undefined ? {} : { weights }),
  });
  if (need === undefined) return { ...cell, embeddings: { place } };
  const size = await sizeOf(cell, need, context);
  if (place.shared || size.mostBytes > Math.min(IN_MEMORY, SHARE_OF_MEMORY * memory)) {
    return { ...cell, embeddings: { place, size } };
  }
  const held = estimate.memory === null ? null : estimate.memory + size.mostBytes;
  return { ...cell, estimate: { ...estimate, memory: held }, embeddings: { place: undefined, size } };
}

/** Bytes still to write for all cells on disk. */
async function bytesToWrite(cells: readonly PlannedCell[]): Promise<number> {
  const perFolder = new Map<string, number>();
  for (const { embeddings, model, record } of cells) {
    const { place, size } = embeddings ?? {};
    if (place === undefined || size === undefined) continue;
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
  { rows, rowsDone, reuses }: PlannedCell,
  { training, sequences: ofTraining, perEvaluatedRow, bytesPerSequence, storedAs }: EmbeddingsNeed,
  { trained, place: { shared }, trainingRuns }: StorageContext,
): Promise<NonNullable<PlannedEmbeddings["size"]>> {
  const folder =
    trained === undefined || training === undefined ? undefined : trainingFolder(trained, training);
  const record = folder === undefined ? undefined : await readTrainingRecord(folder);
  const decided =
    record?.embeddings ?? (folder === undefined ? undefined : await readStorageDecision(folder));
  const left = reuses === undefined ? rows.length - rowsDone : 0;
  const isTrained =
    left === 0 || record !== undefined || (training !== undefined && trainingRuns.has(training));
  if (training !== undefined && !isTrained) trainingRuns.add(training);
  const sequences = (isTrained ? 0 : ofTraining) + (shared ? left * perEvaluatedRow : 0);
  const precision = storedAs === "auto" ? (decided?.storedAs ?? "auto") : storedAs;
  return {
    sequences,
    storedAs: precision,
    bytes: sequences * bytesPerSequence[precision === "auto" ? "float16" : precision],
    mostBytes: sequences * bytesPerSequence[precision === "auto" ? "float32" : precision],
  };
}
