import { counted } from "../../base/message-text.ts";
import { miniSuite } from "../../evaluation/suites/mini.ts";
import { readSuite, suiteFile } from "../../evaluation/suites/read-suite.ts";
import { wholeSuite } from "../../evaluation/suites/suite.ts";
import { type DefineCommand, examples } from "../command.ts";

export const defineSuites: DefineCommand = (command, { terminal }) => {
  command
    .description(
      "Lists the suites. A suite is several tasks, each on its data sets, evaluated in one run. With a name, prints the suite as JSON, which you can edit and pass to run --suite as a file.",
    )
    .argument("[name]", "dart-eval, mini, mini:WIDTH, or a file")
    .addHelpText("after", examples({ "a custom suite": "dart-eval suites mini > my-suite.json" }))
    .action(async (name: string | undefined) => {
      if (name !== undefined) {
        return terminal.print(JSON.stringify(suiteFile(await readSuite(name)), null, 2));
      }
      const lines = [wholeSuite(), miniSuite()].map((suite) => {
        const tasks = new Set(suite.rows.map(({ task }) => task));
        return `${suite.name.padEnd(10)} ${suite.title}; ${counted(suite.rows.length, "data set")} of ${counted(tasks.size, "task")}`;
      });
      terminal.print(lines.join("\n"));
    });
};
