import { Option } from "commander";
import { comparePaths } from "../../evaluation/comparison/compare-paths.ts";
import { TABLE_METRICS } from "../../evaluation/comparison/compare-tables.ts";
import type { ModelsCompared } from "../../evaluation/comparison/comparison.ts";
import { verdictOf } from "../../evaluation/comparison/verdict.ts";
import type { EstimatedMetric } from "../../metrics/estimate.ts";
import {
  comparedModelsTable,
  comparedPairsTable,
  differingTable,
  rankingTable,
  separateText,
} from "../../report/comparison-tables.ts";
import { plainTable } from "../../report/table.ts";
import { type DefineCommand, examples } from "../command.ts";

interface CompareCommandOptions {
  readonly metric?: EstimatedMetric;
  readonly json?: boolean;
}

export const defineCompare: DefineCommand = (command, { terminal, signal }) => {
  command
    .description(
      "Compares models on the same rows: paired differences with intervals and tests, probabilities of being the best, tie groups, ranks over tasks, and the differences between the runs.",
    )
    .argument("<path...>", "run folders, cell folders of runs, or tables of scores")
    .addOption(
      new Option(
        "--metric <name>",
        "metric of score tables (default: by their columns; runs have one per task)",
      ).choices(Object.keys(TABLE_METRICS)),
    )
    .option("--json", "print the comparison as JSON")
    .addHelpText(
      "after",
      examples({
        "the models of two runs": "dart-eval compare runs/hyenadna runs/caduceus",
        "two models by tables of their scores, with the columns score and label":
          "dart-eval compare a.tsv b.tsv --metric auroc",
      }),
    )
    .action(async (paths: string[], { metric, json }: CompareCommandOptions) => {
      const found = await comparePaths(paths, { signal, ...(metric === undefined ? {} : { metric }) });
      terminal.print(json ? JSON.stringify(found, null, 2) : comparisonText(found));
    });
};

function comparisonText(found: ModelsCompared): string {
  const parts = found.groups
    .filter(({ models }) => models.length > 1)
    .flatMap((group) => {
      const verdict = verdictOf(group);
      const differing = differingTable(group);
      return [
        plainTable(comparedModelsTable(group)),
        ...(group.pairs.length === 0 ? [] : [plainTable(comparedPairsTable(group))]),
        ...(differing === undefined ? [] : [plainTable(differing)]),
        ...(verdict === undefined ? [] : [`${verdict.sentence}.`]),
      ];
    });
  const several = found.rankings.filter(({ groups }) => groups.length > 1);
  return [
    ...parts,
    ...several.map((ranking) => plainTable(rankingTable(ranking))),
    ...found.separate
      .filter(({ groups: [a, b] }) => found.groups[a].protocol === found.groups[b].protocol)
      .map((one) => separateText(one, found)),
  ].join("\n\n");
}
