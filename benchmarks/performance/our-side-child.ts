import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { peakMemory, resetPeakMemory } from "../../src/base/process.ts";
import { input, matMul, parameter } from "../../src/net/graph/build.ts";
import { openProgram, type Program } from "../../src/net/runtime/program.ts";
import { type OpenedWork, openWork } from "./our-side.ts";
import type { Request } from "./side.ts";

// Our side of benchmarks/performance.ts: one request per line of JSON, one response per line.

let work: OpenedWork | undefined;
let product: Program | undefined;
let factors: Float32Array<ArrayBuffer> | undefined;

/** Rows of the product that measures the machine's rate; more are not faster. */
const ROWS = 1024;

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await respond(JSON.parse(line) as Request))}\n`);
}

async function respond(request: Request): Promise<object> {
  if ("open" in request) {
    const { threads, device, ...opening } = request.open;
    await work?.close();
    work = await openWork(opening, { threads, device });
    return { gflop: work.gflop };
  }
  if ("product" in request) {
    const { width, ...options } = request.product;
    await product?.close();
    factors = new Float32Array(ROWS * width).fill(0.5);
    const weight = {
      dtype: "float32",
      shape: [width, 4 * width],
      data: new Float32Array(4 * width ** 2),
    } as const;
    product = await openProgram(
      { y: matMul(input("x", "float32", [ROWS, width]), parameter("w", [width, 4 * width])) },
      new Map([["w", weight]]),
      options,
    );
    return { gflop: (2 * ROWS * width * 4 * width) / 1e9 };
  }
  if ("runProduct" in request) {
    const x = { dtype: "float32", shape: [ROWS, factors!.length / ROWS], data: factors! } as const;
    return timed(() => product!.run({ x }));
  }
  if ("values" in request) {
    const { buffer, byteOffset, byteLength } = await work!.values();
    writeFileSync(request.values, new Uint8Array(buffer, byteOffset, byteLength));
    await resetPeakMemory();
    return {};
  }
  return "run" in request ? timed(() => work!.run()) : { bytes: await peakMemory() };
}

async function timed(run: () => Promise<unknown>): Promise<object> {
  const start = performance.now();
  await run();
  return { milliseconds: performance.now() - start };
}
