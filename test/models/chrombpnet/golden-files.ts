import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { temporaryFolder } from "../../temporary-folder.ts";

const FOLDER = new URL("../../golden/chrombpnet/", import.meta.url);

export interface GoldenPrediction {
  readonly logits: readonly (readonly number[])[];
  readonly logCounts: readonly number[];
}

export type GoldenName = "bias" | "nobias" | "chrombpnet";

/** Keras' predictions of each model for the same sequences. */
export const golden: Readonly<Record<GoldenName, GoldenPrediction>> & {
  readonly sequences: readonly string[];
} = JSON.parse(readFileSync(new URL("predictions.json", FOLDER), "utf8"));

/** Path of a file written by Keras, unpacked for this test. */
export function goldenFile(name: GoldenName, keras: 2 | 3 = 2): string {
  const path = join(temporaryFolder(), `${name}.h5`);
  writeFileSync(path, gunzipSync(readFileSync(new URL(`${name}.keras${keras}.h5.gz`, FOLDER))));
  return path;
}
