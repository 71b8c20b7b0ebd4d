import { InputError } from "../../base/errors.ts";
import { rowsForProportion } from "../../metrics/sample-size.ts";
import { type CustomForms, findSetting, findTask } from "../runs/forms.ts";
import type { SampleSize, SuiteSetting } from "../tasks/benchmark.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { Task } from "../tasks/task.ts";
import { type Suite, wholeSuite } from "./suite.ts";

/** Default half-width of the intervals. */
export const MINI_WIDTH = 0.03;

/** Values of short training runs, for minutes on a laptop; their metrics are not those of full training. */
const SHORT_TRAINING: Recipe = { trainRows: 4096, valRows: 1024, epochs: 10 };

/**
 * The suite `mini`: the tasks of `dart-eval` on a sample of rows, such that 95 % intervals of the main
 * metrics have at most this half-width for independent rows, as far as the data have enough rows: the Yoruban
 * dsQTLs have 560 significant variants. Nearby rows are correlated, so intervals over genomic blocks are
 * wider. Training is shortened too.
 *
 * @param width  half-width of the intervals
 * @throws {InputError} when it is not between 0.005 and 0.2
 */
export function miniSuite(width = MINI_WIDTH, forms: CustomForms = {}): Suite {
  if (!(width >= 0.005 && width <= 0.2)) {
    throw new InputError(`mini:${width}: expected a width from 0.005 to 0.2`);
  }
  return {
    name: width === MINI_WIDTH ? "mini" : `mini:${width}`,
    title: `DART-Eval on a sample of rows, for intervals of at most ±${width}`,
    rows: wholeSuite(forms).rows.map((row) => {
      const task = findTask(row.task, forms);
      const size: SampleSize = task?.benchmark?.sampleSize?.(width) ?? { limit: rowsForProportion(width) };
      const settings = Object.entries(row.settings).map(([name, own]): [string, SuiteSetting] => [
        name,
        { ...own, ...size, ...shortTraining(task, name, forms) },
      ]);
      return { ...row, settings: Object.fromEntries(settings) };
    }),
  };
}

/** The values of short training that the recipe of a setting has; none for a setting without training. */
function shortTraining(
  task: Task | undefined,
  setting: string,
  forms: CustomForms,
): Pick<SuiteSetting, "recipe"> {
  if (findSetting(setting, forms)?.readyAtOnce !== false) return {};
  const recipe = task?.settings[setting]?.recipe ?? {};
  return {
    recipe: Object.fromEntries(
      Object.entries(SHORT_TRAINING).filter(([name]) => Object.hasOwn(recipe, name)),
    ),
  };
}
