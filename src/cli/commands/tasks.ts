import { TASKS } from "../../evaluation/tasks/catalogue.ts";
import type { Task } from "../../evaluation/tasks/task.ts";
import { count } from "../../report/numbers.ts";
import { type DefineCommand, examples } from "../command.ts";

export const defineTasks: DefineCommand = (command, { terminal }) => {
  command
    .description("Lists the tasks with their question, settings and inputs.")
    .option("--json", "print the list as JSON")
    .addHelpText("after", examples({ "all tasks": "dart-eval tasks" }))
    .action(({ json }: { json?: boolean }) => {
      terminal.print(json ? JSON.stringify(TASKS.map(form), null, 2) : TASKS.map(taskText).join("\n\n"));
    });
};

function taskText(task: Task): string {
  const lines: (readonly [name: string, text: string])[] = [
    ["question", task.question],
    [
      "sequences",
      `${task.members.join(", ")}; ${count(task.window)} bp each${task.widens ? ", or more with --context" : ""}`,
    ],
    ["settings", Object.keys(task.settings).join(", ")],
    ...task.inputs.map(({ name, description }) => [name, description] as const),
    ["source", task.source],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  return [
    `${task.name}: ${task.title}`,
    ...lines.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`),
  ].join("\n");
}

/** A task as JSON. */
function form({ name, number, version, title, question, source, window, members, inputs, settings }: Task) {
  return { name, number, version, title, question, source, window, members, inputs, settings };
}
