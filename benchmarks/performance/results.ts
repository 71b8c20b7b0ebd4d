import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { deviceKind, type TrainingDevice } from "../../src/net/runtime/device.ts";

const measured = z.object({
  /** Model or network. */
  subject: z.string(),
  work: z.string(),
  /** Batch. */
  data: z.string(),
  /** Billions of operations in the products of one run. */
  gflop: z.number(),
  /** Billions of operations per second of a product of the subject's width, in each round. */
  productRates: z.array(z.number()),
  /** Milliseconds of each round. */
  ours: z.array(z.number()),
  /** Bytes of resident memory at the peak. */
  ourPeak: z.number(),
  /** Absent without a peer. */
  pytorch: z.array(z.number()).optional(),
  pytorchPeak: z.number().optional(),
  /** Largest difference of an output, or of a loss of three training steps, relative to the largest. */
  difference: z.number().optional(),
  /** Why there is no peer. */
  missing: z.string().optional(),
});

/** One work of one model or network, on both sides. Arrays of rounds have the same order. */
export type Measured = z.output<typeof measured>;

const results = z.object({ machine: z.string(), versions: z.array(z.string()), rows: z.array(measured) });

/** Measurements of one machine. */
export type Results = z.output<typeof results>;

/** Measurements on a device. The committed ones, from which `npm run docs` writes the page, are of the CPU. */
export function resultsPath(device: TrainingDevice): string {
  const name = device === "cpu" ? "results" : `results-${deviceKind(device)}`;
  return fileURLToPath(new URL(`${name}.json`, import.meta.url));
}

export const readResults = (device: TrainingDevice = "cpu"): Results =>
  results.parse(JSON.parse(readFileSync(resultsPath(device), "utf8")));

/** Device, CPU, memory and Node.js of this machine. */
export function machine(threads: number, device: TrainingDevice = "cpu"): string {
  const name = device === "cpu" ? "" : `${device}; `;
  const cpu = cpus()[0]?.model ?? "unknown CPU";
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${name}${cpu}, ${availableParallelism()} cores, ${memory} GiB, ${threads} threads, Node ${process.versions.node}, ${process.platform}`;
}
