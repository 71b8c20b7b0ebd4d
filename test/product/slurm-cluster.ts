import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, openSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** Programs of Debian's packages slurm-wlm and munge; the daemons are in a folder for administrators. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"];

/** Reason why no cluster can be started here; undefined if one can. */
export function missingForCluster(): string | undefined {
  if (process.platform !== "linux") return "Slurm runs on Linux only";
  if (userInfo().uid !== 0) return "a Slurm cluster is started by root";
  const folders = PATH.split(":");
  const missing = PROGRAMS.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  if (missing.length === 0) return undefined;
  return `${missing.join(", ")} not found: apt-get install --no-install-recommends slurm-wlm munge`;
}

/** Tools that give each node a host name and process numbers; containers without privileges lack them. */
const APART = ["unshare", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"];
function canSeparate(): boolean {
  try {
    execFileSync(APART[0], [
      ...APART.slice(1),
      "sh",
      "-c",
      "hostname n1 && mount --bind /etc/hosts /etc/hosts",
    ]);
    return true;
  } catch {
    return false;
  }
}

/**
 * A Slurm cluster of several nodes on this machine, on loopback, without systemd, cgroups or a database. Each
 * node has its own host name and process numbers if the system permits it; else all nodes are this host.
 */
export class SlurmCluster implements AsyncDisposable {
  readonly nodes: readonly string[];
  /** Nodes have host names and process numbers of their own. */
  readonly separate: boolean;
  /** Environment of `sbatch` and `squeue`. */
  readonly env: NodeJS.ProcessEnv;
  private readonly folder: string;
  private readonly daemons = new Map<string, ChildProcess>();

  private constructor(folder: string, nodes: number) {
    this.folder = folder;
    this.nodes = Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
    this.separate = canSeparate();
    this.env = { ...process.env, PATH, SLURM_CONF: join(folder, "slurm.conf") };
  }

  /** State and logs are in a temporary folder, whose path must not have blanks. */
  static async start({ nodes = 4, cpus = 2 } = {}): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(await mkdtemp(join(tmpdir(), "slurm-")), nodes);
    try {
      await cluster.startDaemons(cpus);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  private async startDaemons(cpus: number): Promise<void> {
    for (const name of ["munge", "log", "state", "spool"]) mkdirSync(join(this.folder, name));
    await chmod(join(this.folder, "munge"), 0o711);
    const key = join(this.folder, "munge/key");
    await writeFile(key, randomBytes(128), { mode: 0o600 });
    const ports = await freePorts(this.nodes.length + 1);
    await writeFile(join(this.folder, "slurm.conf"), this.configuration(ports, cpus));
    const names = this.nodes.map((node) => `127.0.0.1 ${node}\n`);
    await writeFile(join(this.folder, "hosts"), [await readFile("/etc/hosts"), ...names].join(""));

    const munge = ["socket", "pid-file", "seed-file"].map((name) => `--${name}=${this.folder}/munge/${name}`);
    const log = `--log-file=${this.folder}/log/munged.log`;
    this.launch("munged", ["munged", "--foreground", "--force", `--key-file=${key}`, log, ...munge]);
    await until("munged", () => existsSync(join(this.folder, "munge/socket")));
    this.launch("slurmctld", ["slurmctld", "-D"]);
    for (const node of this.nodes) this.launchNode(node);
    await until("the nodes", async () => {
      const states = await this.run("sinfo", "-h", "-N", "-o", "%T").catch(() => "");
      return (
        states
          .trim()
          .split("\n")
          .filter((state) => state === "idle").length === this.nodes.length
      );
    });
  }

  private launchNode(node: string): void {
    mkdirSync(join(this.folder, "spool", node));
    // The shell is the first process of the node: it collects orphans, and the node ends with it.
    const script = `${this.separate ? 'hostname "$1" && mount --bind "$2/hosts" /etc/hosts && { [ ! -d /etc/slurm ] || mount --bind "$2" /etc/slurm; } && ' : ""}{
      slurmd -D -N "$1" & wait; sleep infinity; }`;
    const shell = ["bash", "-c", script, "node", node, this.folder];
    this.launch(node, this.separate ? [...APART, ...shell] : shell);
  }

  private launch(name: string, [program, ...words]: readonly string[]): void {
    const log = openSync(join(this.folder, "log", `${name}.out`), "a");
    const child = spawn(program, words, { env: this.env, detached: true, stdio: ["ignore", log, log] });
    child.on("error", (error) => appendFileSync(log, `${error}\n`));
    this.daemons.set(name, child);
  }

  /** Runs a client program and returns its standard output. */
  async run(program: string, ...words: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(program, words, { env: this.env, cwd: this.folder });
    return stdout;
  }

  /** Node on which a task of a job array runs; undefined while none does. */
  async nodeOf(job: string, task: number): Promise<string | undefined> {
    const line = await this.run("squeue", "-h", "-t", "running", "-j", `${job}_${task}`, "-o", "%N");
    return line.trim() || undefined;
  }

  /** Ends a node with all that runs on it. */
  async kill(node: string): Promise<void> {
    const all = this.separate ? [] : await jobProcesses(node);
    const first = this.daemons.get(node)!.pid!;
    for (const id of [...all, ...(await childrenOf(first)), first]) killNow(id);
    this.daemons.delete(node);
  }

  /** Disconnects a node from the controller; its jobs go on. */
  async cut(node: string): Promise<void> {
    const first = this.daemons.get(node)!.pid!;
    const below = [first, ...(await childrenOf(first))];
    for (const id of [...below, ...(await Promise.all(below.map(childrenOf))).flat()]) {
      const command = await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "");
      if (command.startsWith(`slurmd\0-D\0-N\0${node}\0`)) killNow(id);
    }
  }

  /** Ends all daemons and jobs, and removes the folder. */
  async stop(): Promise<void> {
    for (const node of this.nodes) if (this.daemons.has(node)) await this.kill(node);
    for (const daemon of this.daemons.values()) killNow(daemon.pid!);
    this.daemons.clear();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private configuration([controller, ...ports]: readonly number[], cpus: number): string {
    const { folder, nodes } = this;
    const user = userInfo().username;
    const options = {
      ClusterName: "test",
      SlurmctldHost: "localhost(127.0.0.1)",
      SlurmctldPort: controller,
      SlurmUser: user,
      SlurmdUser: user,
      AuthType: "auth/munge",
      CredType: "cred/munge",
      // A requeued job starts again after this many seconds; the default is 120.
      AuthInfo: `socket=${folder}/munge/socket,cred_expire=5`,
      // Without names for the nodes, slurmd listens at the address of this host.
      CommunicationParameters: this.separate ? "NoCtldInAddrAny,NoInAddrAny" : "NoCtldInAddrAny",
      StateSaveLocation: `${folder}/state`,
      SlurmdSpoolDir: `${folder}/spool/%n`,
      SlurmctldPidFile: `${folder}/slurmctld.pid`,
      SlurmdPidFile: `${folder}/%n.pid`,
      ProctrackType: "proctrack/linuxproc",
      TaskPlugin: "task/none",
      JobAcctGatherType: "jobacct_gather/none",
      AccountingStorageType: "accounting_storage/none",
      MpiDefault: "none",
      SwitchType: "switch/none",
      // More CPUs than there are; one job after another on the least loaded node.
      SlurmdParameters: "config_overrides",
      SelectType: "select/cons_tres",
      SelectTypeParameters: "CR_CPU,CR_LLN",
      SchedulerParameters: "bf_interval=1,sched_min_interval=100000,batch_sched_delay=0",
      // Two arrays for the eight shards of a test.
      MaxArraySize: 6,
      // A lost node is noticed within seconds.
      SlurmctldTimeout: 10,
      SlurmdTimeout: 5,
      MessageTimeout: 5,
      KillWait: 5,
      InactiveLimit: 0,
      MinJobAge: 3600,
    };
    const lines = [
      ...Object.entries(options).map(([name, value]) => `${name}=${value}`),
      ...nodes.map(
        (node, i) =>
          `NodeName=${node} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=${cpus} RealMemory=16000`,
      ),
      `PartitionName=all Nodes=${nodes.join(",")} Default=YES DefaultTime=60 DefMemPerCPU=100`,
    ];
    return `${lines.join("\n")}\n`;
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await until("ports", () => servers.every((server) => server.listening));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) server.close();
  return ports;
}

async function until(name: string, ready: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await ready()) return;
    await sleep(100);
  }
  throw new Error(`${name} did not start within 30 s`);
}

/** Processes of the jobs of a node, with their slurmstepd, where nodes share the process numbers. */
async function jobProcesses(node: string): Promise<readonly number[]> {
  const found = new Set<number>();
  for (const name of await readdir("/proc")) {
    const id = Number(name);
    if (!Number.isInteger(id)) continue;
    const environment = await readFile(`/proc/${id}/environ`, "utf8").catch(() => "");
    if (!environment.split("\0").includes(`SLURMD_NODENAME=${node}`)) continue;
    found.add(id);
    const parent = Number(
      /^PPid:\s*(\d+)$/m.exec(await readFile(`/proc/${id}/status`, "utf8").catch(() => ""))?.[1],
    );
    if ((await readFile(`/proc/${parent}/comm`, "utf8").catch(() => "")).startsWith("slurmstepd"))
      found.add(parent);
  }
  return [...found];
}

async function childrenOf(id: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${id}/task/${id}/children`, "utf8").catch(() => "");
  return text.split(" ").filter(Boolean).map(Number);
}

function killNow(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch {
    // It has ended.
  }
}
