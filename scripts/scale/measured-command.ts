import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

/** Resources of a process. */
export interface ProcessCost {
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  /** Largest resident set, bytes. */
  readonly peakMemory: number;
}

/**
 * Runs a Node program and measures it.
 *
 * @param command  arguments of `node`
 * @param folder   for a file of the measurement, removed afterwards
 * @throws {Error} with the program's output if it fails
 */
export async function measuredCommand(command: readonly string[], folder: string): Promise<ProcessCost> {
  const file = join(folder, "usage.json");
  const writeUsage = `import { writeFileSync } from "node:fs";
    process.on("exit", () => writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.resourceUsage())));`;
  const preload = `data:text/javascript,${encodeURIComponent(writeUsage)}`;
  const child = spawn(process.execPath, ["--import", preload, ...command], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4000);
  });
  const [code, signal] = await once(child, "close");
  if (code !== 0) throw new Error(`${command.join(" ")} exited with ${code ?? signal}:\n${said}`);
  const usage = JSON.parse(await readFile(file, "utf8")) as NodeJS.ResourceUsage;
  await rm(file);
  return {
    cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1e6,
    // maxRSS is in kibibytes.
    peakMemory: usage.maxRSS * 1024,
  };
}
