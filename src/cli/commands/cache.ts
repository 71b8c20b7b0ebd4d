import { InputError } from "../../base/errors.ts";
import { cacheFolder, kindOfPath } from "../../base/folder.ts";
import { type CacheEntry, cacheEntries, pruneCaches } from "../../evaluation/embeddings/cache-entries.ts";
import { bytes, count, duration } from "../../report/numbers.ts";
import { plainTable } from "../../report/table.ts";
import { type DefineCommand, examples, wholeNumberOption } from "../command.ts";

const FOLDERS = "folders of runs, or given to runs as --embeddings: their embeddings are looked at as well";

export const define: DefineCommand = (command, context) => {
  const { terminal } = context;
  command.description(
    "Looks after what is kept to save time and can be made again: copies of weights, digests, embeddings. Checkpoints in the hub's cache are the hub's, and results of runs are no cache: neither is touched.",
  );
  command
    .command("list")
    .summary("what is there, how large, and when it was last used")
    .description("Lists what is kept: what it is, its size, when it was last used, and by whom it is in use.")
    .argument("[folder...]", FOLDERS)
    .option("--json", "print the list as JSON")
    .addHelpText("after", examples({ "with the embeddings of a run": "dart-eval cache list runs/probed" }))
    .action(async (folders: string[], { json }: { json?: boolean }) => {
      const entries = await entriesOf(folders);
      if (json) return terminal.print(JSON.stringify(entries, null, 2));
      if (entries.length === 0) return terminal.say(`nothing is kept in ${cacheFolder()}`);
      terminal.print(
        plainTable({
          caption: `Kept to save time: ${bytes(sum(entries))}`,
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
    .summary("remove what was not used for some days")
    .description(
      "Removes what was not used for some days. What a running process uses stays, and so does what was not made by this program.",
    )
    .argument("[folder...]", FOLDERS)
    .option("--older-than <days>", "0 for everything that is not in use", wholeNumberOption(0), 30)
    .option("--dry-run", "say what would be removed, and remove nothing")
    .option("--json", "print what became of each as JSON")
    .addHelpText(
      "after",
      examples({
        "what was not used for a month": "dart-eval cache prune",
        "all embeddings of a run that nobody uses": "dart-eval cache prune runs/probed --older-than 0",
      }),
    )
    .action(async (folders: string[], options: { olderThan: number; dryRun?: boolean; json?: boolean }) => {
      const { olderThan: days, dryRun: dry = false, json } = options;
      const pruned = await pruneCaches(await entriesOf(folders), { days, dry });
      if (json) return terminal.print(JSON.stringify(pruned, null, 2));
      for (const { entry, kept } of pruned) {
        const what = kept === undefined ? (dry ? "would go" : "removed ") : `kept, ${kept}`;
        terminal.print(`${what}  ${bytes(entry.bytes)}  ${entry.what}  ${entry.path}`);
      }
      const gone = pruned.filter(({ kept }) => kept === undefined).map(({ entry }) => entry);
      terminal.say(`${dry ? "would free" : "freed"} ${bytes(sum(gone))}`);
    });
};

/** @throws {InputError} for a folder that is not there: it would otherwise seem to hold nothing */
async function entriesOf(folders: readonly string[]): Promise<readonly CacheEntry[]> {
  for (const folder of folders) {
    if ((await kindOfPath(folder)) === "folder") continue;
    throw new InputError("there is no such folder", { place: { file: folder } });
  }
  return cacheEntries(cacheFolder(), folders);
}

const sum = (entries: readonly CacheEntry[]) => entries.reduce((total, entry) => total + entry.bytes, 0);

function whenText({ users, lastUsed }: CacheEntry): string {
  if (users.length > 0) return `in use by ${users.map(({ pid, host }) => `${pid} on ${host}`).join(", ")}`;
  return `${duration((Date.now() - lastUsed.getTime()) / 1000)} ago`;
}
