import { mergeRun } from "../evaluation/runs/merge.ts";
import { writePositionScores } from "../evaluation/runs/position-scores.ts";
import type { OnProgress } from "../evaluation/runs/progress.ts";
import type { Plan } from "../evaluation/runs/request.ts";
import { runShard, type ShardOutcome } from "../evaluation/runs/run-shard.ts";
import type { Context } from "./command.ts";
import type { Job } from "./job.ts";
import { type Jobs, planJobs } from "./jobs.ts";
import { planText } from "./plan-text.ts";
import { outcomeText, showRunProgress } from "./run-progress.ts";

/** Options of `runPlans`. */
export interface RunPlansOptions {
  /** Number of processes. */
  readonly jobs: number;
  /** Threads of each. Default: the cores divided by the jobs. */
  readonly threads?: number;
  /** Wait while another process works on a shard; default false. */
  readonly wait?: boolean;
  /** Number of best rows, and of worst rows, whose bases are scored. */
  readonly positionScores?: number;
}

/**
 * Prints plans and runs their cells. Several jobs are returned and not started, so that this process closes
 * its tables and models before. A process that is a job itself runs the cells that it is given.
 *
 * @returns outcomes in the order of the plans, or the jobs; undefined in a job
 * @throws the signal's reason when the user stopped it; finished rows are in the folders of the plans
 */
export async function runPlans(
  plans: readonly Plan[],
  options: RunPlansOptions,
  context: Context,
): Promise<readonly ShardOutcome[] | Jobs | undefined> {
  const { terminal, signal, job } = context;
  if (job !== undefined) {
    await serve(job, plans, options, context);
    return undefined;
  }
  if (options.jobs > 1) {
    for (const plan of plans) terminal.say(planText(plan));
    return planJobs(plans, options, terminal);
  }
  const outcomes: ShardOutcome[] = [];
  for (const plan of plans) outcomes.push(...(await runPlan(plan, options, context)));
  const { positionScores } = options;
  if (positionScores === undefined) return outcomes;
  using progress = showRunProgress(terminal);
  const { onProgress } = progress;
  for (const plan of plans) {
    for (const note of await writePositionScores(plan, positionScores, { onProgress, signal })) {
      terminal.say(`note: ${note}`);
    }
  }
  return outcomes;
}

async function runPlan(plan: Plan, { wait = false }: RunPlansOptions, context: Context) {
  const { terminal, signal } = context;
  terminal.say(planText(plan));
  context.resume = "Run the same command again to resume.";
  using progress = showRunProgress(terminal);
  const { onProgress } = progress;
  const outcomes = await runShard(plan, { wait, onProgress, signal, command: context.commandLine });
  progress.stop();
  signal.throwIfAborted();
  for (const outcome of outcomes) terminal.say(outcomeText(outcome));
  return outcomes;
}

/** Runs the requested cells, group by group: scores and merges them, and scores the bases of some rows. */
async function serve(
  job: Job,
  plans: readonly Plan[],
  { wait = false, positionScores }: RunPlansOptions,
  { signal, commandLine: command }: Context,
): Promise<void> {
  const onProgress: OnProgress = (event) => job.send({ kind: "progress", event });
  job.send({ kind: "ready" });
  for (let group = await job.next(); group !== undefined; group = await job.next()) {
    const requested = new Set(group);
    const outcomes: ShardOutcome[] = [];
    for (const plan of plans) {
      const cells = plan.cells.filter(({ record }) => requested.has(record.identity));
      if (cells.length === 0) continue;
      outcomes.push(...(await runShard(plan, { cells, wait, onProgress, signal, command })));
      signal.throwIfAborted();
      // The shards of other processes are merged later.
      if (plan.shard.count > 1) continue;
      const identities = cells.map(({ record }) => record.identity);
      await mergeRun(plan.folder!, { cells: identities, onProgress, signal });
      if (positionScores === undefined) continue;
      const notes = await writePositionScores({ ...plan, cells }, positionScores, { onProgress, signal });
      for (const text of notes) onProgress({ kind: "note", cell: cells[0].name, text });
    }
    job.send({ kind: "done", outcomes });
  }
}
