import { join } from "node:path";
import { kindOfPath } from "../../../base/folder.ts";
import { SOURCES } from "../../../datasets/sources/catalogue.ts";
import { CITED_SOURCES } from "../../../datasets/sources/cited.ts";
import { readDataRecord } from "../../../datasets/sources/data-record.ts";
import { addressText } from "../../../datasets/sources/locate.ts";
import { bytes } from "../../../report/numbers.ts";
import { plainTable } from "../../../report/table.ts";
import { type DefineCommand, dataFolderOption, examples } from "../../command.ts";

export const define: DefineCommand = (command, { terminal }) => {
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
          caption: `Files of the benchmark, present in ${data} or not`,
          columns: ["name", "tasks", "here", "from", "path in the folder"].map((heading) => ({
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
