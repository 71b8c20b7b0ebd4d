import { InputError } from "../../base/errors.ts";
import { counted } from "../../base/message-text.ts";
import { cellTitle } from "../../evaluation/runs/cell.ts";
import { type VerifiedCell, verifyCell } from "../../evaluation/runs/verify-cell.ts";
import { taskNamed } from "../../evaluation/tasks/catalogue.ts";
import type { TaskInputs } from "../../evaluation/tasks/task.ts";
import { type SubmittedCell, submittedCells } from "../../report/submissions/submitted-cells.ts";
import { type DefineCommand, examples } from "../command.ts";
import { dataInputs } from "../requested-tasks.ts";

interface VerifyCommandOptions {
  readonly genome?: string;
  readonly data: readonly string[];
  readonly json?: boolean;
}

export const defineVerify: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  command
    .description(
      "Recomputes the metrics of results from their stored scores and lists every difference. Exits with 1 if there is one.",
    )
    .argument("<result...>", "run folders, cells (with result.json and rows), leaderboards or their entries")
    .option("--genome <file>", "with --data: FASTA or 2bit")
    .option(
      "--data <file...>",
      "the task's table, or name=file, as for run: also checks digests, selected rows, labels and other facts of rows",
      [],
    )
    .option("--json", "print the outcome as JSON")
    .addHelpText(
      "after",
      examples({
        "a run": "dart-eval verify runs/hyenadna",
        "entries of a leaderboard": "dart-eval verify leaderboard",
        "a cell against the data, labels included":
          "dart-eval verify runs/hyenadna/7f3a91c2 --genome hg38.fa --data elements.tsv",
      }),
    )
    .action(async (paths: string[], { genome, data, json }: VerifyCommandOptions) => {
      const cells = (await Promise.all(paths.map(submittedCells))).flat();
      if (cells.length === 0)
        throw new InputError("there are no results to verify", { place: { file: paths[0] } });
      const inputs = inputsOf(cells, genome, data);
      const verified: VerifiedCell[] = [];
      for (const cell of cells) {
        signal.throwIfAborted();
        const outcome = await verifyCell(cell, { inputs, signal });
        verified.push(outcome);
        if (!json) terminal.print(outcomeText(outcome));
      }
      if (json) terminal.print(JSON.stringify(verified.map(outcomeJson), null, 2));
      const wrong = verified.filter(({ mismatches }) => mismatches.length > 0).length;
      terminal.say(
        wrong === 0
          ? `${counted(verified.length, "result")} verified`
          : `${wrong} of ${counted(verified.length, "result")} not verified`,
      );
      if (wrong > 0) context.exitCode = 1;
    });
};

/** Inputs of the options --genome and --data; undefined without them. */
function inputsOf(
  cells: readonly SubmittedCell[],
  genome: string | undefined,
  data: readonly string[],
): TaskInputs | undefined {
  if (genome === undefined && data.length === 0) return undefined;
  const tasks = [...new Set(cells.map(({ result }) => result.cell.task))];
  if (tasks.length > 1) {
    throw new InputError(`the results are of several tasks: ${tasks.join(", ")}`, {
      hint: "with --data, verify the cells of one task and data set",
    });
  }
  return { ...(genome === undefined ? {} : { genome }), ...dataInputs(taskNamed(tasks[0]), data) };
}

/** Maximum paths of reworded texts in a line. */
const SHOWN_TEXTS = 3;

function outcomeText({ place, result, mismatches, rewordedTexts }: VerifiedCell): string {
  const { cell, rows, metrics } = result;
  const title = `${cellTitle(cell)} · ${cell.protocol} protocol`;
  if (mismatches.length > 0) {
    return [`${place}: ${title}: not verified`, ...mismatches.map((mismatch) => `  ${mismatch}`)].join("\n");
  }
  const intervals = metrics.reduce((sum, metric) => sum + metric.intervals.length, 0);
  const checked = [
    counted(rows.selected, "row"),
    counted(metrics.length, "metric"),
    counted(intervals, "interval"),
  ];
  const verified = `${place}: ${title}: verified, ${checked.join(", ")}`;
  return rewordedTexts.length === 0
    ? verified
    : `${verified}\n  ${counted(rewordedTexts.length, "text")} worded differently by this version of dart-eval: ${rewordedTexts.slice(0, SHOWN_TEXTS).join("; ")}${rewordedTexts.length > SHOWN_TEXTS ? "; …" : ""}`;
}

const outcomeJson = ({ place, result: { identity, cell }, mismatches, rewordedTexts }: VerifiedCell) => ({
  place,
  identity,
  task: cell.task,
  model: cell.model.name,
  setting: cell.setting,
  protocol: cell.protocol,
  verified: mismatches.length === 0,
  mismatches,
  rewordedTexts,
});
