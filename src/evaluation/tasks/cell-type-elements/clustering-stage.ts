import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import type { KeptClusterings, SeededOptions } from "../../../metrics/seeded-clusters.ts";
import type { MeasureWork } from "../task.ts";

/**
 * Lets other work have its turn, without which no Ctrl-C is heard and no bar drawn.
 * @throws the signal's reason
 */
export async function giveTurn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}

/**
 * How clustering over many seeds is watched and stopped: what to give to `seededClusters`.
 *
 * @param stage  in words
 * @param total  seeds
 * @param kept   clusterings found before; they do not count for the speed
 */
export function clusteringStage(
  stage: string,
  total: number,
  { signal, onStage }: Pick<MeasureWork, "signal" | "onStage">,
  kept?: KeptClusterings,
): Required<Pick<SeededOptions, "kept" | "between">> {
  const began = performance.now();
  let made = 0;
  return {
    kept: {
      find: (seed) => kept?.find(seed),
      async keep(seed, clusters) {
        made++;
        await kept?.keep(seed, clusters);
      },
    },
    async between(done) {
      await giveTurn(signal);
      const rate = made / ((performance.now() - began) / 1000);
      const known = made > 0 && Number.isFinite(rate);
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
