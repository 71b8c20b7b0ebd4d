import { randomBytes } from "node:crypto";
import { readFile, readlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { errorCode } from "./errors.ts";
import { isObject } from "./json.ts";

/**
 * Identity of a process among all that share a disk. A process id alone is not enough: ids repeat over time,
 * after a reboot and in every container. A field is null if the system does not provide it.
 */
export interface ProcessMark {
  /** Random, unique to this mark. */
  readonly nonce: string;
  readonly host: string;
  /** Machine id, because hosts may share a name. */
  readonly machine: string | null;
  /** Boot id, which changes at a reboot. */
  readonly boot: string | null;
  /** Process id namespace. */
  readonly numbering: string | null;
  readonly pid: number;
  /** Start time of the process, in a unit of the system. */
  readonly began: string | null;
}

/** The mark in parsed JSON; undefined for any other value. */
export function markIn(value: unknown): ProcessMark | undefined {
  if (!isObject(value)) return undefined;
  const { nonce, host, pid } = value;
  if (typeof nonce !== "string" || typeof host !== "string") return undefined;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid)) return undefined;
  const textOrNull = (text: unknown) => (typeof text === "string" ? text : null);
  return {
    nonce,
    host,
    machine: textOrNull(value.machine),
    boot: textOrNull(value.boot),
    numbering: textOrNull(value.numbering),
    pid,
    began: textOrNull(value.began),
  };
}

/** Mark of this process. */
export async function markOfThisProcess(): Promise<ProcessMark> {
  const [machine, boot, numbering, began] = await Promise.all([
    line("/etc/machine-id"),
    line("/proc/sys/kernel/random/boot_id"),
    readlink("/proc/self/ns/pid").catch(() => null),
    startTime(process.pid).then((found) => (typeof found === "string" ? found : null)),
  ]);
  return {
    nonce: randomBytes(8).toString("hex"),
    host: hostname(),
    machine,
    boot,
    numbering,
    pid: process.pid,
    began,
  };
}

/**
 * State of a process as seen from this one. "unknown": the process belongs to another machine or container,
 * or the system reports no start times, so its id may have been reused.
 */
export async function stateOf(mark: ProcessMark, here: ProcessMark): Promise<"alive" | "dead" | "unknown"> {
  if (mark.host !== here.host || mark.machine !== here.machine) return "unknown";
  if (mark.boot !== here.boot && mark.boot !== null && here.boot !== null) return "dead";
  if (mark.numbering !== here.numbering) return "unknown";
  if (mark.pid === here.pid && mark.began === here.began) return "alive";
  try {
    process.kill(mark.pid, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    if (errorCode(error) === "ESRCH") return "dead";
  }
  const began = await startTime(mark.pid);
  if (began === "ended") return "dead";
  if (began === undefined || mark.began === null) return "unknown";
  return began === mark.began ? "alive" : "dead";
}

/**
 * Start time of a process in clock ticks since boot (Linux: field 22 of /proc/PID/stat). "ended" for a
 * zombie; undefined if the system has no such file.
 */
async function startTime(pid: number): Promise<string | "ended" | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return undefined;
  // The second field is the program name in parentheses and may contain any character.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? "ended" : fields[19];
}

async function line(path: string): Promise<string | null> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.trim() === "" ? null : text.trim();
}

/**
 * Anonymous memory of this process in bytes: heaps, buffers and native allocations. Mapped files are not
 * included on Linux, because the system can evict them at any time; other systems report the resident set.
 */
export async function anonymousMemory(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const [, kibibytes] = /^RssAnon:\s+(\d+) kB$/m.exec(status) ?? [];
  return kibibytes === undefined ? process.memoryUsage.rss() : Number(kibibytes) * 1024;
}

/**
 * Resets the peak reported by `peakMemory`. Only Linux supports this; elsewhere the peak covers the whole
 * process.
 */
export async function resetPeakMemory(): Promise<void> {
  await writeFile("/proc/self/clear_refs", "5").catch(() => {});
}

/** Peak resident set in bytes since the last reset, including the pages of mapped files that were read. */
export async function peakMemory(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return 1024 * (kibibytes === undefined ? process.resourceUsage().maxRSS : Number(kibibytes));
}

/**
 * Environment variables that switch off the telemetry of ONNX Runtime, which is on by default since version
 * 1.30.
 */
export const NO_TELEMETRY = { ORT_DISABLE_TELEMETRY: "1" } as const;
