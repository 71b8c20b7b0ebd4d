import { counted } from "../base/message-text.ts";
import type { Plan } from "../evaluation/runs/request.ts";
import { runShard, type ShardOutcome } from "../evaluation/runs/run-shard.ts";
import { count, duration } from "../report/numbers.ts";
import type { Context } from "./command.ts";
import { planText } from "./plan-text.ts";
import { showRun } from "./run-progress.ts";

/**
 * Does what a plan says: tells the plan, shows how far it is, and what it came to.
 * @throws the signal's reason when the user stopped it; what is finished lies in the plan's folder
 */
export async function runPlan(plan: Plan, context: Context): Promise<readonly ShardOutcome[]> {
  const { terminal, signal } = context;
  terminal.say(planText(plan));
  context.resume = "Everything finished is kept; the same command goes on from there.";
  const { onProgress, stop } = showRun(terminal);
  try {
    const outcomes = await runShard(plan, { onProgress, signal });
    stop();
    signal.throwIfAborted();
    for (const { cell, rowsDone, rowsDoneBefore, seconds } of outcomes) {
      const rows = rowsDone - rowsDoneBefore;
      const speed = rows > 0 && seconds > 0 ? `, ${count(rows / seconds)} rows/s` : "";
      terminal.say(`done ${cell}: ${counted(rows, "row")} in ${duration(seconds)}${speed}`);
    }
    return outcomes;
  } finally {
    stop();
  }
}
