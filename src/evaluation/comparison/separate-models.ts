import { contextText, evaluatedData } from "../runs/cell.ts";
import type { CustomForms } from "../runs/forms.ts";
import type { StoredResult } from "../runs/result.ts";
import type { SeparateModels } from "./comparison.ts";

/** Groups of the same task and setting, whose models are not compared with each other, with the reasons. */
export function separateModels(
  groups: readonly (readonly [StoredResult, ...StoredResult[]])[],
  sharedRows: boolean,
  forms?: CustomForms,
): readonly SeparateModels[] {
  return groups.flatMap((first, i) =>
    groups.slice(i + 1).flatMap((second, j): SeparateModels[] => {
      const [{ cell: a }, { cell: b }] = [first[0].result, second[0].result];
      if (a.task !== b.task || a.setting !== b.setting) return [];
      const reasons = reasonsOf(first[0], second[0], sharedRows, forms);
      return [{ task: a.task, setting: a.setting, groups: [i, i + 1 + j], reasons }];
    }),
  );
}

function reasonsOf(
  { result: a }: StoredResult,
  { result: b }: StoredResult,
  sharedRows: boolean,
  forms?: CustomForms,
): readonly string[] {
  const short = (digest: string | undefined) => digest?.slice(0, 8) ?? "none";
  const [dataOfA, dataOfB] = [evaluatedData(a.cell, forms), evaluatedData(b.cell, forms)];
  const inputs = [...new Set([...Object.keys(dataOfA), ...Object.keys(dataOfB)])];
  const differ = <T>(what: string, of: (one: StoredResult["result"]) => T) =>
    of(a) === of(b) ? [] : [`${what} ${String(of(a))} and ${String(of(b))}`];
  return [
    ...differ("protocols", ({ cell }) => cell.protocol),
    ...differ("data sets", ({ cell }) => cell.dataset ?? "none"),
    ...differ("contexts", ({ cell }) => contextText(cell.context) ?? "the task's window"),
    ...inputs
      .filter((name) => dataOfA[name] !== dataOfB[name])
      .map((name) => `different ${name} (SHA-256 ${short(dataOfA[name])} and ${short(dataOfB[name])})`),
    ...differ("seeds of the task", ({ cell }) => cell.seed),
    ...differ("versions of the task", ({ cell }) => cell.taskVersion),
    ...(sharedRows || a.rows.digest === b.rows.digest
      ? []
      : [`different rows of the table (${a.rows.selected} and ${b.rows.selected})`]),
  ];
}
