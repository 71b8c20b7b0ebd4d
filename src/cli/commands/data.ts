import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { counted } from "../../base/message-text.ts";
import { SOURCES } from "../../datasets/sources/catalogue.ts";
import { readDataRecord } from "../../datasets/sources/data-record.ts";
import { addressText } from "../../datasets/sources/locate.ts";
import { CITED_SOURCES } from "../../datasets/sources/source.ts";
import { verifyData } from "../../datasets/sources/verify.ts";
import { bytes } from "../../report/numbers.ts";
import { plainTable } from "../../report/table.ts";
import { type DefineCommand, dataFolderOption, examples } from "../command.ts";
import { defineDataBundle, defineDataUnpack } from "./data/bundle.ts";
import { defineDataFetch } from "./data/fetch.ts";

export const defineData: DefineCommand = (command, context) => {
  command.description(
    "Downloads the benchmark's files to a data folder, verifies them, and transfers them to machines without a network.",
  );
  defineDataList(
    command.command("list").summary("list the files, their sources and whether they are present"),
    context,
  );
  defineDataFetch(
    command.command("fetch").summary("download and verify files; interrupted downloads resume"),
    context,
  );
  defineDataVerify(
    command.command("verify").summary("check sizes, digests and row counts of present files"),
    context,
  );
  defineDataBundle(command.command("bundle").summary("pack the folder into one archive"), context);
  defineDataUnpack(command.command("unpack").summary("unpack an archive, verifying every file"), context);
};

const defineDataList: DefineCommand = (command, { terminal }) => {
  dataFolderOption(
    command.description(
      "Lists the files of the benchmark: tasks, address, licence, path in the data folder, and whether they are present.",
    ),
  )
    .option("--json", "print the list as JSON, with licences and derived tables")
    .addHelpText("after", examples({ "all files": "dart-eval data list --data /data/dart-eval" }))
    .action(async ({ data, json }: { data: string; json?: boolean }) => {
      const recorded = new Map((await readDataRecord(data)).map((file) => [file.path, file]));
      const files = [];
      for (const source of SOURCES) {
        const here = (await kindOfPath(join(data, source.path))) === "file";
        files.push({ ...source, here, recorded: recorded.get(source.path) ?? null });
      }
      if (json) return terminal.print(JSON.stringify({ files, cited: CITED_SOURCES }, null, 2));
      terminal.print(
        plainTable({
          caption: `Files of the benchmark, and their presence in ${data}`,
          columns: ["name", "tasks", "present", "from", "path in the folder"].map((heading) => ({
            heading,
            align: "left",
          })),
          rows: files.map(({ name, tasks, path, addresses, here, recorded }) => [
            name,
            tasks.join(" "),
            recorded === null ? (here ? "unchecked" : "no") : bytes(recorded.bytes),
            addresses[0] === undefined
              ? "–"
              : addressText(addresses[0]).replace(/^https:\/\/([^/]+).*$|, .*$/, "$1"),
            path,
          ]),
          notes: SOURCES.filter(({ notFetched }) => notFetched !== undefined).map(
            ({ name, notFetched }) => `${name}: ${notFetched}.`,
          ),
        }),
      );
    });
};

const defineDataVerify: DefineCommand = (command, context) => {
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
