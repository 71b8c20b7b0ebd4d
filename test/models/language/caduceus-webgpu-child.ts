import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import { caduceus } from "../../../src/models/language/caduceus.ts";
import { collate } from "../../../src/models/language/collate.ts";
import type { GraphQuery } from "../../../src/models/queries/programs.ts";
import { Programs } from "../../../src/models/queries/programs.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";

// Runs toys of both kinds on WebGPU, by linear attention, and on the CPU, in loops; prints the form of each and
// the largest differences as JSON. A separate process, because the environment selects the Vulkan driver.

const TOKENS = 130;
const rng = new Pcg64(3);
const rows = [0, 1].map(() => ({
  ids: Int32Array.from({ length: TOKENS }, () => 7 + (rng.nextUint32() & 3)),
}));

const forms: Record<string, string> = {};
const question = (device: string): GraphQuery => ({
  name: "states-and-logits",
  outputs(model, given, tokens) {
    forms[device] = given.loops ? "loops" : "attention";
    const { lastHidden, logits } = model.forward(given, tokens);
    return { states: lastHidden, logits };
  },
});

const deviations: Record<string, number> = {};
for (const [name, config] of Object.entries(caduceus.toys)) {
  const model = caduceus.architecture({ ...config, n_layer: 1 }, "config.json");
  const weights = new Map(
    model.tensors.map((tensor) => {
      const values = { length: tensor.shape.reduce((a, b) => a * b, 1) };
      const array: NdArray =
        tensor.dtype === "int64"
          ? {
              dtype: "int64",
              shape: tensor.shape,
              data: BigInt64Array.from(values, (_, i) => BigInt([7, 8, 9, 10].includes(i) ? 17 - i : i)),
            }
          : {
              dtype: "float32",
              shape: tensor.shape,
              data: Float32Array.from(values, () => normal(rng, 0, 0.3)),
            };
      return [tensor.name, array];
    }),
  );
  const run = async (device: "cpu" | "webgpu") => {
    const programs = new Programs(model, weights, async (tensor) => weights.get(tensor)!, { device });
    const results = await programs.run(question(device), collate(rows));
    await programs.close();
    return results;
  };
  const [gpu, cpu] = [await run("webgpu"), await run("cpu")];
  for (const output of ["states", "logits"]) {
    const [a, b] = [gpu[output].data as Float32Array, cpu[output].data as Float32Array];
    const scale = Math.max(1, ...b.map(Math.abs));
    deviations[`${name} ${output}`] = Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / scale;
  }
}
process.stdout.write(JSON.stringify({ forms, deviations }));
