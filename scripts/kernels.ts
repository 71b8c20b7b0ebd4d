import { readFileSync, writeFileSync } from "node:fs";
import { scriptArguments } from "./arguments.ts";
import { compiledKernels } from "./compiled-kernels.ts";

scriptArguments("npm run kernels", {});
const folder = new URL("../src/metrics/", import.meta.url);

writeFileSync(
  new URL("k-means-kernels-wasm.ts", folder),
  await compiledKernels(readFileSync(new URL("k-means-kernels.wat", folder), "utf8")),
);
