import { randomBytes } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/**
 * A process, told apart from every other that may share a disk with it: process numbers come again, after a
 * while, after a restart of the machine, and in every container. What a system cannot tell is null.
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
 * Whether a process is still there, as far as this process can see: "elsewhere" when it runs, or ran, where
 * process numbers are others (another machine, another container), so that nothing can be said.
 */
export async function stateOf(mark: ProcessMark, here: ProcessMark): Promise<"alive" | "dead" | "elsewhere"> {
  if (mark.host !== here.host || mark.machine !== here.machine) return "elsewhere";
  if (mark.boot !== here.boot && mark.boot !== null && here.boot !== null) return "dead";
  if (mark.numbering !== here.numbering) return "elsewhere";
  try {
    process.kill(mark.pid, 0);
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return "dead";
  }
  const began = await beginning(mark.pid);
  if (began === "ended") return "dead";
  return began === undefined || mark.began === null || began === mark.began ? "alive" : "dead";
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
