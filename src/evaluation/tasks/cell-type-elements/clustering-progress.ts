import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import { sha256Hex } from "../../../base/digest.ts";
import { kindOfPath } from "../../../base/folder.ts";
import { readLineLog, truncateFile } from "../../../base/line-log.ts";
import { version } from "../../../base/package.ts";
import { appendDurably } from "../../../base/write-file.ts";
import type { CachedClusterings, SeededOptions } from "../../../metrics/seeded-clusters.ts";
import type { MeasureWork } from "../task.ts";

const LINE =
  /^\{"of":"([0-9a-f]{16})","seed":(\d+),"clusters":"([A-Za-z0-9+/=]+)","sha256":"([0-9a-f]{16})"\}$/;

/**
 * Log of finished clusterings, one line each, from which an interrupted measurement resumes. Lines that are
 * incomplete, damaged, of other vectors or of another version of this package are ignored, and their
 * clusterings computed again.
 */
export class ClusteringLog {
  private readonly found = new Map<string, string>();

  private constructor(private readonly file: string) {}

  /** @throws {InputError} when the file cannot be read, or a torn line cannot be removed */
  static async open(file: string): Promise<ClusteringLog> {
    const log = new ClusteringLog(file);
    if ((await kindOfPath(file)) === undefined) return log;
    const { whole, torn } = await readLineLog(file, (text) => {
      const [, of, seed, clusters, sum] = LINE.exec(text) ?? [];
      if (clusters === undefined || checksum(clusters) !== sum) return;
      log.found.set(`${of} ${seed}`, clusters);
    });
    if (torn > 0) await truncateFile(file, whole);
    return log;
  }

  /**
   * The clusterings of some vectors into k clusters.
   *
   * @param vectors  identity of the vectors
   * @param rows     number of vectors
   */
  of(vectors: string, k: number, rows: number): CachedClusterings {
    const of = checksum(`${version} ${k} ${vectors}`);
    const Numbers = k <= 2 ** 8 ? Uint8Array : Uint32Array;
    return {
      find: (seed) => {
        const text = this.found.get(`${of} ${seed}`);
        if (text === undefined) return undefined;
        const bytes = Uint8Array.from(Buffer.from(text, "base64"));
        if (bytes.length !== rows * Numbers.BYTES_PER_ELEMENT) return undefined;
        return Int32Array.from(new Numbers(bytes.buffer));
      },
      store: async (seed, clusters) => {
        const text = Buffer.from(Numbers.from(clusters).buffer).toString("base64");
        await appendDurably(
          this.file,
          `{"of":"${of}","seed":${seed},"clusters":"${text}","sha256":"${checksum(text)}"}\n`,
        );
        this.found.set(`${of} ${seed}`, text);
      },
    };
  }
}

const checksum = (text: string) => sha256Hex(text).slice(0, 16);

/**
 * Yields to the event loop, so that Ctrl-C and the progress bar work.
 * @throws the signal's reason
 */
export async function yieldToEventLoop(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}

/**
 * Options of `seededClusters` that report progress and stop on a signal.
 *
 * @param stage  label for progress
 * @param total  number of seeds
 * @param cached  stored clusterings, which do not count for the speed
 */
export function clusteringStage(
  stage: string,
  total: number,
  { signal, onStage }: Pick<MeasureWork, "signal" | "onStage">,
  cached?: CachedClusterings,
): Required<Pick<SeededOptions, "cached" | "between">> {
  const began = performance.now();
  let computed = 0;
  return {
    cached: {
      find: (seed) => cached?.find(seed),
      async store(seed, clusters) {
        computed++;
        await cached?.store(seed, clusters);
      },
    },
    async between(done) {
      await yieldToEventLoop(signal);
      const rate = computed / ((performance.now() - began) / 1000);
      const known = computed > 0 && Number.isFinite(rate);
      onStage?.({
        stage,
        unit: "clusterings",
        done,
        total,
        rowsPerSecond: known ? rate : undefined,
        secondsLeft: known ? (total - done) / rate : undefined,
      });
    },
  };
}

/**
 * Runs a long computation, a generator that yields at intervals, to its end and awaits `pause` at each yield.
 * @param pause  an error it throws ends the computation
 */
export async function runWithPauses<T>(work: Generator<void, T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await pause();
  }
}
