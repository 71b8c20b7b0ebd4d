import { InputError } from "../../../base/errors.ts";
import { SOURCES, sourceNamed } from "../../../datasets/sources/catalogue.ts";
import { fetchSource } from "../../../datasets/sources/fetch-source.ts";
import { servicesFromEnvironment } from "../../../datasets/sources/services.ts";
import type { Source } from "../../../datasets/sources/source.ts";
import { sourcesOfSuite } from "../../../evaluation/suites/inputs.ts";
import { readSuite } from "../../../evaluation/suites/read-suite.ts";
import { bytes } from "../../../report/numbers.ts";
import { type DefineCommand, dataFolderOption, examples, wholeNumberOption } from "../../command.ts";
import { type Progress, startProgress } from "../../progress.ts";

interface FetchOptions {
  readonly data: string;
  readonly task?: number;
  readonly suite?: string;
  readonly json?: boolean;
}

export const defineDataFetch: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  dataFolderOption(
    command
      .description(
        "Downloads files of the benchmark to the data folder and verifies them. ENCODE and HOCOMOCO are public; Synapse requires a personal access token in SYNAPSE_AUTH_TOKEN.",
      )
      .argument("[name...]", "names from data list"),
  )
    .option("--task <number>", "all files of a task, 1 to 5", wholeNumberOption(1))
    .option("--suite <name>", "all files of a suite, or those they are built from")
    .option("--json", "print the fetched files as JSON")
    .addHelpText(
      "after",
      examples({
        "all of task 1": "dart-eval data fetch --task 1 --data /data/dart-eval",
        "all files of a suite": "dart-eval data fetch --suite mini --data /data/dart-eval",
        "two files": "dart-eval data fetch hg38 ccres",
      }),
    )
    .action(async (names: string[], { data, task, suite, json }: FetchOptions) => {
      const sources = await wanted(names, task, suite);
      context.resume = "Run the same command again to resume the download.";
      const done = [];
      const errors: InputError[] = [];
      for (const source of sources) {
        let progress: Progress | undefined;
        try {
          terminal.say(`${source.name}: ${source.what}`);
          const { file, fetched } = await fetchSource(source, {
            folder: data,
            services: servicesFromEnvironment(),
            signal,
            onNote: (text) => terminal.say(`  ${text}`),
            onProgress(now, total) {
              if (total === undefined) return;
              progress ??= startProgress(terminal, { unit: "bytes", total, before: now });
              progress.update(now);
            },
          });
          done.push(file);
          progress?.stop();
          terminal.say(`  ${fetched ? "fetched" : "already there"}: ${file.path}, ${bytes(file.bytes)}`);
        } catch (error) {
          progress?.stop();
          if (!(error instanceof InputError)) throw error;
          errors.push(error);
          terminal.say(`  ${error.describe().replaceAll("\n", "\n  ")}`);
        }
      }
      if (json) terminal.print(JSON.stringify(done, null, 2));
      if (errors.length === 1 && sources.length === 1) throw errors[0];
      if (errors.length > 0) {
        throw new InputError(
          `${errors.length} of ${sources.length} files could not be fetched; see the errors above`,
        );
      }
    });
};

async function wanted(
  names: readonly string[],
  task: number | undefined,
  suite: string | undefined,
): Promise<readonly Source[]> {
  const requested = [
    ...(task === undefined ? [] : ofTask(task)),
    ...(suite === undefined ? [] : sourcesOfSuite(await readSuite(suite))),
    ...names.map(sourceNamed),
  ];
  if (requested.length > 0) return [...new Set(requested)];
  throw new InputError("no file given", {
    hint: "use names from `dart-eval data list`, --task NUMBER, or --suite NAME",
  });
}

function ofTask(task: number): readonly Source[] {
  const found = SOURCES.filter(
    ({ tasks, optional, addresses }) => tasks.includes(task) && !optional && addresses.length > 0,
  );
  if (found.length > 0) return found;
  throw new InputError(`there is no task ${task}`, { hint: "tasks have the numbers 1 to 5" });
}
