import { randomBytes } from "node:crypto";
import { readFile, readlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { errorCode } from "./errors.ts";

/**
 * A process, distinguished from every other that may share a disk with it: process numbers are reused after a while, after
 * a restart of the machine, and in every container. Null where a system does not provide the value.
 */
export interface ProcessMark {
  /** Chosen at random: no two marks are equal. */
  readonly nonce: string;
  readonly host: string;
  /** The machine's own number, where hosts may share a name. */
  readonly machine: string | null;
  /** Changes when the machine starts anew. */
  readonly boot: string | null;
  /** Process numbers only mean something within this. */
  readonly numbering: string | null;
  readonly pid: number;
  /** When the process began, in the system's own unit. */
  readonly began: string | null;
}

export async function markOfThisProcess(): Promise<ProcessMark> {
  const [machine, boot, numbering, began] = await Promise.all([
    line("/etc/machine-id"),
    line("/proc/sys/kernel/random/boot_id"),
    readlink("/proc/self/ns/pid").catch(() => null),
    beginning(process.pid).then((found) => (typeof found === "string" ? found : null)),
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
 * State of a process as this process can see it. "unknown": it runs, or ran, where process numbers are others (another
 * machine, another container), or the system does not say when a process began, so that its number may be another's by now.
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
  const began = await beginning(mark.pid);
  if (began === "ended") return "dead";
  if (began === undefined || mark.began === null) return "unknown";
  return began === mark.began ? "alive" : "dead";
}

/**
 * Start time of a process in clock ticks since the machine started (Linux: field 22 of /proc/PID/stat); "ended" for
 * one that is only waiting to be collected by its parent; undefined where the system has no such file.
 */
async function beginning(pid: number): Promise<string | "ended" | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? "ended" : fields[19];
}

async function line(path: string): Promise<string | null> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.trim() === "" ? null : text.trim();
}

/**
 * Bytes that this process holds and that no file could give back: heaps, buffers, what native libraries allocated. Pages of files
 * that it has mapped are left out where the system tells them apart (Linux), since it can take them back at any time.
 */
export async function heldMemory(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const [, kibibytes] = /^RssAnon:\s+(\d+) kB$/m.exec(status) ?? [];
  return kibibytes === undefined ? process.memoryUsage.rss() : Number(kibibytes) * 1024;
}

/**
 * Starts anew to watch how much memory this process holds at most. Only Linux can; elsewhere the peak is that of the
 * process's whole life.
 */
export async function watchPeakMemory(): Promise<void> {
  await writeFile("/proc/self/clear_refs", "5").catch(() => {});
}

/** Bytes that this process held at most since, mapped files included as far as they were read. */
export async function peakMemory(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return 1024 * (kibibytes === undefined ? process.resourceUsage().maxRSS : Number(kibibytes));
}

/** Environment variables that switch off the telemetry of ONNX Runtime, which is on by default since version 1.30. */
export const NO_TELEMETRY = { ORT_DISABLE_TELEMETRY: "1" } as const;
