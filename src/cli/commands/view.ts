import { once } from "node:events";
import { InvalidArgumentError } from "commander";
import { serveRuns } from "../../report/live/serve-runs.ts";
import { type DefineCommand, examples, wholeNumberOption } from "../command.ts";

interface ViewOptions {
  readonly port?: number;
  readonly title?: string;
}

export const defineView: DefineCommand = (command, { terminal, signal }) => {
  command
    .description(
      "Serves the report of runs to a browser on this machine, also while they run: shards, speed, time left, failures, and the results of the complete cells. Ends with Ctrl-C.",
    )
    .argument("<folder...>", "run folders")
    .option("--port <number>", "port of 127.0.0.1 (default: any free one)", portOption)
    .option("--title <text>", "title of the report")
    .addHelpText("after", examples({ "a run in progress": "dart-eval view runs/hyenadna" }))
    .action(async (folders: string[], options: ViewOptions) => {
      await using server = await serveRuns(folders, options);
      terminal.print(`${server.url}/`);
      terminal.say("serving on this machine only; Ctrl-C ends");
      if (!signal.aborted) await once(signal, "abort");
    });
};

function portOption(text: string): number {
  const port = wholeNumberOption(0)(text);
  if (port > 65_535) throw new InvalidArgumentError("Expected a port, at most 65535.");
  return port;
}
