import { counted } from "../../base/message-text.ts";
import { miniSuite } from "../../evaluation/suites/mini.ts";
import { readSuite, suiteFile } from "../../evaluation/suites/read-suite.ts";
import { WHOLE_SUITE } from "../../evaluation/suites/whole.ts";
import { type DefineCommand, examples } from "../command.ts";

export const define: DefineCommand = (command, { terminal }) => {
  command
    .description(
      "Lists the suites: several tasks, each on its data sets, run as one. With a name, prints that suite as JSON, to be changed and given to run --suite as a file.",
    )
    .argument("[name]", "dart-eval, mini, mini:WIDTH, or a file")
    .addHelpText("after", examples({ "a suite of one's own": "dart-eval suites mini > my-suite.json" }))
    .action(async (name: string | undefined) => {
      if (name !== undefined) {
        return terminal.print(JSON.stringify(suiteFile(await readSuite(name)), null, 2));
      }
      const lines = [WHOLE_SUITE, miniSuite()].map((suite) => {
        const tasks = new Set(suite.rows.map(({ task }) => task));
        return `${suite.name.padEnd(10)} ${suite.title}; ${counted(suite.rows.length, "data set")} of ${counted(tasks.size, "task")}`;
      });
      terminal.print(lines.join("\n"));
    });
};
