import { InputError } from "../../../base/errors.ts";
import { counted } from "../../../base/message-text.ts";
import { verifyData } from "../../../datasets/sources/verify.ts";
import { type DefineCommand, dataFolderOption, examples } from "../../command.ts";

export const define: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  dataFolderOption(
    command.description(
      "Verifies the data folder: size and SHA-256 of every recorded file, and the row counts of the benchmark's authors. The exit code is 1 if a check fails.",
    ),
  )
    .option("--json", "print the checks as JSON")
    .addHelpText("after", examples({ "after a copy": "dart-eval data verify --data /data/dart-eval" }))
    .action(async ({ data, json }: { data: string; json?: boolean }) => {
      const checks = await verifyData(data, {
        signal,
        onCheck({ path, what, ok, says }) {
          if (!json) terminal.print(`${ok ? "ok   " : "WRONG"} ${path}: ${what} ${says}`);
        },
      });
      if (checks.length === 0) {
        throw new InputError("no known files in this folder", {
          place: { file: data },
          hint: "is this the data folder? `dart-eval data fetch` downloads files to it",
        });
      }
      const wrong = checks.filter(({ ok }) => !ok).length;
      if (json) terminal.print(JSON.stringify(checks, null, 2));
      else
        terminal.say(
          wrong === 0 ? "all as expected" : `${wrong} of ${counted(checks.length, "check")} failed`,
        );
      if (wrong > 0) context.exitCode = 1;
    });
};
