import { readdirSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { rejectArguments, scriptArguments, wholeNumber } from "../scripts/arguments.ts";
import { parseDevice, trainingDevice } from "../src/net/runtime/device.ts";
import type { Benchmark, BenchmarkOptions } from "./measure.ts";

// Runs every file of this folder that exports `benchmark`, or the named ones.

const { values, positionals: wanted } = scriptArguments(
  "npm run bench -- [NAME…] [--only TEXT] [--rounds 4] [--threads N] [--python PYTHON] [--weights FOLDER] [--write] [--resume] [--device cpu] [--tiny]",
  {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "4" },
    threads: { type: "string", default: String(availableParallelism()) },
    python: { type: "string", default: process.env.PYTORCH_PYTHON },
    weights: { type: "string" },
    write: { type: "boolean", default: false },
    resume: { type: "boolean", default: false },
    device: { type: "string", default: "cpu" },
    tiny: { type: "boolean", default: false },
  },
  { allowPositionals: true },
);
const { python, weights } = values;
const device = parseDevice(values.device);
if (device === undefined || trainingDevice(device) !== device) {
  rejectArguments(`--device ${values.device}: expected cpu, webgpu, cuda or cuda:1`);
}
const options: BenchmarkOptions = {
  ...values,
  python,
  weights,
  device: trainingDevice(device),
  rounds: wholeNumber(values.rounds, "--rounds"),
  threads: wholeNumber(values.threads, "--threads"),
};
const all = readdirSync(new URL(".", import.meta.url))
  .filter((file) => file.endsWith(".ts") && file !== "run.ts")
  .map((file) => file.slice(0, -3));
const unknown = wanted.find((name) => !all.includes(name));
if (unknown !== undefined) rejectArguments(`there is no benchmark ${unknown}: ${all.join(", ")}`);
const names = wanted.length === 0 ? all : all.filter((name) => wanted.includes(name));

const print = (line: string) => process.stdout.write(`${line}\n`);

const cpu = cpus()[0]?.model ?? "unknown CPU";
const memory = Math.round(totalmem() / 2 ** 30);
print(
  `${cpu}, ${availableParallelism()} cores, ${memory} GiB, Node ${process.versions.node}, ${process.platform}`,
);
for (const name of names) {
  const { benchmark } = (await import(`./${name}.ts`)) as { readonly benchmark?: Benchmark };
  if (benchmark === undefined) continue;
  print(`\n${name}`);
  for (const line of table(await benchmark(options))) print(`  ${line}`);
}

/** Aligned columns, one for each key of a row. */
function table(rows: readonly object[]): string[] {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => keys.map((key) => shown((row as Record<string, unknown>)[key])));
  const lines = [keys.map(words), ...cells];
  const widths = keys.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
}

/** countedPerSecond → counted per second */
function words(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function shown(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value !== "number") return String(value);
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}
