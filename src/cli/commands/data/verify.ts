import { InputError } from "../../../base/errors.ts";
import { counted } from "../../../base/message-text.ts";
import { verifyData } from "../../../datasets/sources/verify.ts";
import { type DefineCommand, dataFolderOption, examples } from "../../command.ts";

export const define: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  dataFolderOption(
    command.description(
      "Checks what is in the data folder: every recorded file by size and SHA-256, and the numbers of rows that the benchmark's authors give. Ends with 1 when anything is wrong.",
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
        throw new InputError("nothing here is known, so nothing was checked", {
          place: { file: data },
          hint: "dart-eval data fetch brings files; is this the data folder?",
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
