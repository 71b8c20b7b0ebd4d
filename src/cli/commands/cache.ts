import { InputError } from "../../base/errors.ts";
import { cacheFolder, kindOfPath } from "../../base/folder.ts";
import { counted } from "../../base/message-text.ts";
import {
  type CacheEntry,
  cacheEntries,
  type PrunedEntry,
  pruneCaches,
} from "../../evaluation/embeddings/cache-entries.ts";
import { bytes, count, duration } from "../../report/numbers.ts";
import { plainTable } from "../../report/table.ts";
import { type DefineCommand, examples, wholeNumberOption } from "../command.ts";

const FOLDERS = "run folders, or folders of run --embeddings: includes their embeddings";

export const defineCache: DefineCommand = (command, context) => {
  const { terminal } = context;
  command.description(
    "Lists and prunes caches that can be rebuilt: copies of weights, digests, embeddings. Checkpoints in the Hugging Face cache and results of runs are never touched.",
  );
  command
    .command("list")
    .summary("list caches with size and last use")
    .description("Lists the caches with their size, last use and the processes that use them.")
    .argument("[folder...]", FOLDERS)
    .option("--json", "print the list as JSON")
    .addHelpText("after", examples({ "with the embeddings of a run": "dart-eval cache list runs/probed" }))
    .action(async (folders: string[], { json }: { json?: boolean }) => {
      const entries = await entriesOf(folders);
      if (json) return terminal.print(JSON.stringify(entries, null, 2));
      if (entries.length === 0) return terminal.say(`no caches in ${cacheFolder()}`);
      terminal.print(
        plainTable({
          caption: `Caches: ${bytes(sum(entries))}`,
          columns: [
            { heading: "what", align: "left" },
            { heading: "size", align: "right" },
            { heading: "files", align: "right" },
            { heading: "last used", align: "left" },
            { heading: "where", align: "left" },
          ],
          rows: entries.map((entry) => [
            entry.what,
            bytes(entry.bytes),
            count(entry.files),
            whenText(entry),
            entry.path,
          ]),
        }),
      );
    });
  command
    .command("prune")
    .summary("remove caches not used for some days")
    .description(
      "Removes caches not used for some days. Caches of running processes and files of other programs are kept.",
    )
    .argument("[folder...]", FOLDERS)
    .option(
      "--older-than <days>",
      "minimum days since the last use; 0 removes everything not in use",
      wholeNumberOption(0),
      30,
    )
    .option("--dry-run", "print what would be removed, and remove nothing")
    .option("--list", "print every entry")
    .option("--json", "print the outcome per entry as JSON")
    .addHelpText(
      "after",
      examples({
        "caches not used for a month": "dart-eval cache prune",
        "all embeddings of a run": "dart-eval cache prune runs/probed --older-than 0",
      }),
    )
    .action(async (folders: string[], options: PruneArguments) => {
      const { olderThan: days, dryRun: dry = false, list = false, json } = options;
      const pruned = await pruneCaches(await entriesOf(folders), { days, dry });
      if (json) return terminal.print(JSON.stringify(pruned, null, 2));
      const outcomes = {
        removed: dry ? "would remove" : "removed",
        "in use": "kept, in use",
        "used lately": `kept, used in the last ${counted(days, "day")}`,
        unknown: "kept, not made by this version",
      };
      const outcome = ({ kept }: PrunedEntry) => outcomes[kept ?? "removed"];
      for (const one of list ? pruned : []) {
        const { entry } = one;
        terminal.print(`${outcome(one)}  ${bytes(entry.bytes)}  ${entry.what}  ${entry.path}`);
      }
      for (const text of Object.values(outcomes)) {
        const entries = pruned.filter((one) => outcome(one) === text).map(({ entry }) => entry);
        if (entries.length === 0) continue;
        terminal.print(`${text}: ${counted(entries.length, "entry", "entries")}, ${bytes(sum(entries))}`);
      }
      if (pruned.length === 0) terminal.say(`no caches in ${[cacheFolder(), ...folders].join(", ")}`);
    });
};

interface PruneArguments {
  readonly olderThan: number;
  readonly dryRun?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

/** @throws {InputError} for a missing folder, which would otherwise look empty */
async function entriesOf(folders: readonly string[]): Promise<readonly CacheEntry[]> {
  for (const folder of folders) {
    if ((await kindOfPath(folder)) === "folder") continue;
    throw new InputError("no such folder", { place: { file: folder } });
  }
  return cacheEntries(cacheFolder(), folders);
}

const sum = (entries: readonly CacheEntry[]) => entries.reduce((total, entry) => total + entry.bytes, 0);

function whenText({ users, lastUsed }: CacheEntry): string {
  if (users.length > 0) return `in use by ${users.map(({ pid, host }) => `${pid} on ${host}`).join(", ")}`;
  return `${duration((Date.now() - lastUsed.getTime()) / 1000)} ago`;
}
