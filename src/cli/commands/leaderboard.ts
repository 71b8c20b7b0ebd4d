import { counted } from "../../base/message-text.ts";
import { writeLeaderboard } from "../../report/submissions/leaderboard-folder.ts";
import { type DefineCommand, examples, shellWord } from "../command.ts";

interface LeaderboardCommandOptions {
  readonly title?: string;
  readonly withScores?: boolean;
  readonly replace?: boolean;
}

export const defineLeaderboard: DefineCommand = (command, { terminal }) => {
  command
    .description(
      "Adds merged results to a leaderboard: a folder of static files to commit, diff and host, with a JSON file per cell, index.html and README.md.",
    )
    .argument("<folder>", "the leaderboard; created if missing")
    .argument("[result...]", "run folders, cells or other leaderboards; none: write the pages again")
    .option("--with-scores", "store the scores of the rows, so that anyone can verify the entries")
    .option("--replace", "replace entries of the same cells with other results")
    .option("--title <text>", "title of the page")
    .addHelpText(
      "after",
      examples({
        "two runs, with the scores that others need to verify them":
          "dart-eval leaderboard leaderboard runs/hyenadna runs/markov --with-scores",
      }),
    )
    .action(async (folder: string, results: string[], options: LeaderboardCommandOptions) => {
      const { entries, added } = await writeLeaderboard(folder, results, options);
      for (const name of added) terminal.say(`  ${name}`);
      terminal.print(`${counted(entries, "entry", "entries")}, ${added.length} new or changed`);
      terminal.say(`next: dart-eval verify ${shellWord(folder)}`);
    });
};
